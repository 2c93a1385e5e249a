//! `boltseal stop GROUP`, `boltseal start GROUP`

use boltseal_api::groups::{Group, Stop};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::{Written, groups as output},
};

/// Which group, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each container's program is sent SIGTERM, and after the time to end it is killed with all that it started.

Example:
  boltseal stop shop

Exit codes: 0 it is stopped; 2 there is no such group; 3 no agent answers")]
pub struct Args {
    /// Which
    #[arg(value_name = "GROUP")]
    group: String,
    /// Seconds to end in [default: 30]
    #[arg(long, short = 't', value_name = "SECONDS")]
    grace: Option<u32>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Which group.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal start shop

Exit codes: 0 it is started; 2 there is no such group, or it runs; 3 no agent answers")]
pub struct StartArgs {
    /// Which
    #[arg(value_name = "GROUP")]
    group: String,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Stops it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let path = format!("/v1/groups/{}/stop", segment(&args.group));
    let group: Group = args.node.agent()?.ask("POST", &path, Some(&Stop { grace: args.grace }))?;
    args.written.show(&group, console, output::one)?;
    Ok(Exit::Pass)
}

/// Starts it again.
pub fn start(args: &StartArgs, console: &Console) -> Result<Exit, Failure> {
    let path = format!("/v1/groups/{}/start", segment(&args.group));
    let group: Group = args.node.agent()?.ask("POST", &path, None::<&()>)?;
    args.written.show(&group, console, output::one)?;
    Ok(Exit::Pass)
}
