//! OCI image layout (image specification, "Image Layout"), in a folder (`oci:`) or in an archive (`oci-archive:`).

use std::io::Read;

use boltseal_model::{Digest, Selector};

use super::files::Files;
use crate::{
    Blobs, Error, Image, MAX_MANIFEST, Options,
    error::shown,
    manifest::{self, Descriptor, Document, Index},
    read,
};

/// The short name of an image in a layout.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Its whole name, as containerd and Docker write it.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// The blobs of a layout.
struct Layout<'f>(&'f dyn Files);

impl Blobs for Layout<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let name = format!("blobs/{}/{}", digest.algorithm().name(), digest.hex());
        let found = self.0.open(&name)?;
        found
            .map(|(reader, _)| reader)
            .ok_or_else(|| Error::NoBlob { digest: digest.clone(), place: self.0.place() })
    }
}

/// Opens the image `wanted` (a tag, a name, or `@digest`), or the only one.
pub fn open(
    files: &dyn Files,
    wanted: Option<&str>,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let what = || format!("index.json of {}", files.place());
    let missing = || Error::malformed(files.place(), "has no index.json: it is not an OCI image layout");
    let bytes = files.document("index.json", MAX_MANIFEST)?.ok_or_else(missing)?;
    let index = match manifest::parse(&bytes, None) {
        Ok(Document::Index(index)) => *index,
        Ok(Document::Manifest(_)) => return Err(Error::malformed(what(), "is a manifest, not an index")),
        Err(Error::Malformed { why, .. }) => return Err(Error::malformed(what(), why)),
        Err(other) => return Err(other),
    };
    let chosen = match wanted {
        Some(wanted) => named(&index, wanted).ok_or_else(|| not_found(files, wanted, &index))?,
        None => only(&index, options).ok_or_else(|| not_found(files, "(none given)", &index))?,
    };
    read(&Layout(files), &chosen.digest, Some(&chosen.media_type), reference, selector, options)
}

pub fn named<'i>(index: &'i Index, wanted: &str) -> Option<&'i Descriptor> {
    if let Some(digest) = wanted.strip_prefix('@') {
        return index.manifests.iter().find(|entry| entry.digest.to_string() == digest);
    }
    let names = |entry: &&Descriptor| {
        [REF_NAME, IMAGE_NAME]
            .iter()
            .any(|key| entry.annotations.get(*key).is_some_and(|name| name == wanted))
    };
    index.manifests.iter().find(names)
}

/// Without a name: the only image, or the one for the wanted platform if that is what tells them apart.
fn only<'i>(index: &'i Index, options: &Options<'_>) -> Option<&'i Descriptor> {
    let mut images: Vec<&Descriptor> =
        index.manifests.iter().filter(|entry| !entry.is_attestation()).collect();
    images.sort_by(|a, b| a.digest.cmp(&b.digest));
    images.dedup_by(|a, b| a.digest == b.digest); // one image under several names
    if let [only] = images.as_slice() {
        return Some(only);
    }
    let wanted = options.wanted_platform();
    images.retain(|entry| entry.platform.as_ref().is_some_and(|offered| wanted.accepts(offered)));
    match images.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

pub fn not_found(files: &dyn Files, wanted: &str, index: &Index) -> Error {
    let label = |entry: &Descriptor| {
        let name = entry.annotations.get(REF_NAME).or_else(|| entry.annotations.get(IMAGE_NAME));
        name.map_or_else(|| format!("@{}", entry.digest), |name| shown(name))
    };
    let names: Vec<String> = index.manifests.iter().take(30).map(label).collect();
    let found = if names.is_empty() {
        "index.json lists no images".to_owned()
    } else {
        format!("choose one of: {}", names.join(", "))
    };
    Error::NotFound { place: files.place(), wanted: shown(wanted), found }
}
