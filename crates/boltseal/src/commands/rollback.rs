//! `boltseal rollback GROUP`

use boltseal_api::groups::{Rollback, Rolled};

use super::rollout::{Kind, told};
use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::Written,
};

/// What to take back, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The group that `boltseal rollout` replaced is started with its own definition and the images that it had, by digest, and the name and \
the ports move back to it as they moved away: without a moment in which nobody serves. The one that served is kept in its place, so \
that a second rollback undoes the first.

Example:
  boltseal rollback shop

Exit codes: 0 it serves again; 2 there is none that served before; 3 it did not become ready, or no agent could be asked; 4 internal \
fault")]
pub struct Args {
    /// Which
    #[arg(value_name = "GROUP")]
    group: String,
    /// What becomes of the one that serves
    #[arg(long, value_name = "STRATEGY", default_value = "rolling")]
    strategy: Kind,
    /// Seconds in which it has to become ready
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u32,
    /// Seconds in which the one that serves may end its conversations
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u32,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Takes it back.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let asked = Rollback { strategy: args.strategy.into(), wait: Some(args.wait), drain: Some(args.drain) };
    let path = format!("/v1/groups/{}/rollback", segment(&args.group));
    let rolled: Rolled = args.node.agent()?.ask("POST", &path, Some(&asked))?;
    told(&rolled, args.written, console)
}
