//! `boltseal vex add|show`

mod add;
mod show;

use super::image::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
VEX says which vulnerabilities do harm in a product and which do not, who says so and why. `boltseal scan --vex FILE` \
believes such documents.

Exit codes: 0 done; 1 the registry does not allow it; 2 usage; 3 not found, not logged in, or the registry \
cannot be reached; 4 internal fault")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Say something about a vulnerability in an image or a package, in a new OpenVEX document or one that there is
    Add(add::Args),
    /// Show what a document says, or all that are attached to an image
    Show(show::Args),
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Add(verb) => add::run(verb, &args.connection, global, console),
        Verb::Show(verb) => show::run(verb, &args.connection, global, console),
    }
}
