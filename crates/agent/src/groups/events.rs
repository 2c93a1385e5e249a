//! What happened on this node: in a file that is on disk before anything of it counts, in the node's tamper-evident log
//! ([`super::ledger`]), and told to whoever listens.
//!
//! Those that write at the same moment are written together, with one wait for the disk.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

use boltseal_api::groups::Event;
use boltseal_model::Timestamp;
use tokio::sync::broadcast;

use super::{Error, engine::lock, ledger::Ledger};

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
    /// Without numbers yet.
    waiting: Mutex<Vec<Waiting>>,
    open: Mutex<Open>,
    told: broadcast::Sender<Event>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    done: Arc<OnceLock<Result<Event, String>>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    next: u64,
    bytes: u64,
    /// Whether the last line was not written to its end.
    torn: bool,
    ledger: Ledger,
    /// Those that are in the file and not yet in the ledger.
    owed: Vec<Event>,
}

impl Events {
    /// In a folder, of the node called `host`.
    ///
    /// # Errors
    /// Where they cannot be read, or the ledger not be used.
    pub fn open(folder: &Path, host: &str) -> Result<Self, Error> {
        let path = folder.join("events");
        let named = || Error::io(folder.display());
        let file = opened(&path).map_err(named())?;
        let mut past = read(&path.with_extension("1")).map_err(named())?;
        past.extend(read(&path).map_err(named())?);
        let next = past.last().map_or(0, |event| event.number) + 1;
        let bytes = file.metadata().map_err(named())?.len();
        let torn = is_torn(&path, bytes).map_err(named())?;
        let mut ledger = Ledger::open(folder, host)?;
        // Whoever wrote the last ones may have been killed in between.
        let last = ledger.last()?;
        let owed: Vec<Event> = past.into_iter().filter(|event| event.number > last).collect();
        if !owed.is_empty() {
            ledger.append(&owed)?;
        }
        // A ledger that knows more than the file: the file was put back, and its numbers are not given again.
        let next = next.max(last + 1);
        let open = Open { file, next, bytes, torn, ledger, owed: Vec::new() };
        let told = broadcast::channel(LAG).0;
        Ok(Self { path, waiting: Mutex::default(), open: Mutex::new(open), told })
    }

    /// Writes one down; it is on disk and in the ledger when this comes back.
    ///
    /// # Errors
    /// Where it cannot be written to one of them.
    pub fn write(
        &self,
        what: &str,
        group: &str,
        container: Option<&str>,
        details: &[(&str, String)],
    ) -> Result<Event, Error> {
        let short = |text: &str| text.chars().take(MAX_VALUE).collect::<String>();
        let event = Event {
            number: 0,
            at: Timestamp::now(),
            what: what.to_owned(),
            group: group.to_owned(),
            container: container.map(str::to_owned),
            details: details.iter().map(|(name, value)| ((*name).to_owned(), short(value))).collect(),
        };
        let done = Arc::new(OnceLock::new());
        lock(&self.waiting).push(Waiting { event, done: Arc::clone(&done) });
        let mut open = lock(&self.open);
        if done.get().is_none() {
            self.write_all(&mut open, std::mem::take(&mut *lock(&self.waiting)));
        }
        drop(open);
        // Whoever holds the lock takes all along that wait, and says to each what came of it.
        let written = done.get().cloned().unwrap_or_else(|| Err("nobody wrote it".to_owned()));
        written.map_err(|why| Error::Log(format!("the events of this node: {why}")))
    }

    fn write_all(&self, open: &mut Open, waiting: Vec<Waiting>) {
        let events =
            waiting.iter().zip(open.next..).map(|(one, number)| Event { number, ..one.event.clone() });
        let events: Vec<Event> = events.collect();
        let written = open.write(&self.path, &events);
        for (one, event) in waiting.into_iter().zip(events) {
            if written.is_ok() {
                // Nobody may be listening.
                let _ = self.told.send(event.clone());
            }
            let _ = one.done.set(written.clone().map(|()| event));
        }
    }

    /// Those that come from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.told.subscribe()
    }

    /// Those that were written, the oldest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn past(&self) -> io::Result<Vec<Event>> {
        let mut all = read(&self.path.with_extension("1"))?;
        all.extend(read(&self.path)?);
        Ok(all)
    }
}

impl Open {
    fn write(&mut self, path: &Path, events: &[Event]) -> Result<(), String> {
        // Nothing more is begun while the ledger lacks something.
        self.pay().map_err(|error| error.to_string())?;
        self.lines(path, events).map_err(|error| error.to_string())?;
        self.owed = events.to_vec();
        self.pay().map_err(|error| error.to_string())
    }

    fn pay(&mut self) -> Result<(), Error> {
        if !self.owed.is_empty() {
            self.ledger.append(&self.owed)?;
            self.owed.clear();
        }
        Ok(())
    }

    fn lines(&mut self, path: &Path, events: &[Event]) -> io::Result<()> {
        let mut text = Vec::new();
        if self.torn {
            text.push(b'\n');
        }
        for event in events {
            serde_json::to_writer(&mut text, event)?;
            text.push(b'\n');
        }
        let length = text.len() as u64;
        if self.bytes + length > MAX_FILE {
            std::fs::rename(path, path.with_extension("1"))?;
            self.file = opened(path)?;
            self.bytes = 0;
        }
        self.torn = true;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.torn = false;
        self.bytes += length;
        self.next += events.len() as u64;
        Ok(())
    }
}

fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn is_torn(path: &Path, bytes: u64) -> io::Result<bool> {
    let Some(last) = bytes.checked_sub(1) else { return Ok(false) };
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(last))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte != *b"\n")
}

/// A line that was not written to its end is none: it was never acknowledged.
fn read(path: &Path) -> io::Result<Vec<Event>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut events: BTreeMap<u64, Event> = BTreeMap::new();
    for line in BufReader::new(file).split(b'\n') {
        if let Ok(event) = serde_json::from_slice::<Event>(&line?) {
            // What was written and not acknowledged has a number that was given again.
            events.insert(event.number, event);
        }
    }
    Ok(events.into_values().collect())
}

#[cfg(test)]
mod tests {
    use boltseal_audit::{
        Record,
        log::{Folder, Reader, Signer, verify},
    };

    use super::*;

    fn numbers(events: &[Event]) -> Vec<u64> {
        events.iter().map(|event| event.number).collect()
    }

    /// The numbers in the ledger, which must be whole.
    fn ledger(folder: &Path) -> Vec<u64> {
        let key = Signer::read(&folder.join("keys/audit")).unwrap().unwrap();
        let reader = Reader::new(Folder::open(&folder.join("audit")).unwrap(), key.verifier().clone());
        let size = reader.checkpoint().unwrap().checkpoint().size;
        verify(&reader, None, &mut |_| ()).unwrap();
        let entries = (0..size).map(|index| reader.entry(index, size).unwrap());
        entries.map(|entry| Record::parse(&entry).unwrap().detail["event"].as_u64().unwrap()).collect()
    }

    #[test]
    fn numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..3_u64 {
            let events = Events::open(folder.path(), "node-1").unwrap();
            let one = events.write("group.run", "g", None, &[("k", "v".to_owned())]).unwrap();
            assert_eq!(one.number, round + 1);
            if round == 1 {
                // The process was killed in the middle of a line.
                let mut file = OpenOptions::new().append(true).open(folder.path().join("events")).unwrap();
                file.write_all(b"{\"number\":99").unwrap();
            }
        }
        assert_eq!(numbers(&Events::open(folder.path(), "node-1").unwrap().past().unwrap()), [1, 2, 3]);
        assert_eq!(ledger(folder.path()), [1, 2, 3]);
    }

    #[test]
    fn what_was_written_and_is_not_in_the_ledger_gets_there() {
        let folder = tempfile::tempdir().unwrap();
        Events::open(folder.path(), "node-1").unwrap().write("group.run", "g", None, &[]).unwrap();
        let path = folder.path().join("events");
        let line = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{line}{}", line.replace("\"number\":1", "\"number\":2"))).unwrap();
        let events = Events::open(folder.path(), "node-1").unwrap();
        assert_eq!(ledger(folder.path()), [1, 2]);
        events.write("group.stop", "g", None, &[]).unwrap();
        assert_eq!(ledger(folder.path()), [1, 2, 3]);
    }

    #[test]
    fn a_file_of_before_there_was_a_ledger_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let count = u64::try_from(boltseal_audit::ingest::MAX_EVENTS).unwrap() + 7;
        let lines = (1..=count).map(|number| {
            format!("{{\"number\":{number},\"at\":\"2026-03-01T12:00:00Z\",\"what\":\"group.run\",\"group\":\"g\"}}\n")
        });
        std::fs::write(folder.path().join("events"), lines.collect::<String>()).unwrap();
        Events::open(folder.path(), "node-1").unwrap();
        assert_eq!(ledger(folder.path()), (1..=count).collect::<Vec<_>>());
    }

    #[test]
    fn many_at_once_are_written_together_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::open(folder.path(), "node-1").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..25).for_each(|_| drop(events.write("container.start", "g", Some("c"), &[]).unwrap()));
                });
            }
        });
        let all: Vec<u64> = (1..=200).collect();
        assert_eq!(numbers(&events.past().unwrap()), all);
        assert_eq!(ledger(folder.path()), all);
    }
}
