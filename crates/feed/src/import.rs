//! Files that people have, into the folder of raw feeds.

use std::fs;
use std::path::{Path, PathBuf};

use boltseal_model::Timestamp;

use crate::container::{self, Found};
use crate::format::Tally;
use crate::store::lock;
use crate::{Error, Progress, limits};

pub(crate) mod intake;
mod tee;

use intake::Intake;

/// What an import did.
#[derive(Debug, Default)]
pub struct Report {
    /// Feeds that are new or were replaced.
    pub feeds: Vec<Imported>,
    /// Files that are no feed of a known format: the first [`limits::MAX_QUOTED`].
    pub ignored: Vec<String>,
    /// How many there were.
    pub ignored_count: u64,
    /// Records that were left out, and why: the first [`limits::MAX_QUOTED`]; each feed counts all of its own.
    pub rejected: Vec<(String, String)>,
    /// Files that are broken. What they would have replaced is still there.
    pub failed: Vec<(PathBuf, Error)>,
}

/// One feed that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The feed.
    pub id: String,
    /// Where it came from.
    pub source: String,
    /// What was in it.
    pub tally: Tally,
    /// The stored data is newer by its publisher's date and was kept instead.
    pub kept_newer: bool,
}

/// Checks the files in `paths` (folders are searched) and keeps those that are feeds in the folder `raw`.
///
/// One broken file does not stop the others: it is in [`Report::failed`]. An `Err` means that `raw` itself failed, or that
/// another process is changing it.
pub fn import(
    raw: &Path,
    paths: &[PathBuf],
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Report, Error> {
    let _lock = lock::changing(raw)?;
    let mut job = Job { raw, now, progress, report: Report::default(), files: 0 };
    for path in paths {
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) => {
                job.report.failed.push((path.clone(), Error::io(path)(error)));
                continue;
            }
        };
        if path.is_dir() {
            job.folder(&path)?;
        } else {
            let before = job.report.feeds.len();
            let failed = job.report.failed.len();
            job.lone(&path)?;
            if job.report.feeds.len() == before && job.report.failed.len() == failed {
                let known: Vec<&str> = crate::ALL.iter().map(|format| format.id()).collect();
                let error = Error::Unrecognised { name: path.display().to_string(), known: known.join(", ") };
                job.report.failed.push((path, error));
            }
        }
    }
    Ok(job.report)
}

struct Job<'j> {
    raw: &'j Path,
    now: Timestamp,
    progress: &'j dyn Progress,
    report: Report,
    files: usize,
}

impl Job<'_> {
    /// One file named by the user: its documents belong together.
    fn lone(&mut self, path: &Path) -> Result<(), Error> {
        let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let group = stem.split('.').next().unwrap_or_default().to_owned();
        let mut intake = Intake::new(self.raw, self.now);
        self.take(path, &group, &mut intake);
        self.close(path, intake)
    }

    /// A folder: its own files are one collection, and so is each folder in it, however deep.
    fn folder(&mut self, path: &Path) -> Result<(), Error> {
        let name = |path: &Path| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let (files, folders) = entries(path)?;
        let mut intake = Intake::new(self.raw, self.now);
        self.files_of(&files, &name(path), &mut intake)?;
        self.close(path, intake)?;
        for folder in folders {
            let mut intake = Intake::new(self.raw, self.now);
            self.below(&folder, &name(&folder), 1, &mut intake)?;
            self.close(&folder, intake)?;
        }
        Ok(())
    }

    fn below(
        &mut self,
        path: &Path,
        group: &str,
        depth: usize,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        if depth > limits::MAX_DEPTH {
            let error =
                Error::limit(&path.display().to_string(), "the depth of folders", limits::MAX_DEPTH as u64);
            self.report.failed.push((path.to_owned(), error));
            return Ok(());
        }
        let (files, folders) = entries(path)?;
        self.files_of(&files, group, intake)?;
        for folder in folders {
            self.below(&folder, group, depth + 1, intake)?;
        }
        Ok(())
    }

    fn files_of(&mut self, files: &[PathBuf], group: &str, intake: &mut Intake<'_>) -> Result<(), Error> {
        for file in files {
            self.files += 1;
            if self.files > limits::MAX_FILES {
                return Err(Error::limit(
                    &file.display().to_string(),
                    "the number of files",
                    limits::MAX_FILES as u64,
                ));
            }
            match container::is_archive(file) {
                Ok(true) => self.lone(file)?,
                Ok(false) => self.take(file, group, intake),
                Err(error) => self.report.failed.push((file.clone(), error)),
            }
        }
        Ok(())
    }

    /// Reads one file into `intake`. A file that is broken as a whole is taken out of it again.
    fn take(&mut self, path: &Path, group: &str, intake: &mut Intake<'_>) {
        let what = path.display().to_string();
        self.progress.begin(&what, fs::metadata(path).map(|meta| meta.len()).ok());
        let report = &mut self.report;
        let read = container::documents(path, group, self.progress, &mut |found: Found<'_>| {
            let name = found.name.clone();
            if !intake.document(found, &what)? {
                report.ignored_count += 1;
                if report.ignored.len() < limits::MAX_QUOTED {
                    report.ignored.push(name);
                }
            }
            Ok(())
        });
        self.progress.end(&what);
        if let Err(error) = read {
            intake.spoil(&what);
            report.failed.push((path.to_owned(), error));
        }
    }

    fn close(&mut self, path: &Path, intake: Intake<'_>) -> Result<(), Error> {
        let closed = intake.close(&mut self.report.rejected)?;
        self.report.feeds.extend(closed.imported);
        self.report.failed.extend(closed.empty.into_iter().map(|error| (path.to_owned(), error)));
        Ok(())
    }
}

/// Files and folders in `path`, each sorted; symbolic links are not followed.
fn entries(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        let entry = entry.map_err(Error::io(path))?;
        let kind = entry.file_type().map_err(Error::io(path))?;
        if kind.is_dir() {
            folders.push(entry.path());
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}
