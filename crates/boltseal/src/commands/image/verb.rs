//! What can be done with images in registries: one file each, and one line here.

use super::{
    aging, attach, base, copy, diff, discover, history, import, inspect, lock, ls, place::Connection, rm,
    tag, trash,
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the repositories of a registry, or the tags of a repository
    Ls(ls::Args),
    /// Show what an image is made of, and what was attached to it
    Inspect(inspect::Args),
    /// Show how an image was built: every step, its layer and its size
    History(history::Args),
    /// Show what differs between two images: packages, vulnerabilities, configuration, files
    Diff(diff::Args),
    /// Tell what of an image comes from its base, and what another base would change
    Base(base::Args),
    /// Copy an image to another registry, repository or folder, byte for byte
    Copy(copy::Args),
    /// Have the server copy an image from another registry
    Import(import::Args),
    /// List images that should be built again: old ones, and those whose base has a newer one
    Aging(aging::Args),
    /// Give an image more tags
    Tag(tag::Args),
    /// Remove tags or images
    Rm(rm::Args),
    /// Lock tags, images or repositories: no changes, no deletion, no pulls
    Lock(lock::Args),
    /// Remove locks
    Unlock(lock::Unlock),
    /// List what is locked in a repository
    Locks(lock::List),
    /// List deleted images that can be brought back
    Trash(trash::Args),
    /// Bring deleted images back
    Undelete(trash::Back),
    /// Attach files to an image: an SBOM, a report, a licence
    Attach(attach::Args),
    /// Show what was attached to an image, and what was attached to that
    Discover(discover::Args),
}

impl Verb {
    pub fn run(&self, connection: &Connection, global: &Global, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Ls(args) => ls::run(args, connection, global, console),
            Self::Inspect(args) => inspect::run(args, connection, global, console),
            Self::History(args) => history::run(args, connection, global, console),
            Self::Diff(args) => diff::run(args, connection, global, console),
            Self::Base(args) => base::run(args, connection, global, console),
            Self::Copy(args) => copy::run(args, connection, global, console),
            Self::Import(args) => import::run(args, global, console),
            Self::Aging(args) => aging::run(args, global, console),
            Self::Tag(args) => tag::run(args, connection, global, console),
            Self::Rm(args) => rm::run(args, connection, global, console),
            Self::Lock(args) => lock::lock(args, connection, global, console),
            Self::Unlock(args) => lock::unlock(args, connection, global, console),
            Self::Locks(args) => lock::list(args, connection, global, console),
            Self::Trash(args) => trash::run(args, connection, global, console),
            Self::Undelete(args) => trash::undelete(args, connection, global, console),
            Self::Attach(args) => attach::run(args, connection, global, console),
            Self::Discover(args) => discover::run(args, connection, global, console),
        }
    }
}
