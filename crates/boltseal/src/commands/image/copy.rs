//! `boltseal image copy SOURCE DESTINATION`

use boltseal_image::remote::copy::{CopyOptions, Platforms, copy};
use boltseal_model::Platform;

use super::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{self, Copied},
    },
    progress::CopyBar,
};

/// What, from where, to where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is at the destination already is not sent again; an interrupted copy goes on where it stopped. --username \
is for the destination.

Examples:
  boltseal image copy debian:12 127.0.0.1:5000/base/debian:12 --referrers
  boltseal image copy registry.example.com/team/app:v1 oci:backup:v1 --referrers
  boltseal image copy debian:12 127.0.0.1:5000/debian:12 --platform linux/arm64")]
pub struct Args {
    /// The image: `REGISTRY/REPOSITORY[:TAG][@DIGEST]` or `oci:FOLDER[:TAG]`
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Where to, written the same way
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// All images of a multi-platform one, and the index as it is: the default
    #[arg(long, conflicts_with = "platform")]
    all_platforms: bool,
    /// Only this image of a multi-platform one, as os/architecture[/variant]; given more than once, these and the index
    #[arg(long, value_name = "PLATFORM")]
    platform: Vec<Platform>,
    /// Also signatures, SBOMs and whatever else refers to the image
    #[arg(long)]
    referrers: bool,
    /// After a part that cannot be copied, go on with the others; ends with exit code 3 all the same
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    written: Written,
}

/// Copies.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let source = connection.source(&args.source, global)?;
    let destination = connection.place(&args.destination, global)?;
    let mut options = CopyOptions::default();
    options.platforms = match args.platform.as_slice() {
        [] => Platforms::All,
        [one] => Platforms::One(one.clone()),
        several => Platforms::Only(several.to_vec()),
    };
    options.referrers = args.referrers;
    options.keep_going = args.keep_going;
    let done = {
        let bar = CopyBar::new(console);
        copy(&source, &destination, &options, &bar)?
    };
    for (digest, wrong) in &done.failed {
        console.warning(format_args!(
            "{digest} is not copied: {}",
            crate::output::paint::clean(&wrong.to_string())
        ));
    }
    let whole = done.failed.is_empty();
    args.written.show(&Copied::of(&args.destination, &done), console, images::copied)?;
    Ok(if whole { Exit::Pass } else { Exit::Undecided })
}
