//! Sources of vulnerability data: their formats, how they get onto this machine, and what they say.
//!
//! ```
//! use boltseal_feed::{Silent, import, read_all};
//! # use boltseal_feed::{Error, Sink};
//! # use boltseal_model::{Advisory, Enrichment, FeedInfo, Timestamp};
//! #[derive(Default)]
//! struct Seen(Vec<String>);
//! impl Sink for Seen {
//!     fn advisory(&mut self, advisory: Advisory) { self.0.push(advisory.id); }
//!     fn enrichment(&mut self, _: Enrichment) {}
//!     fn feed(&mut self, _: FeedInfo) {}
//!     fn rejected(&mut self, _: &str, _: &str) {}
//! }
//! # fn main() -> Result<(), Error> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let (raw, list) = (folder.path().join("raw"), folder.path().join("list"));
//! std::fs::write(&list, "[29 Mar 2023] DSA-5380-1 xorg-server - security update\n\
//!     \t{CVE-2023-1393}\n\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6\n").unwrap();
//! let report = import(&raw, &[list], Timestamp::UNIX_EPOCH, &Silent)?;   // checks and keeps a copy below `raw`
//! assert!(report.failed.is_empty());
//! let mut seen = Seen::default();
//! read_all(&raw, &mut seen)?;                                            // any number of times, offline
//! assert_eq!(seen.0, ["CVE-2023-1393"]);
//! # Ok(()) }
//! ```
//!
//! The types: a [`Format`] turns one [`Document`] into [`Advisory`] and [`Enrichment`] values for a [`Sink`] and
//! answers with a [`Tally`]; every format there is stands in [`ALL`]. [`import`] takes files people have, [`update`]
//! fetches the public [`SOURCES`]; both keep the raw data in the same folder, where [`list`] finds a [`Stored`] for
//! each feed and [`read_all`] reads them again. So a snapshot can always be rebuilt from what publishers said.
//!
//! Nothing is dropped in silence: records of ecosystems we cannot match yet are counted per ecosystem, withdrawn
//! ones are counted, records that make no sense are handed to [`Sink::rejected`], and a file that is broken as a
//! whole is an [`Error`] naming it, which leaves the older data of that feed as it was.
//!
//! This crate must not know: the layout of snapshots, images, packages that are installed, the clock.
//!
//! Memory stays bounded whatever the feed: one record, or one document of a format that is small by nature, is held
//! at a time. The limits stand in [`limits`], each with its reason.

use boltseal_model::{Advisory, Enrichment, FeedInfo};

mod container;
mod error;
mod format;
mod import;
pub mod limits;
mod rpm;
mod store;
mod update;
mod xml;

pub use error::Error;
pub use format::{ALL, Bundle, Document, Format, Tally, by_id};
pub use import::{Imported, Report, import};
pub use store::{Part, Stored, list, read_all, remove};
pub use update::{Fetched, Outcome, SOURCES, Source, Update, update};

/// Where what a feed says goes, record by record.
pub trait Sink {
    /// One vulnerability record. The same id may come again, from this feed or another.
    fn advisory(&mut self, advisory: Advisory);
    /// What a feed adds to a CVE that others describe.
    fn enrichment(&mut self, enrichment: Enrichment);
    /// A feed is complete: everything since the previous call belongs to it.
    fn feed(&mut self, feed: FeedInfo);
    /// The record `what` was left out, because of `why`.
    fn rejected(&mut self, what: &str, why: &str);
}

/// Told how long jobs proceed, for progress bars.
pub trait Progress {
    /// Work on `what` begins; it has `total` bytes if that is known.
    fn begin(&self, what: &str, total: Option<u64>) {
        let _ = (what, total);
    }
    /// So many bytes of it are done.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }
    /// It is over, well or not.
    fn end(&self, what: &str) {
        let _ = what;
    }
}

/// Progress that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Reads `bytes` as [`import`] would read a file called `name`, without keeping anything: what each document in it
/// holds. Documents of no known format are left out.
pub fn read_bytes(name: &str, bytes: &[u8], sink: &mut dyn Sink) -> Result<Vec<Tally>, Error> {
    let mut tallies = Vec::new();
    container::documents_in(name, bytes, &mut |found| {
        if let Some(format) = ALL.iter().find(|format| format.recognises(&found.name, found.head)) {
            let mut document = Document { name: &found.name, input: found.input };
            tallies.push(format.read(&mut document, format.id(), sink)?);
        }
        Ok(())
    })?;
    Ok(tallies)
}
