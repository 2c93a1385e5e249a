//! `boltseal feeds publish`

use std::path::PathBuf;

use boltseal_flow::feeds::Feeds;

use super::{keygen, place::Target};
use crate::{
    cli::Global,
    commands::image::place::Connection,
    console::Console,
    exit::{Exit, Failure},
    output::feeds as output,
    progress::Spinner,
    target::Clock,
};

/// Publish the feeds, signed, for others to pull.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Builds the snapshot from all feeds that are here and writes what it is built from in chunks. A folder can be served \
as plain files by any web server; in a registry it is an artifact. Those who pull fetch only chunks that they \
do not have.

Examples:
  boltseal feeds publish /srv/www/feeds --key feeds.key
  boltseal feeds publish oci://registry.example.com/boltseal/feeds:latest --key feeds.key

Exit codes: 0 published; 2 usage; 3 there are no feeds, or the registry does not answer; 4 internal fault")]
pub struct Args {
    /// A folder, or `oci://REGISTRY/REPOSITORY:TAG`
    #[arg(value_name = "DIR|REF")]
    target: Target,
    /// File with the private key, made by `boltseal feeds keygen`
    #[arg(long, value_name = "FILE", env = "BOLTSEAL_FEEDS_SIGNING_KEY")]
    key: PathBuf,
    #[command(flatten)]
    clock: Clock,
    #[command(flatten)]
    connection: Connection,
}

/// Does it.
pub fn run(args: &Args, feeds: &Feeds, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let signer = keygen::read(&args.key)?;
    let press = args.target.press(&args.connection, global)?;
    let spinner = Spinner::new(console, "publishing the feeds");
    let published = feeds.publish(&*press, &signer, args.clock.now())?;
    spinner.end();
    console.data(&output::built(&published.built))?;
    console.data(&output::published(&published, &press.name()))?;
    Ok(Exit::Pass)
}
