//! `boltseal __init REQUEST PROGRAM …`: this program as what another runtime starts a container with.
//!
//! It takes what was left to it, the two files of the log and that of the status; closes all else; goes to the workload's folder; has
//! Landlock hold; and is PID 1 from then on ([`init`]), as in a container that no other runtime made.

use std::{fs::File, io, path::PathBuf, sync::Arc};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::start::{
    init::{self, First},
    log::{Segments, Stream},
    seal,
};

/// The role.
pub const ROLE: &str = "__init";

/// What the role is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What may be done with which files.
    pub files: seal::Files,
    /// Variables that were withheld from this program and are the workload's.
    pub env: Vec<(String, String)>,
    /// Where the workload starts.
    pub folder: PathBuf,
    /// Bytes that each file of the log may have.
    pub log_limit: u64,
}

/// Plays it. Comes back only where the workload was not started, with the code to exit with.
pub fn begin(request: &Request, command: &[String]) -> i32 {
    let first = match taken(request.log_limit) {
        Ok(first) => first,
        Err(error) => {
            init::complain(&format!("this is no container of ours: {error}"));
            return init::NOT_RUN;
        }
    };
    let why = sealed(request).and_then(|()| {
        init::run(&first, command, &request.env).map_err(|error| format!("it is not started: {error}"))
    });
    if let Err(why) = why {
        // Nobody reads what a container says beside its log.
        let _ = first.segments.writer().and_then(|mut writer| {
            writer.take(Stream::Stderr, format!("boltseal: {why}\n").as_bytes(), Timestamp::now())
        });
    }
    init::NOT_RUN
}

fn taken(log_limit: u64) -> io::Result<First> {
    let taken: [_; 3] =
        boltseal_sys::handed(3)?.try_into().map_err(|_| io::Error::other("it was left something else"))?;
    let [one, two, status] = taken.map(File::from);
    Ok(First { segments: Arc::new(Segments::new([one, two], log_limit)?), status: Arc::new(status) })
}

fn sealed(request: &Request) -> Result<(), String> {
    let folder = &request.folder;
    std::env::set_current_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    seal::files(&request.files).map_err(|error| format!("it is not sealed: {error}"))
}
