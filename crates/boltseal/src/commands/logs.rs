//! `boltseal logs GROUP[/CONTAINER]`

use boltseal_runtime::start::log::Entry;

use crate::{
    commands::run::show,
    console::Console,
    exit::{Exit, Failure},
    node::{self, Node, segment},
};

/// Whose log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What a container writes to standard output and error comes here on the same streams. The newest 8 to 16 MiB are kept.

Examples:
  boltseal logs shop/web -f
  boltseal logs job --tail 20 --timestamps

Exit codes: 0 done; 2 there is no such container; 3 no agent answers")]
pub struct Args {
    /// Group, and container where it has several
    #[arg(value_name = "GROUP[/CONTAINER]")]
    container: String,
    /// Go on with what it writes, until its group ends
    #[arg(long, short)]
    follow: bool,
    /// Only so many of the last lines
    #[arg(long, value_name = "NUMBER")]
    tail: Option<usize>,
    /// With the time of each line
    #[arg(long, short)]
    timestamps: bool,
    #[command(flatten)]
    node: Node,
}

/// Shows what it wrote.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    let (group, container) = node::container(&agent, &args.container)?;
    let tail = args.tail.map_or_else(String::new, |tail| format!("&tail={tail}"));
    let path =
        format!("/v1/groups/{}/{}/log?follow={}{tail}", segment(&group), segment(&container), args.follow);
    let mut starts_line = true;
    agent.follow_until_interrupted(&path, |mut entry: Entry| {
        if args.timestamps && starts_line {
            entry.text = format!("{:.3} {}", entry.at, entry.text);
        }
        starts_line = !entry.partial;
        show(&entry, console)
    })?;
    Ok(Exit::Pass)
}
