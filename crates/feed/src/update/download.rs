//! One file from a server: conditional, resumable, whole or not at all.
//!
//! Source: RFC 9110, sections 13 (conditional requests) and 14 (ranges). The file grows in `raw/.downloads`; beside it
//! stands what the server said about it, so that a later run goes on only with the very same file.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use boltseal_wire::client::{self, Method, Request, Response};
use serde::{Deserialize, Serialize};

use super::Update;
use crate::import::intake::Origin;
use crate::store::{Part, clean};
use crate::{Error, Progress, limits};

/// What the server said.
pub(super) enum Answer {
    /// The whole file is here.
    Complete,
    /// It is the one that we have.
    Unchanged,
    /// There is none.
    Absent,
}

/// A file on its way.
pub(super) struct Download {
    url: String,
    file: PathBuf,
    notes: PathBuf,
    note: Note,
}

/// What the server said about the file that is partly here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Note {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Note {
    /// What proves that the rest belongs to the same file: a strong validator (RFC 9110, section 13.1.5).
    fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

impl Download {
    pub(super) fn new(raw: &Path, id: &str, url: String) -> Result<Self, Error> {
        let folder = raw.join(".downloads");
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let last = url.rsplit('/').next().unwrap_or_default();
        let name = clean(&format!("{id}-{last}"));
        let (file, notes) = (folder.join(format!("{name}.part")), folder.join(format!("{name}.json")));
        let note = fs::read(&notes).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let note = note.filter(|note| note.url == url).unwrap_or_default();
        Ok(Self { url, file, notes, note })
    }

    /// The file, once it is complete.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { etag: self.note.etag.clone(), last_modified: self.note.last_modified.clone() }
    }

    /// A refusal with `status`, as an error.
    pub(super) fn refused(&self, status: u16) -> Error {
        client::Error::Status { url: self.url.clone(), status, excerpt: String::new() }.into()
    }

    /// Its content is safe in the store, or worthless.
    pub(super) fn done(&self) {
        // Left over they do no harm: the next run asks the server about them.
        let _ = fs::remove_file(&self.notes);
        let _ = fs::remove_file(&self.file);
    }

    /// Fetches the file unless it is `known`. Takes lost connections up again.
    pub(super) fn run(
        &mut self,
        how: &Update,
        known: Option<&Part>,
        progress: &dyn Progress,
    ) -> Result<Answer, Error> {
        let mut pause = how.pause;
        let mut attempt = 1;
        loop {
            let tried = self.attempt(how, known, progress);
            progress.end(&self.url);
            match tried {
                Err(Error::Fetch(error)) if error.passing() && attempt < how.attempts => {
                    thread::sleep(pause);
                    pause *= 2;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    fn attempt(
        &mut self,
        how: &Update,
        known: Option<&Part>,
        progress: &dyn Progress,
    ) -> Result<Answer, Error> {
        let have = fs::metadata(&self.file).map_or(0, |meta| meta.len());
        let resume = self.note.validator().filter(|_| have > 0).map(str::to_owned);
        let mut request = Request::new(Method::Get, &self.url)?;
        if let Some(validator) = &resume {
            request =
                request.header("Range", format!("bytes={have}-")).header("If-Range", validator.as_str());
        } else if let Some(known) = known {
            if let Some(etag) = &known.etag {
                request = request.header("If-None-Match", etag.as_str());
            }
            if let Some(date) = &known.last_modified {
                request = request.header("If-Modified-Since", date.as_str());
            }
        }
        let mut response = how.client.send(request)?;
        match response.status() {
            200 => self.take(response, 0, progress),
            206 if resume.is_some() && starts_at(&response, have) => self.take(response, have, progress),
            304 if known.is_some() => {
                self.done();
                Ok(Answer::Unchanged)
            }
            // The range is at or behind the end, or not what was asked for: begin anew.
            206 | 416 if resume.is_some() => {
                self.done();
                self.note = Note::default();
                self.attempt(how, known, progress)
            }
            404 | 410 => Ok(Answer::Absent),
            _ => Err(response.refusal().into()),
        }
    }

    /// Writes the body behind the `from` bytes that are here.
    fn take(&mut self, response: Response, from: u64, progress: &dyn Progress) -> Result<Answer, Error> {
        let here = Error::io(&self.file);
        let total = response.length().map(|length| length + from);
        if total.is_some_and(|total| total > limits::MAX_DOWNLOAD_BYTES) {
            return Err(Error::limit(&self.url, "its size", limits::MAX_DOWNLOAD_BYTES));
        }
        let header = |name| response.header(name).map(str::to_owned);
        self.note = Note {
            url: self.url.clone(),
            etag: header("etag").or_else(|| self.note.etag.take().filter(|_| from > 0)),
            last_modified: header("last-modified")
                .or_else(|| self.note.last_modified.take().filter(|_| from > 0)),
        };
        let mut file =
            File::options().create(true).truncate(false).write(true).open(&self.file).map_err(here)?;
        let io = |error: io::Error| Error::io(&self.file)(error);
        file.set_len(from).and_then(|()| file.seek(io::SeekFrom::Start(from))).map_err(io)?;
        let note = serde_json::to_vec(&self.note).map_err(|error| io(error.into()))?;
        fs::write(&self.notes, note).map_err(Error::io(&self.notes))?;
        progress.begin(&self.url, total);
        progress.advance(from);
        let url = response.url().clone();
        let mut body = response.body(limits::MAX_DOWNLOAD_BYTES - from);
        let mut buffer = vec![0; 1 << 17];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(client::Error::of_body(&url, error).into()),
            };
            file.write_all(buffer.get(..read).unwrap_or_default()).map_err(io)?;
            progress.advance(read as u64);
        }
        Ok(Answer::Complete)
    }
}

/// Whether a partial answer begins where it should.
fn starts_at(response: &Response, have: u64) -> bool {
    let range = response.header("content-range").and_then(|range| range.strip_prefix("bytes "));
    range.and_then(|range| range.split_once('-')).is_some_and(|(start, _)| start.parse() == Ok(have))
}
