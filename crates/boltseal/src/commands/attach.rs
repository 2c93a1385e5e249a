//! `boltseal attach GROUP[/CONTAINER]`

use crate::{
    commands::run::sit,
    console::Console,
    exit::{Exit, Failure},
    lent::keys::{self, Keys},
    node::{self, Node, segment},
};

/// Where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Sits at a container that was run with -i or -t. One sits there at a time: whoever comes later takes the place. What it wrote before is in \
`boltseal logs`. That somebody came is written down before they do.

Examples:
  boltseal run -dit --name shell registry.example.com/tools/shell:v1
  boltseal attach shell

Exit codes: that of the program, 0 where it was left; 2 there is no such container, or nobody can sit at it; 3 no agent answers")]
pub struct Args {
    /// Group, and container where it has several
    #[arg(value_name = "GROUP[/CONTAINER]")]
    container: String,
    /// Only look: nothing that is typed goes there
    #[arg(long)]
    no_stdin: bool,
    /// Keys that leave it, where it has a terminal: letters and ctrl-LETTER, with commas
    #[arg(long, value_name = "KEYS", default_value = keys::DEFAULT)]
    detach_keys: Keys,
    #[command(flatten)]
    node: Node,
}

/// Sits there.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    let (group, _) = node::container(&agent, &args.container)?;
    let group = agent.get(&format!("/v1/groups/{}", segment(&group)))?;
    match sit(&agent, &group, !args.no_stdin, &args.detach_keys, console)? {
        // The five codes are ours; this one is the program's.
        Some(code) => std::process::exit(code),
        None => Ok(Exit::Pass),
    }
}
