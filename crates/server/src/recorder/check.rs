//! What is held against what before the log is used.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use boltseal_api::audit::Verified;
use boltseal_audit::{
    Record,
    log::{Anchor, Log, Reader, Signer, Storage, Verifier, verify},
    record::{Activity, Actor, Outcome, Severity, Source, Subject, Why},
};
use boltseal_model::Timestamp;
use boltseal_store::Facts;

use super::{Config, Error, Place};

/// The log's folder in the data folder.
pub(super) const FOLDER: &str = "audit";
/// Entries that are verified before anything is served: they take a blink. Longer logs are verified while serving.
const AT_ONCE: u64 = 50_000;

/// What the facts know of the log.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The first entry that they still have.
    pub(super) first: Option<u64>,
    /// The number of the next entry.
    pub(super) next: u64,
    /// The first entry that was not archived.
    pub(super) archived: u64,
}

/// A log that may be used.
pub(super) struct Opened {
    pub(super) log: Log<Place>,
    pub(super) anchor: PathBuf,
    pub(super) verified: Verified,
    /// What was not as it must be, and was accepted.
    pub(super) restored: Option<Restored>,
}

/// An older state that somebody goes on from.
pub(super) struct Restored {
    /// In words.
    what: String,
    /// Entries in the log as it was found.
    pub(super) size: u64,
}

pub(super) fn open(config: &Config, facts: &Facts, known: Known) -> Result<Opened, Error> {
    let folder = config.data.join(FOLDER);
    let key = config.keys.join("audit");
    let storage = Place::open(&folder, facts).map_err(|wrong| Error::file(&folder, wrong))?;
    let signer = match Signer::read(&key)? {
        Some(signer) => signer,
        None if known.next > 0 || !is_empty(&storage)? => return Err(Error::NoKey { path: key }),
        None => Signer::make(&key, &config.origin)?,
    };
    let log = Log::open(storage, signer)?;
    let (size, accepted) = (log.size(), config.accept_restored.is_some());

    let mut what = None;
    if known.first.is_some_and(|first| first > size) || (known.first.is_none() && known.next > size) {
        return Err(Error::OldLog { log: size, facts: known.first.unwrap_or(known.next) });
    }
    if known.next < size {
        let old = Error::OldFacts { log: size, facts: known.next };
        if !accepted {
            return Err(old);
        }
        what = Some(format!("facts.db knew of {} entries only", known.next));
    }
    let anchor = anchor(&config.anchors, log.signer().verifier());
    if let Some(seen) = read_anchor(&anchor, &log)?
        && let Err(source) = seen.check(&log.reader())
    {
        if !accepted {
            return Err(Error::Rollback { anchor, source });
        }
        what = Some(source.to_string());
    }
    let verified = if size <= AT_ONCE {
        whole(&log.reader().archived(known.archived), &mut |_| {}).map_err(Error::Broken)?
    } else {
        Verified::Running { checked: 0 }
    };
    let restored = what.map(|what| Restored { what, size });
    Ok(Opened { log, anchor, verified, restored })
}

/// Where the anchor of the log with this key is.
pub(super) fn anchor(anchors: &Path, key: &Verifier) -> PathBuf {
    anchors.join(format!("{}.checkpoint", hex::encode(fingerprint(&key.to_string()))))
}

/// Verifies from the first entry. What is wrong comes back in words.
pub(super) fn whole<S: Storage>(
    reader: &Reader<S>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, String> {
    let verified = verify(reader, None, progress).map_err(|broken| broken.to_string())?;
    let checked = verified.checkpoint.checkpoint().size;
    Ok(Verified::Good { checked, at: Timestamp::now() })
}

/// The record of an older state that was accepted: it alerts.
pub(super) fn accepted(restored: &Restored, reason: Option<&str>) -> Vec<u8> {
    Record::new(Timestamp::now(), Activity::Other, "Boltseal/audit/restore/action")
        .actor(Actor::system())
        .source(Source::local())
        .subject(Subject::new("/audit"))
        .outcome(Outcome::Success)
        .status(format!(
            "the log goes on from a restored state with {} entries: {}",
            restored.size, restored.what
        ))
        .why(Why::rule(reason.unwrap_or("--accept-restored-log")))
        .severity(Severity::Critical)
        .alert()
        .entry()
}

fn is_empty(storage: &Place) -> Result<bool, Error> {
    let path = boltseal_audit::log::CHECKPOINT;
    let found = storage.read(path).map_err(|source| {
        Error::Log(boltseal_audit::log::Error::Storage { path: path.to_owned(), source })
    })?;
    Ok(found.is_none())
}

fn read_anchor(path: &Path, log: &Log<Place>) -> Result<Option<Anchor>, Error> {
    match fs::read(path) {
        Ok(bytes) => {
            let anchor = Anchor::open(&bytes, log.signer().verifier());
            anchor.map(Some).map_err(|wrong| Error::Broken(format!("{}: {wrong}", path.display())))
        }
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(wrong) => Err(Error::file(path, wrong)),
    }
}

/// Names the log's key, so that servers of one user do not share an anchor.
fn fingerprint(key: &str) -> [u8; 8] {
    let mut short = [0; 8];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
    for (to, from) in short.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    short
}
