//! `boltseal image …`: images in registries, ours and others.

mod aging;
mod attach;
mod base;
mod copy;
mod diff;
mod discover;
mod history;
mod import;
mod inspect;
mod lock;
mod ls;
pub mod place;
mod rm;
mod tag;
mod trash;
mod verb;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

use self::{place::Connection, verb::Verb};

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signs in as --username, if given; otherwise as at the last `boltseal login` to that registry; otherwise as at the \
last `docker login` or `podman login`.

Exit codes: 0 done; 1 the registry does not allow it; 2 usage; 3 not found, not logged in, or the registry \
cannot be reached; 4 internal fault")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: Connection,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    args.verb.run(&args.connection, global, console)
}
