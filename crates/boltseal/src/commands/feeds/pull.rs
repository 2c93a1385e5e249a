//! `boltseal feeds pull`

use boltseal_audit::log::Verifier;
use boltseal_flow::feeds::{Feeds, Pull};

use super::place::Target;
use crate::{
    cli::Global,
    commands::{audit::place::key, image::place::Connection},
    console::Console,
    exit::{Exit, Failure},
    output::feeds as output,
    progress::Spinner,
    target::Clock,
};

/// Take over feeds that somebody published; only what changed is fetched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything is checked before it is used: the signature, that the feeds are not older than those in use, and the \
digest of every chunk. Whatever goes wrong, the feeds in use stay as they are.

Examples:
  boltseal feeds pull https://feeds.example.com/boltseal --key feeds.pub
  boltseal feeds pull oci://registry.example.com/boltseal/feeds:latest --key feeds.pub
  boltseal feeds pull /media/usb/feeds --key feeds.pub

Exit codes: 0 the newest feeds are in use; 2 usage; 3 they could not be fetched or are not to be trusted; \
4 internal fault")]
pub struct Args {
    /// An address, a folder, or `oci://REGISTRY/REPOSITORY:TAG`
    #[arg(value_name = "URL|DIR|REF")]
    source: Target,
    /// Public key of the publisher: its text, or a file with it. May be given several times
    #[arg(long, value_name = "KEY", env = "BOLTSEAL_FEEDS_KEY", value_parser = key, required = true)]
    key: Vec<Verifier>,
    /// Take feeds that are older than those in use
    #[arg(long)]
    allow_older: bool,
    #[command(flatten)]
    clock: Clock,
    #[command(flatten)]
    connection: Connection,
}

/// Does it.
pub fn run(args: &Args, feeds: &Feeds, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let shelf = args.source.shelf(&args.connection, global)?;
    let how = Pull { keys: &args.key, allow_older: args.allow_older };
    let spinner = Spinner::new(console, "pulling the feeds");
    let pulled = feeds.pull(&*shelf, &how, args.clock.now())?;
    spinner.end();
    console.data(&output::pulled(&pulled, &shelf.name()))?;
    if let Some(built) = &pulled.built {
        console.data(&output::built(built))?;
    }
    Ok(Exit::Pass)
}
