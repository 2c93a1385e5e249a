//! All advisories of all feeds as one immutable file, opened by mapping it.

use std::io::{Seek, Write};

use boltseal_model::{Advisory, Cvss, Enrichment, Epss, FeedInfo, Kev, SnapshotInfo, Timestamp};

use crate::Error;

/// Collects advisories in any order and writes them as a snapshot.
pub struct Builder {}

impl Builder {
    /// With long texts waiting in the system's temporary folder.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// With long texts waiting in an unnamed file in `folder`, where the system's temporary folder is memory.
    pub fn in_folder(folder: &std::path::Path) -> Result<Self, Error> {
        let _ = folder;
        Ok(Self {})
    }

    /// Adds a record. A second one with the same id and feed replaces the first if it was modified later,
    /// and otherwise adds to it.
    pub fn advisory(&mut self, advisory: Advisory) -> Result<(), Error> {
        let _ = advisory;
        Ok(())
    }

    /// Adds what KEV or EPSS know about a CVE.
    pub fn enrichment(&mut self, enrichment: Enrichment) {
        let _ = enrichment;
    }

    /// Adds a source. Advisories name it in [`Advisory::feed`].
    pub fn feed(&mut self, feed: FeedInfo) {
        let _ = feed;
    }

    /// Writes the file. The same content gives the same bytes, whatever order it was added in.
    pub fn finish(self, built: Timestamp, out: &mut (impl Write + Seek)) -> Result<SnapshotInfo, Error> {
        let _ = out;
        Ok(SnapshotInfo { id: String::new(), built, feeds: Vec::new() })
    }
}

/// An open snapshot.
pub struct Snapshot {
    info: SnapshotInfo,
}

/// Everything the feeds say about one vulnerability.
#[derive(Clone, Debug, PartialEq)]
pub struct Vulnerability {
    /// The CVE where there is one.
    pub id: String,
    /// Every other id, sorted.
    pub aliases: Vec<String>,
    /// Every vector known.
    pub cvss: Vec<Cvss>,
    /// Present when it is known to be exploited.
    pub kev: Option<Kev>,
    /// Present when FIRST predicts its exploitation.
    pub epss: Option<Epss>,
    /// One record of each feed that knows it.
    pub advisories: Vec<Advisory>,
}

impl Snapshot {
    /// Opens `bytes`, mostly a `boltseal_sys::Map`, in microseconds: header and bounds are checked, content is not.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, Error> {
        let _ = bytes;
        Err(Error::NotASnapshot("empty"))
    }

    /// Opens `bytes` and computes every hash of it: once, before a file is installed.
    pub fn verify(&self) -> Result<(), Error> {
        Ok(())
    }

    /// What it was made of.
    pub const fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// The record that a feed calls `id`, for output. Where several feeds do, the one that matching prefers.
    pub fn advisory(&self, id: &str) -> Result<Option<Advisory>, Error> {
        let _ = id;
        Ok(None)
    }

    /// Everything about the vulnerability that has `id` among its ids.
    pub fn vulnerability(&self, id: &str) -> Result<Option<Vulnerability>, Error> {
        let _ = id;
        Ok(None)
    }
}
