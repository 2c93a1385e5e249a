//! `boltseal image discover IMAGE`

use boltseal_image::remote::Name;

use super::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{self, Discovered},
    },
};

/// Of which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal image discover registry.example.com:8443/team/app:v1")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Only artifacts of this type, and what refers to them
    #[arg(long, value_name = "TYPE")]
    artifact_type: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// Shows the tree.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let reference = image(&args.image)?;
    let repository = connection.repository(&reference, global)?;
    let digest = repository.head(Name::of(&reference))?.digest;
    let mut referrers = images::referrers(&repository.discover(&digest)?);
    if let Some(wanted) = &args.artifact_type {
        referrers.retain(|one| one.artifact_type.as_ref() == Some(wanted));
    }
    let tree = Discovered { reference: reference.to_string(), digest, referrers };
    args.written.show(&tree, console, images::discovered)?;
    Ok(Exit::Pass)
}
