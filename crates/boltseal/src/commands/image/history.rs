//! `boltseal image history IMAGE`

use boltseal_flow::{Looking, Wanted, contents::contents};
use boltseal_model::Platform;

use super::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{History, history},
    },
};

/// Which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image history registry.example.com:8443/team/app:v1
  boltseal image history oci:build/app --format json")]
pub struct Args {
    /// The image: in a registry, or as `boltseal scan` takes it
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Which image of a multi-platform one, as os/architecture[/variant] [default: linux on this machine]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    #[command(flatten)]
    written: Written,
}

/// Shows it.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let options = connection.options(&args.image, args.platform.as_ref(), global)?;
    let contents = contents(
        &Wanted { target: &args.image, options: &options, cache: None, looking: Looking::default() },
        false,
    )?;
    args.written.show(&History::of(contents), console, history)?;
    Ok(Exit::Pass)
}
