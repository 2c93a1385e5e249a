//! `boltseal top GROUP[/CONTAINER]`

use boltseal_api::groups::Process;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{self, Node, segment},
    output::{Written, groups as output},
};

/// Of which container.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal top shop/web

Exit codes: 0 done; 2 there is no such container, or it does not run; 3 no agent answers")]
pub struct Args {
    /// Group, and container where it has several
    #[arg(value_name = "GROUP[/CONTAINER]")]
    container: String,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Lists what runs in it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    let (group, container) = node::container(&agent, &args.container)?;
    let path = format!("/v1/groups/{}/{}/processes", segment(&group), segment(&container));
    let processes: Vec<Process> = agent.get(&path)?;
    args.written.show(&processes, console, |processes, paint| output::processes(processes, paint))?;
    Ok(Exit::Pass)
}
