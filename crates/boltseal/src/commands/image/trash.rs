//! `boltseal image trash REGISTRY[/REPOSITORY]`, `undelete IMAGE…`

use boltseal_api::life::{Trash, Undelete, Undeleted};

use super::{
    lock::name,
    place::{Connection, image, named_image},
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, life as output},
    reach::{path, query},
};

/// Images of a page.
const PAGE: &str = "1000";

/// Whose trash.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image trash registry.example.com:8443
  boltseal image trash registry.example.com:8443/team/app
  boltseal image trash registry.example.com/team/app@sha256:e3b0… --purge")]
pub struct Args {
    /// A registry or a repository; with --purge, an image by its digest
    #[arg(value_name = "PLACE")]
    place: String,
    /// Delete this image for good, now
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    written: Written,
}

/// What to take back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Brings back the image, what it lists, and those of its tags that are free; or a tag that was removed alone.

Examples:
  boltseal image undelete registry.example.com:8443/team/app:v1
  boltseal image undelete registry.example.com:8443/team/app@sha256:e3b0…")]
pub struct Back {
    /// `REPOSITORY:TAG`: the image that the tag pointed to, or the tag; or `REPOSITORY@DIGEST`
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Shows what was deleted, or ends some of it.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    if args.purge {
        return purge(args, connection, global, console);
    }
    let (host, repository) = match args.place.split_once('/') {
        Some((host, _)) => (host.to_owned(), Some(image(&args.place)?.repository().to_owned())),
        None => (args.place.clone(), None),
    };
    let client = connection.control(&host, global)?;
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let pairs =
            [("repository", repository.as_deref()), ("after", after.as_deref()), ("limit", Some(PAGE))];
        let page: Trash = client.get(&query(&["trash"], &pairs))?;
        all.extend(page.images);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    args.written.show(&all, console, |all, paint| output::trash(all, paint))?;
    Ok(Exit::Pass)
}

fn purge(args: &Args, connection: &Connection, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let reference = named_image(&args.place)?;
    let Some(digest) = reference.digest().map(ToString::to_string) else {
        return Err(Failure::usage("what is deleted for good is named by its digest").next(format!(
            "boltseal image trash {}/{} lists it",
            reference.registry(),
            reference.repository()
        )));
    };
    let client = connection.control(reference.registry(), global)?;
    let pairs = [("repository", Some(reference.repository())), ("digest", Some(digest.as_str()))];
    client.delete(&query(&["trash"], &pairs)).map_err(Failure::about_image)?;
    console.note(format_args!("deleted {reference} for good"));
    Ok(Exit::Pass)
}

/// Takes deletions back.
pub fn undelete(
    args: &Back,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    for text in &args.images {
        let reference = named_image(text)?;
        let client = connection.control(reference.registry(), global)?;
        let (tag, digest) = name(&reference);
        let asked = Undelete { repository: reference.repository().to_owned(), digest, tag };
        let back: Undeleted =
            client.post(&path(&["trash", "undelete"]), &asked).map_err(Failure::about_image)?;
        let tags = if back.tags.is_empty() { "no tag".to_owned() } else { back.tags.join(", ") };
        console.note(format_args!("brought back {reference}: {tags}"));
        if !back.taken.is_empty() {
            console
                .note(format_args!("these tags point to something else by now: {}", back.taken.join(", ")));
        }
    }
    Ok(Exit::Pass)
}
