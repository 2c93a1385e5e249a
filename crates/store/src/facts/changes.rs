//! What changed about findings: which came to an image after its first judgement, which went, which grew worse.
//!
//! ```text
//! judged anew ──compare──▶ what differs ─┬▶ hits             what is there, and since when
//!   (one transaction)                    └▶ finding_changes  what is news, numbered, until it is old
//! ```
//!
//! A finding is known by vulnerability, package URL and place; the digest of its image is known anyway. So an image that
//! is judged again costs a comparison, and writes the rows that differ. Changes are numbered in the order of commits, also
//! over several servers: whoever tells of them reads on from the last number it knows, and forgets none.
//!
//! What an image has at its first judgement with vulnerability data is no news to whoever pushed it. It has a `since`.
//!
//! Limits: changes are kept [`KEPT`] long, and [`MAX_CHANGES`] of them at most; what is still there keeps its `since` for
//! as long as the image is there. A finding that comes back after its going was forgotten is new again.

mod compare;
mod notified;
mod read;
mod write;

use std::time::Duration;

use boltseal_model::{Digest, Severity, Timestamp};
use serde::Serialize;

use super::{Facts, sql::Query};
use crate::Error;

pub use notified::{MAX_PASSED_OVER, PassedOver};
pub use read::{ChangeFilter, ChangeSums, LastPull, Place};
pub(super) use write::{Basis, Numbers, write_findings};

/// How long changes are kept.
pub const KEPT: Duration = Duration::from_hours(24 * 90);
/// Changes that are kept at most, the newest: some hundred megabytes.
pub const MAX_CHANGES: u64 = 1_000_000;
/// Changes forgotten in one transaction: other writers wait for it.
const FORGOTTEN: i64 = 20_000;

/// Why something about a finding is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// It was there when the image was judged for the first time. Never news.
    Push,
    /// New vulnerability data says so.
    Feed,
    /// The same data, but the scanner sees more than it did.
    Scanner,
    /// It had gone, and is there again.
    Returned,
    /// It is known to be exploited, and was not.
    Exploited,
    /// It is more severe than it was.
    Worse,
    /// Its EPSS score has reached another tenth.
    Likely,
    /// There is a fix, and was none.
    Fixable,
    /// It is not there any more.
    Gone,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Push,
        Self::Feed,
        Self::Scanner,
        Self::Returned,
        Self::Exploited,
        Self::Worse,
        Self::Likely,
        Self::Fixable,
        Self::Gone,
    ];
    /// Those that make an image newly vulnerable, or more so than it was.
    pub const NEWS: [Self; 6] =
        [Self::Feed, Self::Scanner, Self::Returned, Self::Exploited, Self::Worse, Self::Likely];

    /// As stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Feed => "feed",
            Self::Scanner => "scanner",
            Self::Returned => "returned",
            Self::Exploited => "exploited",
            Self::Worse => "worse",
            Self::Likely => "likely",
            Self::Fixable => "fixable",
            Self::Gone => "gone",
        }
    }

    /// The cause that a word names.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }

    fn read(word: &str) -> Result<Self, Error> {
        Self::of_word(word).ok_or_else(|| Error::corrupt("finding_changes.cause", word))
    }
}

/// How bad a finding is, as far as that changes without the image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// As the feeds have it.
    pub severity: Severity,
    /// First version without the vulnerability.
    pub fixed: Option<String>,
    /// Known exploited.
    pub kev: bool,
    /// FIRST's probability.
    pub epss: Option<f64>,
}

/// Something that changed about a finding of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// In the order of commits, from 1.
    pub number: u64,
    /// When it was noticed.
    pub at: Timestamp,
    /// What it is.
    pub cause: Cause,
    /// The image.
    pub image: Digest,
    /// As in [`boltseal_model::Finding::id`].
    pub vulnerability: String,
    /// One line about it.
    pub title: String,
    /// Installed package.
    pub package: String,
    /// Its package URL.
    pub purl: String,
    /// The file that says it is installed.
    pub path: String,
    /// Its version.
    pub installed: String,
    /// When this server first saw the finding on this image; absent where that was before this was kept.
    pub since: Option<Timestamp>,
    /// How it is from then on; for one that has gone, how it was last.
    pub now: Standing,
    /// How it was before; absent where it was not there.
    pub before: Option<Standing>,
    /// The vulnerability data it is from.
    pub snapshot: Option<String>,
}

impl Facts {
    /// Forgets changes that are older than `before`, and the oldest of those above [`MAX_CHANGES`]. True when there may
    /// be more.
    pub async fn forget_changes(&self, before: Timestamp) -> Result<bool, Error> {
        self.forget_changes_but(before, MAX_CHANGES).await
    }

    /// The same with another number to keep.
    pub async fn forget_changes_but(&self, before: Timestamp, keep: u64) -> Result<bool, Error> {
        let (before, keep) = (super::milliseconds(before), super::signed(keep));
        let old = move || {
            let mut query = Query::new("SELECT number FROM finding_changes WHERE at < ");
            query.push_bind(before).push(" OR number <= (SELECT MAX(number) FROM finding_changes) - ");
            query.push_bind(keep).push(" ORDER BY number LIMIT ").push_bind(FORGOTTEN);
            query
        };
        let Some(_something) = old().scalar::<i64>().fetch_optional(&self.readers).await? else {
            return Ok(false);
        };
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let numbers: Vec<i64> = old().scalar::<i64>().fetch_all(&mut *db).await?;
                    // They are old from the first to the last, as numbers and times go together.
                    let Some(last) = numbers.last() else { return Ok(false) };
                    sqlx::query("DELETE FROM finding_changes WHERE number <= $1")
                        .bind(last)
                        .execute(db)
                        .await?;
                    Ok(numbers.len() as u64 >= FORGOTTEN.unsigned_abs())
                })
            })
            .await
    }
}
