//! `boltseal audit archive`

use boltseal_api::audit::{Archive, Archived};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, path},
};

/// What to move.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Moves whole bundles of 256 entries into the folder audit-archive beside the log. Nothing is rewritten: the \
tree over all entries stays, and what was archived can be checked against it. This is recorded.

Example:
  boltseal audit archive --before 1000000

Exit codes: 0 done; 1 you may not; 2 usage; 3 the server cannot be reached")]
pub struct Args {
    /// Entries before this one
    #[arg(long, value_name = "N")]
    before: u64,
    #[command(flatten)]
    written: Written,
}

/// Has the server move them.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    let archived: Archived = client.post(&path(&["audit", "archive"]), &Archive { before: args.before })?;
    args.written.show(&archived, console, |archived, _| {
        format!("entries before {} are archived\n", archived.first)
    })?;
    Ok(Exit::Pass)
}
