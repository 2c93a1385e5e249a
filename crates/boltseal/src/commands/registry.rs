//! `boltseal registry …`: what a server's registry does by itself, and how it is set.

mod gc;
pub mod immutable;
mod job;
mod jobs;
mod mirror;
mod quota;
pub mod retention;
mod scrub;
mod storage;
pub mod there;
pub mod transfer;
mod trash;
mod upstream;
mod verb;
mod webhook;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    reach::Reach,
};

use self::verb::Verb;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    args.verb.run(&args.reach, global, console)
}
