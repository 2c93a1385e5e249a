//! The log of a data folder, only read: a server may be running on it.

use std::path::Path;

use boltseal_audit::log::Verifier;
use boltseal_server::recorder::Outside;
use boltseal_store::{Batch, Pending};
use tokio::runtime::Runtime;

use crate::exit::Failure;

/// Batches that are read at once.
const BATCHES: u64 = 10_000;

/// A log, and what waits to be taken over into it.
pub struct LogFolder {
    /// The sealed part.
    pub log: Outside,
    pending: Option<(Runtime, Pending)>,
}

impl LogFolder {
    /// The log in the data folder `data`, of which `anchors` remembers something.
    pub fn open(data: &Path, anchors: &Path, key: Option<Verifier>) -> Result<Self, Failure> {
        let log = Outside::open(data, anchors, key).map_err(Failure::undecided)?;
        let log = log.ok_or_else(|| {
            Failure::undecided(format_args!("no audit log in {}", data.display()))
                .next("name the data folder with --data DIR, or log in to a server with `boltseal login`")
        })?;
        Ok(Self { log, pending: pending(data)? })
    }

    /// The number of the next entry, as the facts know it; `None` for a log without facts, such as a copy.
    pub fn next(&self) -> Result<Option<u64>, Failure> {
        self.pending
            .as_ref()
            .map(|(runtime, pending)| runtime.block_on(pending.next()).map_err(Failure::undecided))
            .transpose()
    }

    /// The first entries that are in the facts and not below `from`; in order, without a gap.
    pub fn batches(&self, from: u64) -> Result<Vec<Batch>, Failure> {
        match &self.pending {
            Some((runtime, pending)) => {
                runtime.block_on(pending.batches(from, BATCHES)).map_err(Failure::undecided)
            }
            None => Ok(Vec::new()),
        }
    }

    /// The first entry that the facts still have.
    pub fn first_pending(&self) -> Result<Option<u64>, Failure> {
        Ok(self.batches(0)?.first().map(|batch| batch.first))
    }
}

fn pending(data: &Path) -> Result<Option<(Runtime, Pending)>, Failure> {
    if !data.join("facts.db").exists() {
        return Ok(None);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::fault)?;
    let within = runtime.enter();
    let pending = Pending::open(data).map_err(Failure::undecided)?;
    drop(within);
    Ok(Some((runtime, pending)))
}
