//! `boltseal image ls REPOSITORY|HOST`

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use boltseal_image::{
    manifest::{Document, Manifest},
    remote::{Error, Name, Repository},
};
use boltseal_model::Digest;

use super::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{self, Repositories, Tag, Tags},
    },
    progress::Bar,
};

/// Names that are listed at most: more than anyone reads, and a bound on what we hold.
const MAX_NAMES: usize = 1_000_000;
/// Tags described at once: what registries stand from one client.
const PARALLEL: usize = 4;

/// What to list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every tag that is described costs the registry two or three requests, which some of them count.

Examples:
  boltseal image ls registry.example.com:8443
  boltseal image ls registry.example.com:8443/team/app
  boltseal image ls debian --names")]
pub struct Args {
    /// A registry, or a repository of one
    #[arg(value_name = "REPOSITORY|HOST")]
    place: String,
    /// Only names: one request, however many tags there are
    #[arg(long)]
    names: bool,
    /// How many tags are described; 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    written: Written,
}

/// Lists.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let place = args.place.strip_prefix("docker://").unwrap_or(&args.place).trim_end_matches('/');
    if !place.contains('/') && (place.contains(['.', ':', '[']) || place == "localhost") {
        let remote = connection.registry(place, global)?;
        let repositories = remote.catalog()?.all(MAX_NAMES)?;
        let list = Repositories { registry: place.to_owned(), repositories };
        args.written.show(&list, console, images::repositories)?;
        return Ok(Exit::Pass);
    }
    let reference = image(place)?;
    if place.rsplit('/').next().is_some_and(|last| last.contains([':', '@'])) {
        return Err(Failure::usage(format_args!("`{place}` is an image, not a repository"))
            .next(format!("run `boltseal image inspect {place}`")));
    }
    let repository = connection.repository(&reference, global)?;
    let mut names = repository.tags()?.all(MAX_NAMES)?;
    names.sort_unstable();
    let described = match args.limit {
        _ if args.names => 0,
        0 => names.len(),
        limit => names.len().min(limit),
    };
    let tags = describe(&repository, &names, described, console)?;
    if !args.names && described < names.len() {
        let left = names.len() - described;
        console
            .note(format_args!("{left} of {} tags are not described; --limit 0 describes all", names.len()));
    }
    let list = Tags { repository: repository.to_string(), tags };
    args.written.show(&list, console, images::tags)?;
    Ok(Exit::Pass)
}

/// The first `described` of them in full, the others by name.
fn describe(
    repository: &Repository,
    names: &[String],
    described: usize,
    console: &Console,
) -> Result<Vec<Tag>, Failure> {
    let bar = Bar::counting(console, "reading tags");
    bar.total(Some(described as u64));
    let mut tags: Vec<Tag> = names.iter().map(|name| Tag::named(name)).collect();
    let (todo, _) = tags.split_at_mut(described);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(None));
    let slots: Vec<Mutex<&mut Tag>> = todo.iter_mut().map(Mutex::new).collect();
    let seen = Mutex::new(HashMap::<Digest, Tag>::new());
    let work = || {
        while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut tag = slot.lock().unwrap_or_else(PoisonError::into_inner);
            match one(repository, &tag.name, &seen) {
                Ok(full) => **tag = full,
                // Gone since the list was made.
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    next.store(slots.len(), Ordering::Relaxed);
                    wrong.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
            bar.advance(1);
        }
    };
    thread::scope(|scope| {
        for _ in 1..PARALLEL.min(slots.len()) {
            scope.spawn(work);
        }
        work();
    });
    drop(slots);
    match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error.into()),
        None => Ok(tags),
    }
}

fn one(repository: &Repository, name: &str, seen: &Mutex<HashMap<Digest, Tag>>) -> Result<Tag, Error> {
    let head = match repository.head(Name::Tag(name)) {
        Err(error) if error.is_denied() => {
            let words = error.refusal().and_then(|refusal| refusal.words.first());
            let why = words.map_or_else(|| error.to_string(), |word| word.message.clone());
            return Ok(Tag { refused: Some(why), ..Tag::named(name) });
        }
        other => other?,
    };
    let known = seen.lock().unwrap_or_else(PoisonError::into_inner).get(&head.digest).cloned();
    if let Some(known) = known {
        return Ok(Tag { name: name.to_owned(), ..known });
    }
    let fetched = repository.manifest(Name::Digest(&head.digest))?;
    let mut tag = Tag { digest: Some(fetched.digest.clone()), ..Tag::named(name) };
    tag.media_type.clone_from(&fetched.media_type);
    match fetched.document()? {
        Document::Manifest(manifest) => {
            tag.size = Some(images::size_of(&manifest));
            of_image(repository, &manifest, &mut tag);
        }
        Document::Index(index) => {
            let images: Vec<_> = index.manifests.iter().filter(|entry| !entry.is_attestation()).collect();
            let platforms = images.iter().filter_map(|entry| entry.platform.as_ref());
            tag.platforms = platforms.map(ToString::to_string).collect();
            tag.artifact_type = index.artifact_type;
            if images::is_list_of_referrers(name) {
                tag.artifact_type = Some("list of referrers".to_owned());
                return Ok(tag);
            }
            // The size of an index is that of one of its images; people pull one.
            if let Some(first) = images.first()
                && let Ok(Document::Manifest(manifest)) =
                    repository.manifest(Name::Digest(&first.digest)).and_then(|one| one.document())
            {
                tag.size = Some(images::size_of(&manifest));
            }
        }
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(fetched.digest, tag.clone());
    Ok(tag)
}

/// What the configuration says, where there is one.
fn of_image(repository: &Repository, manifest: &Manifest, tag: &mut Tag) {
    tag.artifact_type.clone_from(&manifest.artifact_type);
    if !images::is_image(manifest) {
        tag.artifact_type.get_or_insert_with(|| manifest.config.media_type.clone());
    } else if let Ok(parsed) = repository.config(manifest) {
        tag.platforms = parsed.platform.iter().map(ToString::to_string).collect();
        tag.created = parsed.config.created;
    }
}
