//! `boltseal feeds import|update|build|status`
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};
/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Does it.
pub fn run(_: Args, _: &Global, _: &Console) -> Result<Exit, Failure> {
    Ok(Exit::Pass)
}
