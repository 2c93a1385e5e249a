//! How an image is made: who it runs as, which files it should not have, what its build left behind.
//!
//! One file a check, one line in [`ALL`]. A check looks at [`Facts`] and answers with what it found; why it matters and
//! what to do stands in its [`Check`].
//!
//! | source | what comes from it |
//! |---|---|
//! | CIS Docker Benchmark 1.6, section 4 | 4.1 user, 4.6 health check, 4.7 update alone, 4.8 setuid files, 4.9 `ADD` |
//! | Dockerfile best practices (Docker documentation) | package caches, `latest` |

mod add_url;
mod healthcheck;
mod package_cache;
mod root_user;
mod setuid_files;
mod ssh_server;
mod unpinned_base;
mod update_alone;
mod world_writable;

use boltseal_model::{Config, Digest, Misconfiguration, Package, Severity};

/// A check of how an image is made.
#[derive(Debug)]
pub struct Check {
    /// `root-user`
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters, in a sentence.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the demand comes from.
    pub source: &'static str,
    /// Looks.
    pub look: fn(&Facts<'_>) -> Vec<Found>,
}

/// Every check, by id.
pub const ALL: &[Check] = &[
    add_url::CHECK,
    healthcheck::CHECK,
    package_cache::CHECK,
    root_user::CHECK,
    setuid_files::CHECK,
    ssh_server::CHECK,
    unpinned_base::CHECK,
    update_alone::CHECK,
    world_writable::CHECK,
];

/// What is known of an image.
#[derive(Debug)]
pub struct Facts<'a> {
    /// How it says it wants to run.
    pub config: &'a Config,
    /// Its build steps, first one first, as far as they are told.
    pub steps: Vec<&'a str>,
    /// What is installed.
    pub packages: &'a [Package],
    /// Files that are there and have unusual permissions.
    pub files: Vec<FoundFile<'a>>,
    /// What package managers left behind: name of the cache, bytes in all layers.
    pub caches: Vec<(&'static str, u64)>,
}

/// A file with unusual permissions.
#[derive(Debug)]
pub struct FoundFile<'a> {
    /// Clean, without leading slash.
    pub path: &'a str,
    /// Permission bits and setuid, setgid, sticky.
    pub mode: u32,
    /// The layer that brought it.
    pub layer: Option<&'a Digest>,
    /// The operating system package that brought it.
    pub owner: Option<&'a str>,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// In a sentence without a full stop.
    pub what: String,
    /// The layer, where it is one.
    pub layer: Option<Digest>,
}

impl Found {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), layer: None }
    }
}

/// Runs all checks; the worst come first.
pub fn run(facts: &Facts<'_>) -> Vec<Misconfiguration> {
    let of = |check: &'static Check| (check.look)(facts).into_iter().map(move |found| said(check, found));
    let mut all: Vec<Misconfiguration> = ALL.iter().flat_map(of).collect();
    all.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    all
}

fn said(check: &Check, found: Found) -> Misconfiguration {
    Misconfiguration {
        check: check.id.to_owned(),
        severity: check.severity,
        title: check.title.to_owned(),
        found: found.what,
        fix: check.fix.to_owned(),
        layer: found.layer,
    }
}

/// Which folder of a package manager's leftovers `path` lies in.
pub fn cache(path: &str) -> Option<&'static str> {
    package_cache::of(path)
}

/// The first few of `names`, and how many there are besides.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{shown} and {more} more"),
        None => shown,
    }
}
