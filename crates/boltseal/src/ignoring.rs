//! `--ignore-file`: findings that somebody has looked at, set aside before anybody decides.

use std::{fs, path::PathBuf};

use boltseal_flow::IgnoreFile;
use boltseal_model::{Report, Timestamp};

use crate::{console::Console, exit::Failure};

/// Which files say what to ignore.
#[derive(Debug, clap::Args)]
pub struct Ignoring {
    /// File of what to ignore: ids, one a line (`CVE-2024-1 until:2026-12-31 why`), `.trivyignore`, `.trivyignore.yaml`
    /// or `.grype.yaml`; may be given again
    #[arg(long, value_name = "FILE")]
    ignore_file: Vec<PathBuf>,
}

/// The same, read.
pub struct Ignored(Vec<(PathBuf, IgnoreFile)>);

impl Ignoring {
    /// Reads the files, before any work is done.
    pub fn read(&self) -> Result<Ignored, Failure> {
        let file = |path: &PathBuf| {
            let text = fs::read_to_string(path).map_err(|wrong| {
                Failure::usage(format_args!("cannot read the ignore file {}: {wrong}", path.display()))
            })?;
            let file = IgnoreFile::parse(&text)
                .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))?;
            Ok((path.clone(), file))
        };
        self.ignore_file.iter().map(file).collect::<Result<_, _>>().map(Ignored)
    }
}

impl Ignored {
    /// Sets findings aside, and warns of entries whose time is over or that ignore nothing here.
    pub fn apply(&self, report: &mut Report, now: Timestamp, console: &Console) {
        for (path, file) in &self.0 {
            for id in file.apply(report, now) {
                console.warning(format_args!(
                    "{}: {id} is not ignored any more: its time is over",
                    path.display()
                ));
            }
            for words in file.unread() {
                console.warning(format_args!("{}: {words}", path.display()));
            }
        }
    }
}
