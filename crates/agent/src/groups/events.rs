//! What happened on this node: numbered, on disk before it counts, and told to whoever listens.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Mutex,
};

use boltseal_api::groups::Event;
use boltseal_model::Timestamp;
use tokio::sync::broadcast;

/// Events that a listener may lag behind; one that lags further is told so and reads the file.
const LAG: usize = 1_024;
/// Bytes of the file; then it becomes `events.1` and a new one begins.
const MAX_FILE: u64 = 16 << 20;
/// Bytes of one value.
const MAX_VALUE: usize = 4_096;

/// Where events go.
#[derive(Debug)]
pub struct Events {
    path: std::path::PathBuf,
    open: Mutex<Open>,
    told: broadcast::Sender<Event>,
}

#[derive(Debug)]
struct Open {
    file: File,
    next: u64,
    bytes: u64,
}

impl Events {
    /// In a folder.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("events");
        let file = opened(&path)?;
        let last = read(&path)?.last().map_or(0, |event| event.number);
        let before = if last == 0 {
            read(&folder.join("events.1"))?.last().map_or(0, |event| event.number)
        } else {
            0
        };
        let bytes = file.metadata()?.len();
        Ok(Self {
            path,
            open: Mutex::new(Open { file, next: last.max(before) + 1, bytes }),
            told: broadcast::channel(LAG).0,
        })
    }

    /// Writes one down; it is on disk when this comes back.
    pub fn write(
        &self,
        what: &str,
        group: &str,
        container: Option<&str>,
        details: &[(&str, String)],
    ) -> io::Result<Event> {
        let short = |text: &str| text.chars().take(MAX_VALUE).collect::<String>();
        let details: BTreeMap<String, String> =
            details.iter().map(|(name, value)| ((*name).to_owned(), short(value))).collect();
        let mut open = self.open.lock().map_err(|_| io::Error::other("the events' lock"))?;
        let event = Event {
            number: open.next,
            at: Timestamp::now(),
            what: what.to_owned(),
            group: group.to_owned(),
            container: container.map(str::to_owned),
            details,
        };
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        if open.bytes + line.len() as u64 > MAX_FILE {
            std::fs::rename(&self.path, self.path.with_extension("1"))?;
            open.file = opened(&self.path)?;
            open.bytes = 0;
        }
        open.file.write_all(&line)?;
        open.file.sync_data()?;
        open.bytes += line.len() as u64;
        open.next += 1;
        drop(open);
        // Nobody may be listening.
        let _ = self.told.send(event.clone());
        Ok(event)
    }

    /// Those that come from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.told.subscribe()
    }

    /// Those that were written, the oldest first.
    pub fn past(&self) -> io::Result<Vec<Event>> {
        let mut all = read(&self.path.with_extension("1"))?;
        all.extend(read(&self.path)?);
        Ok(all)
    }
}

fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// A line that was not written to its end is none: it was never acknowledged.
fn read(path: &Path) -> io::Result<Vec<Event>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut events = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        if let Ok(event) = serde_json::from_slice(&line?) {
            events.push(event);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..3_u64 {
            let events = Events::open(folder.path()).unwrap();
            let one = events.write("group.run", "g", None, &[("k", "v".to_owned())]).unwrap();
            assert_eq!(one.number, round + 1);
            if round == 1 {
                // The process was killed in the middle of a line.
                let mut file = OpenOptions::new().append(true).open(folder.path().join("events")).unwrap();
                file.write_all(b"{\"number\":99").unwrap();
                file.write_all(b"\n").unwrap();
            }
        }
        let past = Events::open(folder.path()).unwrap().past().unwrap();
        assert_eq!(past.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
