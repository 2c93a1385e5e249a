//! The node's own tamper-evident log: every event as a record, in a tree whose head is signed by a key of this node.
//!
//! It lies in the agent's folder as a server's log lies in a server's, so `boltseal audit --data …/agent` shows, verifies and
//! proves it. Root of this node can make another history of it, as of any log whose key it holds: what tells is the server,
//! which has the same records ([`super::forward`]), or a checkpoint kept elsewhere.

use std::path::Path;

use boltseal_api::groups::Event;
use boltseal_audit::{
    Record, ingest,
    log::{Folder, Log, Signer},
};
use serde_json::Value;

use super::Error;

/// Events that are read as records at once: an old file may have more than one batch may have.
const AT_ONCE: usize = 100;

/// The log, to add to.
#[derive(Debug)]
pub struct Ledger {
    log: Log<Folder>,
    host: String,
}

impl Ledger {
    /// In a folder; made where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is not what was signed, or its key is gone.
    pub fn open(folder: &Path, host: &str) -> Result<Self, Error> {
        let place = folder.join("audit");
        let wrong = |error: &dyn std::fmt::Display| Error::Log(format!("{}: {error}", place.display()));
        let key = folder.join("keys").join("audit");
        let is_new = !place.join(boltseal_audit::log::CHECKPOINT).exists();
        let signer = match Signer::read(&key).map_err(|error| wrong(&error))? {
            Some(signer) => signer,
            None if is_new => Signer::make(&key, &format!("{host}/node")).map_err(|error| wrong(&error))?,
            None => {
                return Err(wrong(&format_args!(
                    "there are entries, but the key {} is missing",
                    key.display()
                )));
            }
        };
        let storage = Folder::open(&place).map_err(|error| wrong(&error))?;
        let log = Log::open(storage, signer).map_err(|error| wrong(&error))?;
        Ok(Self { log, host: host.to_owned() })
    }

    /// The number of the last event in it; nought where there is none.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn last(&self) -> Result<u64, Error> {
        let size = self.log.size();
        let Some(index) = size.checked_sub(1) else { return Ok(0) };
        let entry = self.log.reader().entry(index, size).map_err(|error| Error::Log(error.to_string()))?;
        let record = Record::parse(&entry).map_err(|error| Error::Log(error.to_string()))?;
        Ok(record.detail.get("event").and_then(Value::as_u64).unwrap_or_default())
    }

    /// Adds them; they are on disk, under a signed head, when this comes back.
    ///
    /// # Errors
    /// Where they cannot be written: then none of them is in it.
    pub fn append(&mut self, events: &[Event]) -> Result<(), Error> {
        let failed = |error: boltseal_audit::log::Error| Error::Log(error.to_string());
        match self.log.append(&self.entries(events)?) {
            Err(boltseal_audit::log::Error::Stopped) => {
                // An earlier write failed: what is on disk says whether all of it came there, or nothing.
                self.log.reopen().map_err(failed)?;
                let last = self.last()?;
                let lacks: Vec<Event> = events.iter().filter(|event| event.number > last).cloned().collect();
                self.log.append(&self.entries(&lacks)?).map(drop).map_err(failed)
            }
            done => done.map(drop).map_err(failed),
        }
    }

    fn entries(&self, events: &[Event]) -> Result<Vec<Vec<u8>>, Error> {
        let mut entries = Vec::with_capacity(events.len());
        for some in events.chunks(AT_ONCE) {
            let mut text = Vec::new();
            for event in some {
                serde_json::to_writer(&mut text, event).map_err(|error| Error::Log(error.to_string()))?;
            }
            let records = ingest::node(&text, &self.host).map_err(|error| Error::Log(error.to_string()))?;
            entries.extend(records.into_iter().map(|one| one.record.entry()));
        }
        Ok(entries)
    }
}
