//! What happened on this node: in a file that is on disk before anything of it counts, in the node's tamper-evident log
//! ([`super::ledger`]), and told to whoever listens.
//!
//! Those that write at the same moment are written together, with one wait for the disk.
//!
//! Where the disk is full, nothing begins: what cannot be written down is not done. What ends is written down all the same, into
//! a part of the file that the disk gave while it had room, and gets into the ledger when there is room again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

use boltseal_api::groups::Event;
use boltseal_model::Timestamp;
use rustix::fs::FallocateFlags;
use tokio::sync::broadcast;

use super::{Error, engine::lock, is_full, ledger::Ledger};

/// Events that a listener may lag behind; one that lags further is told so and reads the file.
const LAG: usize = 1_024;
/// Bytes of the file; then it becomes `events.1` and a new one begins.
const MAX_FILE: u64 = 16 << 20;
/// Bytes of one value.
const MAX_VALUE: usize = 4_096;
/// What makes room, and is done also where there is none.
const ENDS: [&str; 3] = ["group.stop", "group.remove", "container.end"];
/// Bytes beyond the end of the file that are asked of the disk beforehand: some hundred ends.
const RESERVE: u64 = 64 << 10;
/// Bytes, and files, that have to be free so that something begins: for the file, the ledger and the first lines of a log.
const ROOM: u64 = 1 << 20;
const ROOM_FILES: u64 = 64;

/// Where events go.
#[derive(Debug)]
pub struct Events {
    path: std::path::PathBuf,
    /// Without numbers yet.
    waiting: Mutex<Vec<Waiting>>,
    open: Mutex<Open>,
    /// Containers, by group and name, whose end was written down when the file was opened.
    ended: BTreeSet<(String, String)>,
    told: broadcast::Sender<Event>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    done: Arc<OnceLock<Result<Event, Failed>>>,
}

/// Why those that were written together were not.
#[derive(Clone, Debug)]
struct Failed {
    why: String,
    /// Whether there is no room.
    is_full: bool,
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self { why: error.to_string(), is_full: is_full(&error) }
    }
}

#[derive(Debug)]
struct Open {
    file: File,
    next: u64,
    bytes: u64,
    /// As many as the disk gave.
    reserved: u64,
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
        let ended = ended(&past);
        let bytes = file.metadata().map_err(named())?.len();
        let torn = is_torn(&path, bytes).map_err(named())?;
        let mut ledger = Ledger::open(folder, host)?;
        // Whoever wrote the last ones may have been killed in between.
        let last = ledger.last()?;
        let owed: Vec<Event> = past.into_iter().filter(|event| event.number > last).collect();
        let mut left = Vec::new();
        if !owed.is_empty()
            && let Err(error) = ledger.append(&owed)
        {
            if room(folder).is_ok() {
                return Err(error);
            }
            tracing::warn!(%error, "what ended gets into the log when there is room");
            left = owed;
        }
        // A ledger that knows more than the file: the file was put back, and its numbers are not given again.
        let next = next.max(last + 1);
        let mut open = Open { file, next, bytes, reserved: 0, torn, ledger, owed: left };
        open.reserve();
        let told = broadcast::channel(LAG).0;
        Ok(Self { path, waiting: Mutex::default(), open: Mutex::new(open), ended, told })
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
        match done.get().cloned() {
            Some(Ok(event)) => Ok(event),
            Some(Err(failed)) if failed.is_full => {
                Err(Error::Full(format!("{}: {}", self.path.display(), failed.why)))
            }
            Some(Err(failed)) => Err(Error::Log(format!("the events of this node: {}", failed.why))),
            None => Err(Error::Log("the events of this node: nobody wrote it".to_owned())),
        }
    }

    fn write_all(&self, open: &mut Open, waiting: Vec<Waiting>) {
        let (ends, begins): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|one| ENDS.contains(&one.event.what.as_str()));
        for (some, begin) in [(ends, false), (begins, true)] {
            if some.is_empty() {
                continue;
            }
            let events =
                some.iter().zip(open.next..).map(|(one, number)| Event { number, ..one.event.clone() });
            let events: Vec<Event> = events.collect();
            let written = if begin { open.begin(&self.path, &events) } else { open.end(&self.path, &events) };
            for (one, event) in some.into_iter().zip(events) {
                if written.is_ok() {
                    // Nobody may be listening.
                    let _ = self.told.send(event.clone());
                }
                let _ = one.done.set(written.clone().map(|()| event));
            }
        }
    }

    /// Whether the last that this agent found written of a container is that it ended. A start is written before anything of
    /// it begins, so this is exact also where an agent was killed in between.
    pub fn has_ended(&self, group: &str, container: &str) -> bool {
        self.ended.contains(&(group.to_owned(), container.to_owned()))
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
    /// Nothing begins while there is no room, or the ledger lacks something.
    fn begin(&mut self, path: &Path, events: &[Event]) -> Result<(), Failed> {
        room(path)?;
        self.paid()?;
        if self.bytes >= MAX_FILE {
            std::fs::rename(path, path.with_extension("1"))?;
            self.file = opened(path)?;
            (self.bytes, self.reserved) = (0, 0);
        }
        self.lines(events)?;
        self.reserve();
        self.owed = events.to_vec();
        self.paid()
    }

    /// What ends is on disk when this comes back, and in the ledger when there is room.
    fn end(&mut self, path: &Path, events: &[Event]) -> Result<(), Failed> {
        self.lines(events)?;
        self.owed.extend_from_slice(events);
        match self.paid() {
            Err(_) if room(path).is_err() => Ok(()),
            paid => paid,
        }
    }

    fn paid(&mut self) -> Result<(), Failed> {
        self.pay().map_err(|error| Failed { why: error.to_string(), is_full: false })
    }

    /// Has the disk keep room for what ends. File systems that cannot promise any do not.
    fn reserve(&mut self) {
        if self.bytes + RESERVE > self.reserved {
            let flags = FallocateFlags::KEEP_SIZE;
            if rustix::fs::fallocate(&self.file, flags, self.bytes, 2 * RESERVE).is_ok() {
                self.reserved = self.bytes + 2 * RESERVE;
            }
        }
    }

    fn pay(&mut self) -> Result<(), Error> {
        if !self.owed.is_empty() {
            self.ledger.append(&self.owed)?;
            self.owed.clear();
        }
        Ok(())
    }

    fn lines(&mut self, events: &[Event]) -> io::Result<()> {
        let mut text = Vec::new();
        if self.torn {
            text.push(b'\n');
        }
        for event in events {
            serde_json::to_writer(&mut text, event)?;
            text.push(b'\n');
        }
        self.torn = true;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.torn = false;
        self.bytes += text.len() as u64;
        self.next += events.len() as u64;
        Ok(())
    }
}

fn ended(past: &[Event]) -> BTreeSet<(String, String)> {
    let mut ended = BTreeSet::new();
    for event in past {
        let Some(container) = &event.container else { continue };
        let name = (event.group.clone(), container.clone());
        match event.what.as_str() {
            "container.start" => _ = ended.remove(&name),
            "container.end" => _ = ended.insert(name),
            _ => {}
        }
    }
    ended
}

/// Whether the disk that a file lies on has room for what begins.
fn room(path: &Path) -> io::Result<()> {
    let disk = rustix::fs::statvfs(path)?;
    let bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    // Some file systems do not count files.
    let lacks = (bytes < ROOM).then_some((bytes, ROOM, "bytes"));
    let lacks = lacks.or((disk.f_files > 0 && disk.f_favail < ROOM_FILES).then_some((
        disk.f_favail,
        ROOM_FILES,
        "files",
    )));
    match lacks {
        Some((free, needed, what)) => {
            let why = format!("{free} {what} are free on its disk, and {needed} are needed");
            Err(io::Error::new(io::ErrorKind::StorageFull, why))
        }
        None => Ok(()),
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
    fn an_end_that_was_written_is_known_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::open(folder.path(), "node-1").unwrap();
        for (what, container) in [
            ("container.start", "ended"),
            ("container.end", "ended"),
            ("container.failed", "ended"),
            ("container.end", "again"),
            ("container.start", "again"),
        ] {
            events.write(what, "g", Some(container), &[]).unwrap();
        }
        assert!(!events.has_ended("g", "ended"), "it was not there when this one opened it");
        drop(events);
        let next = Events::open(folder.path(), "node-1").unwrap();
        let known = [("g", "ended"), ("g", "again"), ("h", "ended")].map(|(g, c)| next.has_ended(g, c));
        assert_eq!(known, [true, false, false]);
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
