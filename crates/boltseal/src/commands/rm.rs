//! `boltseal rm GROUP…`

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
};

/// Which groups.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With its logs and its volumes; images stay.

Examples:
  boltseal rm job-1 job-2
  boltseal rm --force shop

Exit codes: 0 done; 2 there is no such group, or it runs; 3 no agent answers")]
pub struct Args {
    /// Which
    #[arg(value_name = "GROUP", required = true)]
    groups: Vec<String>,
    /// Also those that run, which are killed
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    node: Node,
}

/// Removes them.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    for group in &args.groups {
        agent.tell("DELETE", &format!("/v1/groups/{}?force={}", segment(group), args.force))?;
        console.note(format_args!("removed {group}"));
    }
    Ok(Exit::Pass)
}
