//! `boltseal image tag IMAGE TAG`

use boltseal_image::remote::Name;
use boltseal_model::Reference;

use super::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

/// Which image, and its new tags.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal image tag registry.example.com:8443/team/app:v1.2.3 v1.2 v1")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Tags that it gets in the same repository
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
}

/// Tags.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let reference = image(&args.image)?;
    if let Some(wrong) = args.tags.iter().find(|tag| !Reference::is_tag(tag)) {
        return Err(Failure::usage(format_args!(
            "`{wrong}` is not a tag: at most 128 letters, digits and . _ -"
        ))
        .next("to copy an image into another repository, use `boltseal image copy`"));
    }
    let repository = connection.repository(&reference, global)?;
    let fetched = repository.manifest(Name::of(&reference))?;
    for tag in &args.tags {
        repository.put_manifest(Name::Tag(tag), &fetched.media_type, &fetched.bytes)?;
        console.note(format_args!("{repository}:{tag} is {}", fetched.digest));
    }
    Ok(Exit::Pass)
}
