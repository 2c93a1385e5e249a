//! `boltseal image rm IMAGE…`

use boltseal_image::{
    manifest::Document,
    remote::{Name, Repository},
};
use boltseal_model::Reference;

use super::place::{Connection, named_image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

/// Which images.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image rm registry.example.com:8443/team/app:old
  boltseal image rm registry.example.com:8443/team/app@sha256:e3b0…")]
pub struct Args {
    /// `REPOSITORY:TAG` removes the tag; `REPOSITORY@DIGEST` the image, with all its tags
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Removes.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let references: Vec<Reference> =
        args.images.iter().map(|text| named_image(text)).collect::<Result<_, _>>()?;
    for reference in references {
        let repository = connection.repository(&reference, global)?;
        let name = Name::of(&reference);
        let subject = subject(&repository, name)?;
        if let Err(wrong) = repository.delete_manifest(name) {
            let whole = matches!(name, Name::Tag(_))
                && !wrong.is_denied()
                && wrong.status().is_some_and(|status| status == 405 || status == 400);
            let failure = Failure::from(wrong);
            return Err(if whole {
                let digest = repository.head(name)?.digest;
                failure.next(format!(
                    "this registry removes no single tags; {repository}@{digest} removes the image with all its tags"
                ))
            } else {
                failure
            });
        }
        if let (Name::Digest(digest), Some(subject)) = (name, subject) {
            repository.forget_referrer(&subject, digest)?;
        }
        console.note(format_args!("removed {reference}"));
    }
    Ok(Exit::Pass)
}

/// What an artifact that is removed with its digest was attached to.
fn subject(repository: &Repository, name: Name<'_>) -> Result<Option<boltseal_model::Digest>, Failure> {
    if matches!(name, Name::Tag(_)) {
        return Ok(None);
    }
    let subject = match repository.manifest(name)?.document()? {
        Document::Index(index) => index.subject,
        Document::Manifest(manifest) => manifest.subject,
    };
    Ok(subject.map(|subject| subject.digest))
}
