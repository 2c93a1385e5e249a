//! `boltseal rotate GROUP`

use boltseal_api::groups::Group;

use super::run::{pair, secrets};
use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::{Written, groups as output},
};

/// Which secrets of which group.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The files of a secret volume change in one step, in every container that mounts it: whoever opens one finds all of the old or \
all of the new ones. Containers that start later have the new ones, too. A secret that is a variable cannot change while its \
program runs.

Example:
  boltseal rotate shop --secret keys/database=new-password.txt

Exit codes: 0 done; 2 there is no such group, or no such file in it; 3 no agent answers")]
pub struct Args {
    /// Which
    #[arg(value_name = "GROUP")]
    group: String,
    /// `VOLUME/FILE`, and a file that has the new value
    #[arg(long, value_name = "NAME=FILE", value_parser = pair, required = true)]
    secret: Vec<(String, String)>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Replaces them.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let path = format!("/v1/groups/{}/secrets", segment(&args.group));
    let group: Group = args.node.agent()?.ask("POST", &path, Some(&secrets(&args.secret)?))?;
    args.written.show(&group, console, output::one)?;
    Ok(Exit::Pass)
}
