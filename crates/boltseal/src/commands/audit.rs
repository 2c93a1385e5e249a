//! `boltseal audit …`: the log of what was done.
//!
//! `log`, `verify`, `prove`, `export`, `key` and `status` work on the data folder itself, also while a server runs on it,
//! or ask a server; `witness`, `witnessed` and `archive` ask a server; `check-proof` needs neither.

mod archive;
mod check_proof;
mod export;
mod folder;
mod log;
pub(super) mod place;
mod prove;
mod search;
mod status;
mod verify;
mod web;
mod witness;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    reach::Reach,
};

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Which log: that of --server (or BOLTSEAL_SERVER) if one is named; else that of --data (or BOLTSEAL_DATA); \
else that of the last login; else that of the default data folder. A folder is only read, also while a \
server runs on it.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show what was done: by whom, to what, and why it was allowed or not
    Log(log::Args),
    /// Check that nothing in the log was changed, dropped or put in between
    Verify(verify::Args),
    /// Write a proof that an entry is in the log; it can be checked without us
    Prove(prove::Args),
    /// Check such a proof, without a server and without a network
    CheckProof(check_proof::Args),
    /// Write the log in the format of another system
    Export(export::Args),
    /// Show how the log stands
    Status(status::Args),
    /// Print the key that checkpoints are checked with
    Key(status::Key),
    /// Manage the servers that cosign our checkpoints
    Witness(witness::Witness),
    /// Manage the logs of other servers that are cosigned here
    Witnessed(witness::Witnessed),
    /// Move old entries out of the log's folder; their hashes stay
    Archive(archive::Args),
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let reach = &args.reach;
    match &args.verb {
        Verb::Log(args) => log::run(args, reach, global, console),
        Verb::Verify(args) => verify::run(args, reach, global, console),
        Verb::Prove(args) => prove::run(args, reach, global, console),
        Verb::CheckProof(args) => check_proof::run(args, console),
        Verb::Export(args) => export::run(args, reach, global, console),
        Verb::Status(args) => status::run(args, reach, global, console),
        Verb::Key(args) => status::key(args, reach, global, console),
        Verb::Witness(args) => witness::witness(args, reach, global, console),
        Verb::Witnessed(args) => witness::witnessed(args, reach, global, console),
        Verb::Archive(args) => archive::run(args, reach, global, console),
    }
}
