//! `boltseal registry storage`: how much is stored, for whom, and what of it is garbage or damaged.

use boltseal_api::storage::Storage;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, storage as output},
    reach::{Reach, path},
};

/// How.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many of the largest repositories to list
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: u8,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    let storage: Storage = client.get(&format!("{}?top={}", path(&["storage"]), args.top))?;
    args.written.show(&storage, console, output::storage)?;
    Ok(Exit::Pass)
}
