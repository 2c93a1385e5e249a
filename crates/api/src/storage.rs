//! What is stored: how much, what of it is garbage, what of it is damaged; and the work that goes on with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Work that takes a while. `GET /api/v1/jobs?kind=&limit=` lists it, newest first; `GET /api/v1/jobs/{id}` is one, and
/// `DELETE /api/v1/jobs/{id}` stops it: answered 204, and it ends at the next place where it can go on later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Unique.
    pub id: String,
    /// What kind of work: `collect`, `scrub`, and others.
    pub kind: String,
    /// What it is about; depends on the kind.
    pub spec: serde_json::Value,
    /// Who asked: a principal's name, or `schedule`.
    pub by: String,
    /// `waiting`, `running`, `stopping`, `done`, `failed` or `stopped`.
    pub state: String,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Units done; bytes for `collect` and `scrub`.
    pub done: u64,
    /// Units to do, as far as known; 0 is unknown.
    pub total: u64,
    /// Seconds until it is done, if it goes on as it did so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// What is going on, or what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Job {
    /// Nothing more will happen.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed" | "stopped")
    }
}

/// `POST /api/v1/garbage/collections`, answered 202 with the [`Job`]; one that is the same and not over is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewCollection {
    /// Removes nothing: says what would go.
    pub dry_run: bool,
    /// Seconds since somebody last needed a thing before it goes; absent, as set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<u64>,
    /// Looks through all files for those that nothing in the database names.
    pub deep: bool,
}

/// `POST /api/v1/scrubs`, answered 202 with the [`Job`]: reads stored bytes again and holds them against their digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewScrub {
    /// What was read within so many days is passed over; absent, as set; 0 reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Bytes read in a second; absent, as set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
}

/// `GET` and `PUT /api/v1/garbage/settings`: when garbage is collected and stored bytes are read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GarbageSettings {
    /// Seconds since somebody last needed a thing before it goes.
    pub grace: u64,
    /// Seconds between two collections, where there is garbage; 0 collects only when told.
    pub every: u64,
    /// Seconds between two looks through all files; 0 looks only when told.
    pub deep_every: u64,
    /// Days in which everything is read again; 0 reads only when told.
    pub scrub_days: u32,
    /// Bytes that reading again takes in a second.
    pub scrub_rate: u64,
}

impl GarbageSettings {
    /// The kind of the document that holds it.
    pub const KIND: &str = "registry.garbage";
    /// Its id: there is one.
    pub const ID: &str = "main";
    /// The slowest that reading again may be told to be, bytes a second: slower never ends.
    pub const MIN_RATE: u64 = 64 << 10;
}

impl Default for GarbageSettings {
    fn default() -> Self {
        Self { grace: 3600, every: 3600, deep_every: 86_400, scrub_days: 30, scrub_rate: 20_000_000 }
    }
}

/// `GET /api/v1/garbage`: what would go now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garbage {
    /// When garbage is collected.
    pub settings: GarbageSettings,
    /// Distinct contents that would go.
    pub contents: u64,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Blobs in repositories that no manifest points to.
    pub unlinked: u64,
    /// The largest of what would go.
    pub largest: Vec<Content>,
    /// Repositories with the most bytes that no manifest points to.
    pub repositories: Vec<RepositorySize>,
    /// The last collection, or the one that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Job>,
}

/// Contents and their size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Of the bytes.
    pub digest: String,
    /// How many they are.
    pub bytes: u64,
}

/// A repository and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositorySize {
    /// Its name.
    pub name: String,
    /// How many things.
    pub contents: u64,
    /// Their bytes, shared with other repositories or not.
    pub bytes: u64,
}

/// `GET /api/v1/storage?top=N`: how much is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// Distinct blobs and manifests.
    pub contents: u64,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Bytes as all repositories together count them.
    pub referenced: u64,
    /// How many times the bytes on disk the repositories count: 2 means that half is saved.
    pub dedupe_ratio: f64,
    /// How many repositories there are.
    pub repositories: u64,
    /// The largest of them.
    pub largest: Vec<RepositorySize>,
    /// Bytes that the next collection frees.
    pub garbage_bytes: u64,
    /// Contents that are not what their digest says, and are not served until somebody pushes them again.
    pub rotten: Vec<Rotten>,
    /// How many those are; the list may be shorter.
    pub rotten_count: u64,
    /// Bytes free on the disk of the data folder, where this server has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free: Option<u64>,
    /// Bytes of that disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_size: Option<u64>,
}

/// How full the disk of the data folder is, as the registry wrote it down last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Bytes that may still be written.
    pub free: u64,
    /// Bytes of the disk.
    pub size: u64,
}

impl Disk {
    /// The setting that holds it.
    pub const SETTING: &str = "storage.disk";
}

/// Contents that are not what their digest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotten {
    /// What they should be.
    pub digest: String,
    /// How many bytes they should be.
    pub bytes: u64,
    /// When that was found.
    pub found: Timestamp,
    /// What is wrong.
    pub why: String,
    /// Repositories that have them, a few of them.
    pub repositories: Vec<String>,
}
