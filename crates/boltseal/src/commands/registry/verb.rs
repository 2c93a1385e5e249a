//! What can be done, one file each.

use super::{immutable, mirror, quota, trash, upstream};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    reach::Reach,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Repositories here that are a cache of another registry
    Upstream(upstream::Args),
    /// Repositories of another registry that are copied here again and again
    Mirror(mirror::Args),
    /// Tags that neither move nor go
    Immutable(immutable::Args),
    /// How much may be stored where
    Quota(quota::Args),
    /// For how long deleted images can be taken back
    Trash(trash::Args),
}

impl Verb {
    pub(super) fn run(&self, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Upstream(args) => upstream::run(args, reach, global, console),
            Self::Mirror(args) => mirror::run(args, reach, global, console),
            Self::Immutable(args) => immutable::run(args, reach, global, console),
            Self::Quota(args) => quota::run(args, reach, global, console),
            Self::Trash(args) => trash::run(args, reach, global, console),
        }
    }
}
