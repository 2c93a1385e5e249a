//! `boltseal whoami`

use boltseal_api::access::WhoAmI;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, access as output},
    reach::{Reach, path},
};

/// How to answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal whoami

Exit codes: 0 done; 3 nobody is logged in, or the server cannot be reached")]
pub struct Args {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Shows who is logged in, and what was assigned to them.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let me: WhoAmI = client.get(&path(&["whoami"]))?;
    args.written.show(&me, console, |me, paint| output::whoami(me, client.address(), paint))?;
    Ok(Exit::Pass)
}
