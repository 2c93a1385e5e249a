//! `boltseal version`

use crate::{
    console::Console,
    exit::{Exit, Failure},
};

/// None.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the version.
pub fn run(_: &Args, console: &Console) -> Result<Exit, Failure> {
    console.data(&format!("boltseal {}\n", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Pass)
}
