//! `boltseal inspect GROUP`

use boltseal_api::groups::Group;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::{Written, groups as output},
};

/// Which group.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal inspect shop --format json

Exit codes: 0 done; 2 there is no such group; 3 no agent answers")]
pub struct Args {
    /// Which
    #[arg(value_name = "GROUP")]
    group: String,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Shows all that is known of it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let group: Group = args.node.agent()?.get(&format!("/v1/groups/{}", segment(&args.group)))?;
    args.written.show(&group, console, output::one)?;
    Ok(Exit::Pass)
}
