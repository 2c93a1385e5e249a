//! What was written, read in the order in which it was.
//!
//! One file is older than the other as a whole. Which one, the time of the next line of each says, and where what was written at
//! once is in both, when they were written to; so a reader that was away while the writer changed files goes on in the right one.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MAX_LINE, Stream};

/// Bytes that are read at once.
const MAX_READ: u64 = 1 << 20;
/// Bytes of a line of the file: its text, its time and its stream.
const MAX_WHOLE: u64 = MAX_LINE as u64 + 64;

/// A line that was written, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was read from the container.
    pub at: Timestamp,
    /// Where it was written.
    pub stream: Stream,
    /// Whether the line goes on in the next one of the same stream.
    pub partial: bool,
    /// It, without the end of line. What is no UTF-8 is replaced.
    pub text: String,
}

/// Reads what was written, and what is written meanwhile.
#[derive(Debug)]
pub struct Reader {
    paths: [PathBuf; 2],
    places: [u64; 2],
}

impl Reader {
    /// From the beginning of what is kept.
    pub const fn new(paths: [PathBuf; 2]) -> Self {
        Self { paths, places: [0, 0] }
    }

    /// The next of what was written since the last time, not all of it at once; none where there is nothing. Of a container
    /// that writes more than its limit between two calls, what was in between is gone.
    ///
    /// # Errors
    /// As read(2). A file that is not there yet is empty.
    pub fn take(&mut self) -> io::Result<Vec<Entry>> {
        loop {
            let mut next = None;
            for (number, path) in self.paths.iter().enumerate() {
                let Some(place) = self.places.get_mut(number) else { continue };
                let Some(mut file) = opened(path, place)? else { continue };
                let Some(line) = lines(&mut file, *place, MAX_WHOLE)? else { continue };
                // A place within a line, after the file was emptied and filled again, has none: it is gone over first.
                let at = line.split(|byte| *byte == b'\n').next().and_then(parse).map(|entry| entry.at);
                let order = (at, file.metadata()?.modified()?);
                if next.as_ref().is_none_or(|(_, _, earliest)| order < *earliest) {
                    next = Some((number, file, order));
                }
            }
            let Some((number, mut file, _)) = next else { return Ok(Vec::new()) };
            let Some(place) = self.places.get_mut(number) else { return Ok(Vec::new()) };
            // Emptied meanwhile.
            let Some(text) = lines(&mut file, *place, MAX_READ)? else { continue };
            *place += text.len() as u64;
            let entries: Vec<Entry> = text.split(|byte| *byte == b'\n').filter_map(parse).collect();
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
    }
}

/// A file, and where to go on in it: at its beginning where it was emptied.
fn opened(path: &PathBuf, place: &mut u64) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() < *place {
        *place = 0;
    }
    Ok(Some(file))
}

/// The whole lines from there on that are within so many bytes.
fn lines(file: &mut File, place: u64, most: u64) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(place))?;
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
    Ok(whole.map(|whole| {
        text.truncate(whole);
        text
    }))
}

fn parse(line: &[u8]) -> Option<Entry> {
    let line = String::from_utf8_lossy(line);
    let mut parts = line.splitn(4, ' ');
    let at = parts.next()?.parse().ok()?;
    let stream = match parts.next()? {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        _ => return None,
    };
    let partial = parts.next()? == "P";
    Some(Entry { at, stream, partial, text: parts.next().unwrap_or_default().to_owned() })
}
