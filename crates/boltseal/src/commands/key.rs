//! `boltseal key`

mod generate;
mod public;

use clap::Subcommand;

use crate::{
    console::Console,
    exit::{Exit, Failure},
};

/// What to do with keys.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key under a password, in cosign's form
    Generate(generate::Args),
    /// Print the public half of a key
    Public(public::Args),
}

/// Does it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    match &args.what {
        What::Generate(args) => generate::run(args, console),
        What::Public(args) => public::run(args, console),
    }
}
