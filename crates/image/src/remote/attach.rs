//! Adding an artifact to an image: an SBOM, a report, a licence (OCI image specification 1.1, "Guidelines for Artifact
//! Usage", with an empty configuration).

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use boltseal_model::{Algorithm, Digest, Hasher};
use serde_json::{Value, json};

use super::{Error, Fetched, Name, Repository};
use crate::manifest::OCI_MANIFEST;

/// The empty configuration, and what it is called.
const EMPTY: (&[u8], &str) = (b"{}", "application/vnd.oci.empty.v1+json");
/// How artifacts name their files.
const TITLE: &str = "org.opencontainers.image.title";
/// Files of one artifact. Each is a blob of its own.
const MAX_FILES: usize = 1000;

/// What to add.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// What it is, such as `application/spdx+json`.
    pub artifact_type: String,
    /// Its content, in this order.
    pub files: Vec<Content>,
    /// Free text by key. `org.opencontainers.image.created` makes two of them differ.
    pub annotations: BTreeMap<String, String>,
}

/// One file of it.
#[derive(Clone, Debug)]
pub struct Content {
    /// What it is called in the artifact.
    pub title: String,
    /// What it is.
    pub media_type: String,
    /// Where it is now.
    pub path: PathBuf,
}

/// What was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The artifact's manifest.
    pub digest: Digest,
    /// To what.
    pub subject: Digest,
    /// Whether the registry lists it itself; otherwise the list under the fallback tag was changed.
    pub listed: bool,
}

/// An artifact whose only content is at hand.
#[derive(Clone, Debug)]
pub struct Blob<'b> {
    /// What the artifact is.
    pub artifact_type: &'b str,
    /// What its only layer is.
    pub media_type: &'b str,
    /// The layer.
    pub bytes: &'b [u8],
    /// Of the artifact: free text by key.
    pub annotations: BTreeMap<String, String>,
}

impl Repository {
    /// Stores `attachment` as an artifact that refers to the manifest `subject`.
    pub fn attach(&self, subject: Name<'_>, attachment: &Attachment) -> Result<Attached, Error> {
        if attachment.files.len() > MAX_FILES {
            return Err(Error::content("the artifact", format!("has more than {MAX_FILES} files")));
        }
        let subject = self.subject(subject)?;
        let mut layers: Vec<Value> = Vec::new();
        for file in &attachment.files {
            layers.push(self.put_file(file)?);
        }
        self.refer(&subject, &attachment.artifact_type, layers, &attachment.annotations)
    }

    /// The same for content that is no file.
    pub fn attach_blob(&self, subject: Name<'_>, blob: &Blob<'_>) -> Result<Attached, Error> {
        let subject = self.subject(subject)?;
        let digest = self.put_blob(blob.bytes)?;
        let layer = json!({ "mediaType": blob.media_type, "digest": digest, "size": blob.bytes.len() });
        self.refer(&subject, blob.artifact_type, vec![layer], &blob.annotations)
    }

    fn refer(
        &self,
        subject: &Fetched,
        artifact_type: &str,
        mut layers: Vec<Value>,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Attached, Error> {
        let empty = json!({ "mediaType": EMPTY.1, "digest": self.put_blob(EMPTY.0)?, "size": EMPTY.0.len() });
        if layers.is_empty() {
            layers.push(empty.clone()); // the specification wants at least one
        }
        let said = Some(subject.media_type.as_str()).filter(|said| !said.is_empty());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": empty,
            "layers": layers,
            "subject": {
                "mediaType": said.unwrap_or(OCI_MANIFEST),
                "digest": subject.digest,
                "size": subject.bytes.len(),
            },
        });
        if let Some(fields) = manifest.as_object_mut().filter(|_| !annotations.is_empty()) {
            fields.insert("annotations".to_owned(), json!(annotations));
        }
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        let stored = self.put_referrer(Name::Digest(&digest), OCI_MANIFEST, &bytes, &subject.digest)?;
        Ok(Attached { digest, subject: subject.digest.clone(), listed: stored.listed })
    }

    fn put_file(&self, file: &Content) -> Result<Value, Error> {
        let (digest, size) = measured(&file.path)?;
        if !self.has_blob(&digest)? {
            self.put_blob_from(&digest, size, &mut || Ok(Box::new(opened(&file.path)?)))?;
        }
        Ok(json!({
            "mediaType": file.media_type,
            "digest": digest,
            "size": size,
            "annotations": { TITLE: file.title },
        }))
    }
}

/// Digest and size. A file that changes before it is sent is refused by the registry.
fn measured(path: &Path) -> Result<(Digest, u64), Error> {
    let mut file = opened(path)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let (mut size, mut buffer) = (0, vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(read) => {
                hasher.update(buffer.get(..read).unwrap_or_default());
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(path.display().to_string(), error)),
        }
    }
}

fn opened(path: &Path) -> Result<File, Error> {
    let missing = || Error::io(path.display().to_string(), io::Error::from(io::ErrorKind::NotFound));
    match crate::source::files::open_regular(path) {
        Ok(Some((file, _))) => Ok(file),
        Ok(None) => Err(missing()),
        Err(other) => Err(Error::content(path.display().to_string(), other)),
    }
}
