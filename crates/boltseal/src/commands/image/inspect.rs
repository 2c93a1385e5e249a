//! `boltseal image inspect IMAGE`

use boltseal_image::{
    manifest::{Descriptor, Document, Index, Manifest},
    remote::{Fetched, Name, Repository},
};
use boltseal_model::{Platform, Reference};

use super::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{self, Inspected, Layer, Part, is_image, size_of},
    },
};

/// Images of an index whose size is looked up. Real ones have some dozens.
const MAX_PARTS: usize = 100;

/// Which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image inspect registry.example.com:8443/team/app:v1
  boltseal image inspect debian:12 --platform linux/arm64")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Which image of a multi-platform one, as os/architecture[/variant] [default: the list of them]
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
    let reference = image(&args.image)?;
    let repository = connection.repository(&reference, global)?;
    let mut fetched = repository.manifest(Name::of(&reference))?;
    let mut document = fetched.document()?;
    if let (Some(wanted), Document::Index(index)) = (&args.platform, &document) {
        let chosen = choose(index, wanted)?;
        fetched = repository.manifest(Name::Digest(&chosen.digest))?;
        document = fetched.document()?;
    }
    let inspected = inspect(&reference, &repository, &fetched, document)?;
    args.written.show(&inspected, console, images::inspected)?;
    Ok(Exit::Pass)
}

fn choose<'i>(index: &'i Index, wanted: &Platform) -> Result<&'i Descriptor, Failure> {
    let fits = |entry: &&Descriptor| {
        !entry.is_attestation() && entry.platform.as_ref().is_some_and(|offered| wanted.accepts(offered))
    };
    index.manifests.iter().find(fits).ok_or_else(|| {
        let offered = index.manifests.iter().filter(|entry| !entry.is_attestation());
        let offered = offered.filter_map(|entry| Some(entry.platform.as_ref()?.to_string()));
        Failure::undecided(format_args!("the index has no image for {wanted}"))
            .next(format!("choose one of: {}", offered.collect::<Vec<_>>().join(", ")))
    })
}

fn inspect(
    reference: &Reference,
    repository: &Repository,
    fetched: &Fetched,
    document: Document,
) -> Result<Inspected, Failure> {
    let mut inspected = Inspected {
        reference: reference.to_string(),
        digest: fetched.digest.clone(),
        media_type: fetched.media_type.clone(),
        artifact_type: None,
        subject: None,
        size: None,
        platform: None,
        images: Vec::new(),
        config: None,
        layers: Vec::new(),
        annotations: std::collections::BTreeMap::default(),
        referrers: images::referrers(&repository.discover(&fetched.digest)?),
    };
    match document {
        Document::Index(index) => {
            let parts = index.manifests.iter().enumerate();
            inspected.images = parts.map(|(at, entry)| part(repository, entry, at < MAX_PARTS)).collect();
            inspected.artifact_type = index.artifact_type;
            inspected.subject = index.subject.map(|subject| subject.digest);
            inspected.annotations = index.annotations;
        }
        Document::Manifest(manifest) => image_of(repository, *manifest, &mut inspected)?,
    }
    Ok(inspected)
}

/// An entry of an index; a part that is not there has no size.
fn part(repository: &Repository, entry: &Descriptor, measure: bool) -> Part {
    let manifest = || match repository.manifest(Name::Digest(&entry.digest)).ok()?.document().ok()? {
        Document::Manifest(manifest) => Some(size_of(&manifest)),
        Document::Index(_) => None,
    };
    Part {
        platform: entry.platform.as_ref().filter(|_| !entry.is_attestation()).map(ToString::to_string),
        digest: entry.digest.clone(),
        media_type: entry.media_type.clone(),
        size: measure.then(manifest).flatten(),
        attestation: entry.is_attestation(),
    }
}

fn image_of(repository: &Repository, manifest: Manifest, inspected: &mut Inspected) -> Result<(), Failure> {
    inspected.size = Some(size_of(&manifest));
    let mut steps = Vec::new();
    if is_image(&manifest) {
        let parsed = repository.config(&manifest)?;
        inspected.platform = parsed.platform.map(|platform| platform.to_string());
        inspected.config = Some(parsed.config);
        steps = parsed.steps;
    }
    let layers = manifest.layers.iter().enumerate();
    inspected.layers = layers
        .map(|(at, layer)| Layer {
            digest: layer.digest.clone(),
            media_type: layer.media_type.clone(),
            size: layer.size,
            step: steps.get(at).cloned().flatten(),
            title: layer.annotations.get("org.opencontainers.image.title").cloned(),
        })
        .collect();
    let kind = (!is_image(&manifest)).then(|| manifest.config.media_type.clone());
    inspected.artifact_type = manifest.artifact_type.or(kind);
    inspected.subject = manifest.subject.map(|subject| subject.digest);
    inspected.annotations = manifest.annotations;
    Ok(())
}
