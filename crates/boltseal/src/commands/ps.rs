//! `boltseal ps`

use boltseal_agent::groups::stock::answers::Findings;
use boltseal_api::groups::Group;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::Node,
    output::{Written, groups as output, running},
};

/// What to list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With --findings, the vulnerabilities of each container that runs, by severity, and how many of them are in packages of which \
something is executed or loaded. An image is looked into when it is first asked about, which takes as long as a scan. What is \
not used now may be used later: nothing says that a package is not needed.

Examples:
  boltseal ps
  boltseal ps --findings

Exit codes: 0 done; 3 no agent answers, or (with --findings) not all is known")]
pub struct Args {
    /// List how vulnerable containers are, and what of that they use
    #[arg(long)]
    findings: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Lists the containers of this node.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    if args.findings {
        let found: Findings = agent.get("/v1/findings")?;
        args.written.show(&found, console, running::findings)?;
        return Ok(if found.is_complete() { Exit::Pass } else { Exit::Undecided });
    }
    let groups: Vec<Group> = agent.get("/v1/groups")?;
    args.written.show(&groups, console, |groups, paint| output::all(groups, paint))?;
    Ok(Exit::Pass)
}
