//! `boltseal events`

use std::fmt::Write as _;

use boltseal_api::groups::Event;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::Node,
    output::paint::clean,
};

/// Which events, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything that was asked of this node and everything that happened to its containers, in the order in which it did. It is on the \
disk before it counts, and in the tamper-evident log of this node: `boltseal audit --data DATA/agent verify` checks that. With a server, \
its audit log has all of it, too.

Examples:
  boltseal events
  boltseal events --follow --json | jq 'select(.what == \"container.end\")'

Exit codes: 0 done; 3 no agent answers")]
pub struct Args {
    /// Go on with what happens
    #[arg(long, short)]
    follow: bool,
    /// Only those after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// One JSON value each line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: Node,
}

/// Lists them.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let path = format!("/v1/events?follow={}&after={}", args.follow, args.after);
    args.node.agent()?.follow_until_interrupted(&path, |event: Event| {
        let text = if args.json { serde_json::to_string(&event).unwrap_or_default() } else { people(&event) };
        console.data(&format!("{text}\n")).is_ok()
    })?;
    Ok(Exit::Pass)
}

fn people(event: &Event) -> String {
    let whose = match &event.container {
        Some(container) => format!("{}/{container}", event.group),
        None => event.group.clone(),
    };
    let mut line = format!("{:>6}  {:.3}  {:<18} {}", event.number, event.at, event.what, clean(&whose));
    for (name, value) in &event.details {
        let _ = write!(line, "  {name}={}", clean(value));
    }
    line
}
