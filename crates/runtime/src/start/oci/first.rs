//! `boltseal __init REQUEST PROGRAM …`: this program as what another runtime starts a container with.
//!
//! It takes what was left to it, the two files of the log, that of the status, and where somebody sits at the container; closes all else; goes to the workload's folder; has
//! Landlock hold; and is PID 1 from then on ([`init`]), as in a container that no other runtime made.

use std::{fs::File, io, path::PathBuf, sync::Arc};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::start::{
    attend::{Attended, Door},
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
    /// How somebody can sit at it.
    #[serde(default)]
    pub attended: Option<Attended>,
}

/// Plays it. Comes back only where the workload was not started, with the code to exit with.
pub fn begin(request: &Request, command: &[String]) -> i32 {
    let first = match taken(request) {
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

fn taken(request: &Request) -> io::Result<First> {
    let has_terminal = request.attended.is_some_and(|how| how.terminal.is_some());
    let count = 3 + usize::from(request.attended.is_some()) + usize::from(has_terminal);
    let mut taken = boltseal_sys::handed(count)?.into_iter();
    let mut next = || taken.next().ok_or_else(|| io::Error::other("it was left something else"));
    let segments = Segments::new([next()?.into(), next()?.into()], request.log_limit)?;
    let status = File::from(next()?);
    let door = match request.attended {
        Some(how) => {
            let listener = next()?;
            let console = if has_terminal { Some(next()?.into()) } else { None };
            Some(Arc::new(Door { listener, console, how }))
        }
        None => None,
    };
    Ok(First { segments: Arc::new(segments), status: Arc::new(status), door })
}

fn sealed(request: &Request) -> Result<(), String> {
    let folder = &request.folder;
    std::env::set_current_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    seal::files(&request.files).map_err(|error| format!("it is not sealed: {error}"))
}
