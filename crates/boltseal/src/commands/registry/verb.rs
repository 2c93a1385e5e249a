//! What can be done, one file each.

use super::{gc, immutable, jobs, mirror, quota, retention, scrub, storage, trash, upstream, webhook};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    reach::Reach,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Pull-through caches of other registries
    Upstream(upstream::Args),
    /// Copies of repositories of other registries, kept up to date by a schedule
    Mirror(mirror::Args),
    /// Rules about tags that cannot be moved or deleted
    Immutable(immutable::Args),
    /// Limits on how much may be stored
    Quota(quota::Args),
    /// Show or set for how long deleted images can be brought back
    Trash(trash::Args),
    /// Rules about which images are kept and which are deleted
    Retention(retention::Args),
    /// Tell other systems what happens to images
    Webhook(webhook::Args),
    /// How much is stored, for whom, and what of it is garbage or damaged
    Storage(storage::Args),
    /// Collect garbage now, or show what would go
    Gc(gc::Args),
    /// Read stored bytes again and compare them with their digests
    Scrub(scrub::Args),
    /// List background work, or stop it
    Jobs(jobs::Args),
}

impl Verb {
    pub(super) fn run(&self, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Upstream(args) => upstream::run(args, reach, global, console),
            Self::Mirror(args) => mirror::run(args, reach, global, console),
            Self::Immutable(args) => immutable::run(args, reach, global, console),
            Self::Quota(args) => quota::run(args, reach, global, console),
            Self::Trash(args) => trash::run(args, reach, global, console),
            Self::Retention(args) => retention::run(args, reach, global, console),
            Self::Webhook(args) => webhook::run(args, reach, global, console),
            Self::Storage(args) => storage::run(args, reach, global, console),
            Self::Gc(args) => gc::run(args, reach, global, console),
            Self::Scrub(args) => scrub::run(args, reach, global, console),
            Self::Jobs(args) => jobs::run(args, reach, global, console),
        }
    }
}
