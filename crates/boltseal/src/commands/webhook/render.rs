//! `boltseal webhook render`: the configurations, to look at and to apply by other means.

use super::configuration::Wanted;
use crate::{
    console::Console,
    exit::{Exit, Failure},
};

/// What to render.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal webhook render --service boltseal/boltseal --ca ca.pem | kubectl apply -f -
  boltseal webhook render --url https://boltseal.example:8443 --ca ca.pem --failure-policy ignore

`boltseal webhook install` applies them and tries them; `boltseal webhook off` switches them off.")]
pub struct Args {
    #[command(flatten)]
    wanted: Wanted,
}

/// Prints them.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    console.data(&args.wanted.documents()?.join("---\n"))?;
    Ok(Exit::Pass)
}
