//! `boltseal outdated`

use boltseal_agent::groups::outdated::Aged;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::Node,
    output::{Written, running},
};

/// How to list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of each image that runs on this machine: whether its name means another image by now, whether its repository has a newer version \
of the same form (1.2.3-alpine: 1.3.0-alpine), whether the base that it names (label org.opencontainers.image.base.name) was \
built again, told by layers, and whether it would be judged worse than when it was let in.

Example:
  boltseal outdated

Exit codes: 0 all are current; 1 something is outdated; 3 nothing is as far as is known, but a registry or a verdict could not be \
asked, or no agent answers. That an image does not say what it was built on is listed, and does not change the code.")]
pub struct Args {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Lists what is outdated.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let images: Vec<Aged> = args.node.agent()?.get("/v1/outdated")?;
    args.written.show(&images, console, |images, paint| running::outdated(images, paint))?;
    Ok(if images.iter().any(Aged::is_outdated) {
        Exit::Denied
    } else if images.iter().all(|image| image.unknown.is_empty()) {
        Exit::Pass
    } else {
        Exit::Undecided
    })
}
