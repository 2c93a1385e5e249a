//! Facts that change, in SQLite or PostgreSQL: one writer a process with group commit, many readers.

mod about;
mod ages;
mod aging;
mod attached;
mod attributes;
mod bearing;
mod blobs;
mod browse;
mod built;
mod changes;
mod claims;
mod content;
mod credentials;
mod database;
mod documents;
mod entries;
mod files;
mod follow;
mod garbage;
mod jobs;
mod judgements;
mod kept;
mod lead;
mod leases;
mod life;
mod objects;
mod outbox;
mod pending;
mod pulls;
mod pushers;
mod rows;
mod running;
mod scrub;
mod search;
mod sql;
mod storage;
mod uploads;
mod upstreams;
mod views;
mod waiting;
mod writer;

use std::{path::Path, sync::Arc};

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyPool;

use crate::Error;
pub use about::About;
use ages::Ages;
pub use aging::TagOf;
pub use attached::Attached;
pub use attributes::{
    AttributeOrder, AttributePage, ManifestAttributes, RepositoryAttributes, TagAttributes,
};
pub use bearing::{Bearing, Claims};
pub use blobs::Stored;
pub use browse::{PullSum, RepositoryRow, RepositorySort, Verdicts};
pub use built::BuildStep;
pub use changes::{
    Cause, Change, ChangeFilter, ChangeSums, KEPT as CHANGES_KEPT, LastPull, MAX_CHANGES, MAX_PASSED_OVER,
    PassedOver, Place as ImagePlace, Standing,
};
pub use content::{NewManifest, Referrer, StoredManifest};
pub use credentials::{Credential, CredentialFilter, Having, LeakRow, Observations};
use database::{Dialect, Place};
pub use documents::Document;
pub use entries::{Batch, Entry, MAX_ENTRY};
use follow::Follow;
pub use follow::{Following, Topic};
pub use garbage::{Condemned, Dropped, Garbage, Sample};
pub use jobs::{Job, JobState, Progress};
pub use kept::KeptManifest;
pub use lead::Lead;
pub use leases::HeldBlob;
pub use life::{
    Attributes, ImmutableRule, Lock, LockChange, Locked, Measure, Quota, QuotaRow, Refusal, Trashed,
    Undeleted, Usage,
};
pub(crate) use objects::Doomed;
pub use outbox::{Attempt, Delivery, DeliveryState, NewDelivery, Outgoing};
pub use pending::Pending;
pub use pulls::{DayPulls, Pulled, Pulls, TagPulls};
pub use pushers::{Push, Pusher};
pub use rows::{
    Counts, Hit, ImageDetail, ImageFilter, ImageRow, ImageSort, Judgement, Kind, Listing, Material, Outcome,
    Page, ReferrerRow, State, Totals, VulnerabilityDetail, VulnerabilityFilter, VulnerabilityRow,
    VulnerabilitySort,
};
pub use running::{MAX_RUNNING, Run, RunAt, RunWith, Used, UsedPackage};
pub use scrub::{Home, Scrub, Unscrubbed};
pub use storage::{RepositorySize, Storage};
pub use uploads::Acknowledged;
pub use upstreams::Checked;
pub use views::{FixRow, Pushes, Severities};
use writer::Writer;

/// The database of everything but bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Facts {
    readers: AnyPool,
    writer: Writer,
    follow: Follow,
    ages: Arc<Ages>,
}

impl Facts {
    /// Opens `folder/facts.db`, creating and migrating it as needed.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        Self::start(Place::folder(folder)?).await
    }

    /// Connects to a PostgreSQL database that several servers may share, and migrates it as needed:
    /// `postgres://USER@HOST/DATABASE`, with the parameters that libpq knows.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::start(Place::server(url)?).await
    }

    async fn start(place: Place) -> Result<Self, Error> {
        let mut connection = place.connect().await?;
        place.migrate(&mut connection).await?;
        let next = entries::next(&mut connection).await?;
        let readers = place.readers().await?;
        let shared = place.dialect == Dialect::Postgres;
        let address = shared.then(|| place.address().to_string());
        let writer = Writer::start(place, connection, next);
        let follow = match address {
            Some(address) => Follow::start(address, &writer).await?,
            None => Follow::alone(),
        };
        let this = Self { readers, writer, follow, ages: Arc::default() };
        this.remember_clock().await?;
        Ok(this)
    }

    /// Whether other servers may change the same facts.
    pub fn is_shared(&self) -> bool {
        self.follow.is_shared()
    }
}

fn milliseconds(time: Timestamp) -> i64 {
    time.as_millisecond()
}

fn time(what: &'static str, value: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(value).map_err(|e| Error::corrupt(what, &e))
}

fn digest(what: &'static str, text: &str) -> Result<Digest, Error> {
    text.parse().map_err(|e| Error::corrupt(what, &e))
}

/// A count or size; never negative in what we write.
fn count(what: &'static str, value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|e| Error::corrupt(what, &e))
}

/// The other way; sizes are limited far below `i64::MAX`.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
