//! `boltseal key public`

use crate::{
    console::Console,
    exit::{Exit, Failure},
    signing::Key,
};

/// Of which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal key public --key boltseal.key > boltseal.pub

Exit codes: 0 printed; 2 usage, or the key cannot be used; 4 internal fault")]
pub struct Args {
    #[command(flatten)]
    key: Key,
}

/// Prints it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    console.data(&args.key.open()?.public().to_pem())?;
    Ok(Exit::Pass)
}
