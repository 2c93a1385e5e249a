//! One image out of a source of blobs.

use std::io::Read;

use boltseal_model::{Digest, Layer, Selector, Subject, Tree};

use crate::{
    Blobs, Error, Image, LayerName, MAX_CONFIG, MAX_MANIFEST, MAX_NESTING, Options,
    assemble::{Step, assemble},
    blobs::document,
    config,
    error::shown,
    layer::Part,
    manifest::{self, DOCKER_CONFIG, Descriptor, Document, Index, Manifest, OCI_CONFIG},
    toc,
};

/// Manifests looked at on the way from an index to an image.
const MAX_DOCUMENTS: usize = 64;

/// Reads the image (or, from an index, the image for the wanted platform) whose manifest is `digest` in `blobs`.
///
/// `reference` is how reports shall name it; `media_type` what the source says the manifest is, if it does.
///
/// ```
/// use std::{collections::BTreeMap, io::Read};
/// use boltseal_image::{Blobs, Error, Options, read};
/// use boltseal_model::{Digest, FileMeta, Selector, Want};
/// use boltseal_testkit::image::{Image, Layer};
///
/// struct Memory(BTreeMap<Digest, Vec<u8>>);
/// impl Blobs for Memory {
///     fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
///         match self.0.get(digest) {
///             Some(bytes) => Ok(Box::new(bytes.as_slice())),
///             None => Err(Error::NoBlob { digest: digest.clone(), place: "memory".to_owned() }),
///         }
///     }
/// }
///
/// struct Nothing;
/// impl Selector for Nothing {
///     fn want(&self, _: &str, _: &FileMeta) -> Want {
///         Want::Skip
///     }
///     fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
///         Ok(None)
///     }
/// }
///
/// let built = Image::new().layer(Layer::new().file("a", "1").file("b", "2")).build();
/// let blobs = Memory(built.blobs.clone());
/// let image = read(&blobs, &built.manifest, None, "example/app:1", &Nothing, &Options::default()).unwrap();
/// assert_eq!(image.tree.entries, 2);
/// ```
pub fn read(
    blobs: &dyn Blobs,
    digest: &Digest,
    media_type: Option<&str>,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let mut search = Search { blobs, options, documents: 0 };
    let (digest, manifest) = search.image(digest, media_type)?;
    let config_type = manifest.config.media_type.as_str();
    if !matches!(config_type, OCI_CONFIG | DOCKER_CONFIG | "" | "application/octet-stream") {
        let kind = manifest.artifact_type.as_deref().unwrap_or(config_type);
        let why = format!("holds `{}`, which is not a container image", shown(kind));
        return Err(Error::malformed(format!("manifest {digest}"), why));
    }
    let what = format!("configuration {}", manifest.config.digest);
    let bytes =
        document(blobs.blob(&manifest.config.digest)?, &manifest.config.digest, "configuration", MAX_CONFIG)?;
    let parsed = config::parse(&bytes, &what)?;
    if manifest.layers.len() != parsed.diff_ids.len() {
        let counts = format!("{} layers, the configuration {}", manifest.layers.len(), parsed.diff_ids.len());
        return Err(Error::malformed(format!("manifest {digest}"), format!("lists {counts}")));
    }
    if let (Some(wanted), Some(offered)) = (&options.platform, &parsed.platform)
        && !wanted.accepts(offered)
    {
        let (wanted, offered) = (wanted.clone(), offered.to_string());
        return Err(Error::Platform { what: format!("manifest {digest}"), wanted, offered });
    }
    let subject = Subject {
        reference: reference.to_owned(),
        name: None,
        digest: Some(digest.clone()),
        config: Some(manifest.config.digest.clone()),
        platform: parsed.platform.clone(),
    };
    if options.known.is_some_and(|known| known(&digest)) {
        let tree = Tree { layers: listed(&manifest, &parsed), ..Tree::default() };
        return Ok(Image { subject, read: false, tree, config: parsed.config, history: parsed.history });
    }
    let tree = assemble(&steps(blobs, &manifest, &parsed, options.lazy), selector, options)?;
    Ok(Image { subject, read: true, tree, config: parsed.config, history: parsed.history })
}

/// The layers without what is in them.
fn listed(manifest: &Manifest, parsed: &config::Parsed) -> Vec<Layer> {
    let complete = parsed.steps.len() == manifest.layers.len();
    (manifest.layers.iter().zip(&parsed.diff_ids).enumerate())
        .map(|(at, (layer, diff_id))| Layer {
            digest: Some(layer.digest.clone()),
            diff_id: Some(diff_id.clone()),
            size: layer.size,
            created_by: if complete { parsed.steps.get(at).cloned().flatten() } else { None },
        })
        .collect()
}

/// The layers to read, each with its build step where the history tells.
fn steps<'a>(
    blobs: &'a dyn Blobs,
    manifest: &Manifest,
    parsed: &config::Parsed,
    lazy: bool,
) -> Vec<Step<'a>> {
    let complete = parsed.steps.len() == manifest.layers.len();
    (manifest.layers.iter().zip(&parsed.diff_ids).enumerate())
        .map(|(at, (layer, diff_id))| {
            let created_by = if complete { parsed.steps.get(at).cloned().flatten() } else { None };
            let table = if lazy { toc::Place::of(blobs, layer) } else { None };
            Step { table, ..step(blobs, layer, diff_id, created_by) }
        })
        .collect()
}

fn step<'a>(
    blobs: &'a dyn Blobs,
    layer: &Descriptor,
    diff_id: &Digest,
    created_by: Option<String>,
) -> Step<'a> {
    let digest = layer.digest.clone();
    let open = Box::new(move || blobs.blob(&digest));
    let part = Part {
        name: LayerName::Digest(layer.digest.clone()),
        digest: Some(layer.digest.clone()),
        diff_id: Some(diff_id.clone()),
        size: Some(layer.size),
        open,
    };
    Step { part, created_by, unread: unread(blobs, layer), table: None }
}

/// Why `layer` cannot be read, if so: the report then says that it is incomplete.
fn unread(blobs: &dyn Blobs, layer: &Descriptor) -> Option<String> {
    let kind = layer.media_type.as_str();
    if kind.contains("+encrypted") {
        return Some("encrypted: decrypt the image first (skopeo copy --decryption-key)".to_owned());
    }
    let foreign = kind.contains("foreign") || kind.contains("nondistributable");
    if foreign && blobs.blob(&layer.digest).is_err() {
        return Some("a foreign layer, kept elsewhere: push the image with its foreign layers".to_owned());
    }
    let archive = foreign || kind.is_empty() || kind.contains("tar") || kind == "application/octet-stream";
    (!archive).then(|| format!("`{}` is no layer of files that we know", shown(kind)))
}

/// The way from an index to an image.
struct Search<'a> {
    blobs: &'a dyn Blobs,
    options: &'a Options<'a>,
    documents: usize,
}

impl Search<'_> {
    fn image(&mut self, digest: &Digest, media_type: Option<&str>) -> Result<(Digest, Manifest), Error> {
        match self.document(digest, media_type)? {
            Document::Manifest(manifest) => Ok((digest.clone(), *manifest)),
            Document::Index(index) => {
                let what = format!("index {digest}");
                let found = self.choose(&index, 1)?;
                found.ok_or_else(|| no_platform(&what, &index, self.options))
            }
        }
    }

    fn choose(&mut self, index: &Index, depth: usize) -> Result<Option<(Digest, Manifest)>, Error> {
        if depth > MAX_NESTING {
            return Err(Error::malformed(
                "index",
                format!("more than {MAX_NESTING} indexes inside each other"),
            ));
        }
        if let Some(chosen) = pick(index, self.options)
            && let Document::Manifest(manifest) = self.document(&chosen.digest, Some(&chosen.media_type))?
        {
            return Ok(Some((chosen.digest.clone(), *manifest)));
        }
        for nested in index.manifests.iter().filter(|entry| entry.is_index()) {
            if let Document::Index(inner) = self.document(&nested.digest, Some(&nested.media_type))?
                && let Some(found) = self.choose(&inner, depth + 1)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn document(&mut self, digest: &Digest, media_type: Option<&str>) -> Result<Document, Error> {
        self.documents += 1;
        if self.documents > MAX_DOCUMENTS {
            return Err(Error::malformed(
                "index",
                format!("leads through more than {MAX_DOCUMENTS} manifests"),
            ));
        }
        let reader: Box<dyn Read + Send + '_> = self.blobs.manifest(digest)?;
        let bytes = document(reader, digest, "manifest", MAX_MANIFEST)?;
        manifest::parse(&bytes, media_type.filter(|kind| !kind.is_empty())).map_err(|error| match error {
            Error::Malformed { why, .. } => Error::malformed(format!("manifest {digest}"), why),
            other => other,
        })
    }
}

/// The image of `index` to take: the first that fits, an exact match before others. An index of a single image
/// offers no choice, so without a wish that one is taken.
fn pick<'i>(index: &'i Index, options: &Options<'_>) -> Option<&'i Descriptor> {
    let images: Vec<&Descriptor> =
        index.manifests.iter().filter(|entry| !entry.is_attestation() && !entry.is_index()).collect();
    let wanted = options.wanted_platform();
    let exact = images.iter().find(|entry| entry.platform.as_ref() == Some(&wanted));
    let fits =
        || images.iter().find(|entry| entry.platform.as_ref().is_some_and(|offered| wanted.accepts(offered)));
    let only = || match images.as_slice() {
        [only] if options.platform.is_none() || only.platform.is_none() => Some(only),
        _ => None,
    };
    exact.or_else(fits).or_else(only).copied()
}

fn no_platform(what: &str, index: &Index, options: &Options<'_>) -> Error {
    let mut offered: Vec<String> = index
        .manifests
        .iter()
        .filter(|entry| !entry.is_attestation())
        .filter_map(|entry| entry.platform.as_ref().map(|platform| shown(&platform.to_string())))
        .take(30)
        .collect();
    offered.dedup();
    let offered = if offered.is_empty() { "it names no platforms".to_owned() } else { offered.join(", ") };
    Error::Platform { what: what.to_owned(), wanted: options.wanted_platform(), offered }
}
