//! What `docker save` and `podman save` write: `manifest.json`, configurations and plain layers in a tar archive
//! (Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format").

use boltseal_model::{Digest, Reference, Selector, Subject};
use serde::Deserialize;

use super::{archive::Archive, files::Files as _};
use crate::{
    Error, Image, LayerName, MAX_CONFIG, MAX_MANIFEST, Options,
    assemble::{Step, assemble},
    config,
    error::shown,
    layer::Part,
    tar::clean,
};

/// One image of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// Opens the image `wanted` (a reference, or `@` and its place in the list), or the only one.
pub fn open(
    archive: &Archive,
    wanted: Option<&str>,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let listed = choose(archive, wanted)?;
    let what = format!("configuration {} of {}", shown(&listed.config), archive.place());
    let name = clean(&listed.config, &options.limits).unwrap_or_default();
    let missing = |what: &str| Error::malformed(what, "is listed in manifest.json but not in the archive");
    let bytes = archive.document(&name, MAX_CONFIG)?.ok_or_else(|| missing(&what))?;
    let digest = Digest::of(&bytes);
    check_name(&listed.config, &digest, &what)?;
    let parsed = config::parse(&bytes, &what)?;
    let layers = listed.layers.unwrap_or_default();
    if layers.len() != parsed.diff_ids.len() {
        let counts = format!("{} layers, manifest.json {}", parsed.diff_ids.len(), layers.len());
        return Err(Error::malformed(what, format!("lists {counts}")));
    }
    let complete = parsed.steps.len() == layers.len();
    let mut steps = Vec::new();
    for (at, (layer, diff_id)) in layers.iter().zip(&parsed.diff_ids).enumerate() {
        let member = clean(layer, &options.limits).unwrap_or_default();
        let (_, size) = archive.open(&member)?.ok_or_else(|| missing(&format!("layer {}", shown(layer))))?;
        let open = Box::new(move || match archive.open(&member)? {
            Some((reader, _)) => Ok(reader),
            None => Err(Error::malformed(&member, "has gone from the archive")),
        });
        let part = Part {
            name: LayerName::Digest(diff_id.clone()),
            digest: None,
            diff_id: Some(diff_id.clone()),
            size: Some(size),
            open,
        };
        let created_by = if complete { parsed.steps.get(at).cloned().flatten() } else { None };
        steps.push(Step { part, created_by, unread: None, table: None });
    }
    let tree = assemble(&steps, selector, options)?;
    let tag = listed.repo_tags.unwrap_or_default().into_iter().next();
    let subject = Subject {
        reference: reference.to_owned(),
        name: tag.and_then(|tag| tag.parse().ok()),
        digest: None,
        config: Some(digest),
        platform: parsed.platform,
    };
    Ok(Image { subject, read: true, tree, config: parsed.config, history: parsed.history })
}

fn choose(archive: &Archive, wanted: Option<&str>) -> Result<Listed, Error> {
    let what = format!("manifest.json of {}", archive.place());
    let missing = || Error::malformed(archive.place(), "has no manifest.json: docker save did not write it");
    let bytes = archive.document("manifest.json", MAX_MANIFEST)?.ok_or_else(missing)?;
    let mut images: Vec<Listed> =
        serde_json::from_slice(&bytes).map_err(|error| Error::malformed(what, error))?;
    let at = match wanted {
        None if images.len() == 1 => Some(0),
        None => None,
        Some(place) if place.starts_with('@') => place.get(1..).and_then(|place| place.parse().ok()),
        Some(wanted) => images.iter().position(|image| image.is_named(wanted)),
    };
    if let Some(at) = at.filter(|at| *at < images.len()) {
        return Ok(images.swap_remove(at));
    }
    let tags: Vec<String> = images
        .iter()
        .flat_map(|image| image.repo_tags.iter().flatten())
        .take(30)
        .map(|tag| shown(tag))
        .collect();
    let found = match (images.len(), tags.is_empty()) {
        (0, _) => "manifest.json lists no images".to_owned(),
        (count, true) => format!("choose by place: @0 to @{}", count - 1),
        _ => format!("choose one of: {}", tags.join(", ")),
    };
    Err(Error::NotFound { place: archive.place(), wanted: shown(wanted.unwrap_or("(none given)")), found })
}

impl Listed {
    /// Whether `wanted` is one of its tags, written alike or meaning the same.
    fn is_named(&self, wanted: &str) -> bool {
        let meant = wanted.parse::<Reference>().ok();
        let same = |tag: &String| tag == wanted || (meant.is_some() && tag.parse().ok() == meant);
        self.repo_tags.iter().flatten().any(same)
    }
}

/// The file's name is the image id, so it must be the digest of what is in it.
fn check_name(name: &str, found: &Digest, what: &str) -> Result<(), Error> {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    match format!("sha256:{stem}").parse::<Digest>() {
        Ok(expected) if expected != *found => {
            Err(Error::Digest { what: what.to_owned(), expected, found: found.clone() })
        }
        _ => Ok(()),
    }
}
