//! `boltseal ps`

use boltseal_api::groups::Group;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::Node,
    output::{Written, groups as output},
};

/// What to list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal ps

Exit codes: 0 done; 3 no agent answers")]
pub struct Args {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Lists the containers of this node.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let groups: Vec<Group> = args.node.agent()?.get("/v1/groups")?;
    args.written.show(&groups, console, |groups, paint| output::all(groups, paint))?;
    Ok(Exit::Pass)
}
