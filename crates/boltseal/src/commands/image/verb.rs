//! What can be done with images in registries: one file each, and one line here.

use super::{attach, copy, discover, inspect, ls, place::Connection, rm, tag};
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
    /// Copy an image to another registry, repository or folder, byte for byte
    Copy(copy::Args),
    /// Give an image another tag
    Tag(tag::Args),
    /// Remove tags or images
    Rm(rm::Args),
    /// Attach files to an image: an SBOM, a report, a licence
    Attach(attach::Args),
    /// Show what was attached to an image, and to that
    Discover(discover::Args),
}

impl Verb {
    pub fn run(&self, connection: &Connection, global: &Global, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Ls(args) => ls::run(args, connection, global, console),
            Self::Inspect(args) => inspect::run(args, connection, global, console),
            Self::Copy(args) => copy::run(args, connection, global, console),
            Self::Tag(args) => tag::run(args, connection, global, console),
            Self::Rm(args) => rm::run(args, connection, global, console),
            Self::Attach(args) => attach::run(args, connection, global, console),
            Self::Discover(args) => discover::run(args, connection, global, console),
        }
    }
}
