//! Blobs in content-addressed files or in an object store, facts in SQLite or PostgreSQL, all of it durable before
//! anybody is told so.
//!
//! [`Blobs`] keeps bytes under their digest, exactly once, and takes uploads in pieces that survive a crash.
//! [`Facts`] keeps what changes: repositories, manifests, tags, judgements, documents, and entries of the log. Together they are what the
//! registry serves from and what the dashboard reads.
//!
//! ```no_run
//! # async fn example() -> Result<(), boltseal_store::Error> {
//! use boltseal_store::{Blobs, Facts};
//! let folder = std::path::Path::new("data");
//! let blobs = Blobs::open(folder)?;
//! let digest = blobs.put(b"{}")?;
//! let facts = Facts::open(folder).await?;
//! facts.add_blob("team/app", &digest, 2).await?;
//! assert_eq!(facts.blob("team/app", &digest).await?, Some(2));
//! # Ok(()) }
//! ```
//!
//! Promises:
//!
//! - When a call that changes something returns `Ok`, the change survives `kill -9` and a power cut (`fsync`, SQLite
//!   with `synchronous=FULL`). Calls that run at the same time share one `fsync` (group commit).
//! - Half a change is never visible: a blob appears under its digest only when all its bytes are there and checked; a
//!   manifest, its links, its tag and its pending judgement are one transaction.
//! - The blob folder is laid out as in the OCI image layout (`blobs/sha256/<hex>`), so other tools can read it.
//!
//! - In an object store ([`Blobs::connect`]) keys are random and the facts know which digest is where. What a crash leaves
//!   on its way is found in the facts and removed; an upload goes on at any server that shares both.
//!
//! This crate must not know: HTTP, media types, who is asking, what a verdict means. The files are trusted as much as
//! the process is: who can write them can change what is stored, but not the bytes behind a digest unnoticed, since
//! clients check digests.

mod blobs;
mod error;
mod facts;

pub use blobs::{Blobs, Condition, Content, Disk, Found, Upload, Walk, Writer};
pub use error::Error;
pub use facts::Acknowledged;
pub use facts::{About, BuildStep, DayPulls, KeptManifest, Pulled, Pulls, TagOf, TagPulls};
pub use facts::{Attached, Bearing, Claims, PullSum, Push, Pusher, RepositoryRow, RepositorySort, Verdicts};
pub use facts::{Attempt, Delivery, DeliveryState, NewDelivery, Outgoing};
pub use facts::{
    AttributeOrder, AttributePage, Batch, Checked, Condemned, Counts, Document, Entry, Facts, FixRow,
    Following, Garbage, Hit, ImageDetail, ImageFilter, ImageRow, ImageSort, Job, JobState, Judgement, Kind,
    Lead, Listing, MAX_ENTRY, ManifestAttributes, Material, NewManifest, Outcome, Page, Pending, Progress,
    Pushes, Referrer, ReferrerRow, RepositoryAttributes, Scrub, Severities, State, Stored, StoredManifest,
    TagAttributes, Topic, Totals, VulnerabilityDetail, VulnerabilityFilter, VulnerabilityRow,
    VulnerabilitySort,
};
pub use facts::{
    Attributes, ImmutableRule, Lock, LockChange, Locked, Measure, Quota, QuotaRow, Refusal, Trashed,
    Undeleted, Usage,
};
pub use facts::{
    CHANGES_KEPT, Cause, Change, ChangeFilter, ChangeSums, ImagePlace, LastPull, MAX_CHANGES,
    MAX_PASSED_OVER, PassedOver, Standing,
};
pub use facts::{Credential, CredentialFilter, Having, LeakRow, Observations};
pub use facts::{Dropped, HeldBlob, Home, RepositorySize, Sample, Storage, Unscrubbed};
pub use facts::{MAX_RUNNING, Run, RunAt, RunWith, Used, UsedPackage};
