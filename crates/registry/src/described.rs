//! What a manifest and its configuration say of themselves, for searching and for telling what has grown old.

use std::collections::BTreeMap;

use boltseal_image::{
    config,
    manifest::{Document, Manifest},
};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{About, Blobs, BuildStep};

/// OCI image specification 1.1, "Pre-Defined Annotation Keys".
const CREATED: &str = "org.opencontainers.image.created";
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// Bytes of a configuration that is read for this; longer ones say nothing.
const MAX_CONFIG: u64 = 4 << 20;

/// What a document says. `None` where it is an image whose configuration cannot be read: that may come later.
pub(crate) fn of(document: &Document, is_image: bool, blobs: &Blobs) -> Option<About> {
    match document {
        Document::Index(index) => Some(by_annotations(&index.annotations, About::default())),
        Document::Manifest(manifest) if is_image => {
            Some(by_annotations(&manifest.annotations, by_configuration(manifest, blobs)?))
        }
        Document::Manifest(manifest) => Some(by_annotations(&manifest.annotations, About::default())),
    }
}

fn by_configuration(manifest: &Manifest, blobs: &Blobs) -> Option<About> {
    let bytes = blobs.content(&manifest.config.digest, MAX_CONFIG).ok()?;
    let parsed = config::parse(&bytes, "the configuration").ok()?;
    // By what is in the archives, not by how they were compressed.
    let layers: Vec<Digest> = if parsed.diff_ids.len() == manifest.layers.len() {
        parsed.diff_ids
    } else {
        manifest.layers.iter().map(|layer| layer.digest.clone()).collect()
    };
    let labels = parsed.config.labels;
    let base_digest = labels.get(BASE_DIGEST).and_then(|text| text.parse().ok());
    Some(About {
        created: parsed.config.created.as_deref().and_then(moment),
        base_name: labels.get(BASE_NAME).cloned(),
        base_digest,
        layers,
        labels: labels.into_iter().collect(),
        history: Some(parsed.history.into_iter().map(step).collect()),
    })
}

fn step(made: config::Made) -> BuildStep {
    BuildStep { created: made.created, step: made.created_by, comment: made.comment, empty: made.empty_layer }
}

/// What annotations say counts before what labels say.
fn by_annotations(annotations: &BTreeMap<String, String>, mut about: About) -> About {
    let value = |name: &str| annotations.get(name).filter(|text| !text.is_empty());
    about.created = about.created.or_else(|| value(CREATED).and_then(|text| moment(text)));
    if let Some(name) = value(BASE_NAME) {
        about.base_name = Some(name.clone());
    }
    if let Some(digest) = value(BASE_DIGEST).and_then(|text| text.parse().ok()) {
        about.base_digest = Some(digest);
    }
    let mut all: Vec<(String, String)> =
        annotations.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    all.append(&mut about.labels);
    About { labels: all, ..about }
}

/// RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
