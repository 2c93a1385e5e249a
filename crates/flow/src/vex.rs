//! Which VEX documents are believed, and what they change in a report.
//!
//! ```no_run
//! use boltseal_flow::{Wanted, vex::Beliefs};
//! # fn main() -> Result<(), boltseal_flow::Error> {
//! # let (wanted, mut report): (Wanted<'_>, boltseal_model::Report) = unimplemented!();
//! let beliefs = Beliefs::read(&["shop.openvex.json".into()], false)?;
//! let outcome = beliefs.apply(wanted.options, &mut report)?;
//! assert_eq!(outcome.applied.set_aside, report.omitted.ignored.len());
//! # Ok(()) }
//! ```
//!
//! Files and VEX repositories are believed because the user names them. What is attached to the image in its registry is
//! believed only where the user asks for that: everybody who may push may attach, and signatures are not checked here.
//! A file that cannot be read is an error; an attachment that cannot is told, and counts for nothing.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use boltseal_image::{
    Options, is_in_registry,
    manifest::{self, Descriptor},
    remote::{Access, Name, Remote, Repository},
};
use boltseal_model::{Digest, Report};
use boltseal_scan::vex::{
    self, Applied, Document, MAX_BYTES, Origin,
    repository::{INDEX, Index},
};

use crate::Error;

/// Attachments of one image that are read. Nobody has more than a document a team and release.
const MAX_ATTACHED: usize = 1_000;
/// What such documents are called as artifacts or layers.
const MEDIA_TYPES: [&str; 7] = [
    vex::write::MEDIA_TYPE,
    "application/vnd.openvex+json",
    "application/vex+json",
    "application/csaf+json",
    "application/vnd.csaf+json",
    "application/vnd.cyclonedx+json",
    "application/vnd.cyclonedx.vex+json",
];

/// What the user believes.
#[derive(Debug, Default)]
pub struct Beliefs {
    documents: Vec<Document>,
    repositories: Vec<(PathBuf, Index)>,
    attached: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Counts.
    pub applied: Applied,
    /// How many documents were read.
    pub documents: usize,
    /// What counts for nothing, and why: statements, and attachments that are no documents.
    pub unsound: Vec<String>,
}

impl Beliefs {
    /// Reads the documents and VEX repositories (folders with an `index.json`, or with a version of it) at `paths`;
    /// `attached` believes what lies beside the image in its registry, too.
    pub fn read(paths: &[PathBuf], attached: bool) -> Result<Self, Error> {
        let mut beliefs = Self { attached, ..Self::default() };
        for path in paths {
            if path.is_dir() {
                let folder =
                    [path.clone(), path.join("0.1")].into_iter().find(|one| one.join(INDEX).is_file());
                let folder = folder.unwrap_or_else(|| path.clone());
                let index = folder.join(INDEX);
                let name = index.display().to_string();
                let index = Index::parse(&bytes(&index)?, &name)?;
                beliefs.repositories.push((folder, index));
            } else {
                beliefs.documents.push(document(path)?);
            }
        }
        Ok(beliefs)
    }

    /// Whether nothing is believed.
    pub const fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.repositories.is_empty() && !self.attached
    }

    /// Applies all of them to `report`, whose image is reached with `options`.
    pub fn apply(&self, options: &Options<'_>, report: &mut Report) -> Result<Outcome, Error> {
        let mut documents = self.documents.clone();
        let (mut unsound, mut also) = (Vec::new(), Vec::new());
        for (folder, index) in &self.repositories {
            for location in index.about(report) {
                documents.push(document(&folder.join(location))?);
            }
        }
        if self.attached {
            also = attached(options, report, &mut documents, &mut unsound)?;
        }
        for document in &documents {
            unsound.extend(document.unsound.iter().map(|why| format!("{}: {why}", document.source)));
        }
        let applied = vex::apply(&documents, report, &also);
        Ok(Outcome { applied, documents: documents.len(), unsound })
    }
}

/// The document in the file at `path`.
pub fn document(path: &Path) -> Result<Document, Error> {
    Ok(vex::read(&bytes(path)?, &path.display().to_string(), Origin::Given)?)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| Error::Vex(vex_unreadable(path, &source)))
}

fn vex_unreadable(path: &Path, why: &io::Error) -> vex::Error {
    vex::Error::Unreadable { source_name: path.display().to_string(), why: why.to_string() }
}

/// Adds the documents that refer to the image of `report`, and gives back the digests it goes by in its registry.
fn attached(
    options: &Options<'_>,
    report: &Report,
    documents: &mut Vec<Document>,
    unsound: &mut Vec<String>,
) -> Result<Vec<Digest>, Error> {
    let subject = &report.subject;
    let Some(name) = subject.name.as_ref().filter(|_| is_in_registry(&subject.reference)) else {
        return Err(Error::NoRegistry { reference: subject.reference.clone() });
    };
    let mut access = Access::default();
    access.credentials.clone_from(&options.credentials);
    access.plain_http = options.plain_http;
    access.ca_file.clone_from(&options.ca_file);
    let repository = Remote::of(name, &access)?.repository(name.repository())?;
    // Of a multi-platform image, the index has attachments too.
    let index = repository.head(Name::of(name))?.digest;
    let mut digests: Vec<Digest> = subject.digest.iter().cloned().chain([index]).collect();
    digests.sort();
    digests.dedup();
    for digest in &digests {
        for referrer in found(&repository, digest)? {
            match one(&repository, &referrer) {
                Ok(document) => documents.push(document),
                Err(why) => unsound.push(why),
            }
        }
    }
    Ok(digests)
}

/// What refers to `subject` and is a VEX document by its type.
pub fn found(repository: &Repository, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
    let mut all = repository.referrers(subject, None)?;
    all.retain(|one| one.artifact_type.as_deref().is_some_and(is_document));
    if all.len() > MAX_ATTACHED {
        let source_name = format!("{repository}@{subject}");
        return Err(
            vex::Error::TooMany { source_name, what: "attached documents", limit: MAX_ATTACHED }.into()
        );
    }
    Ok(all)
}

/// Whether artifacts or layers of this type are VEX documents.
pub fn is_document(media_type: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    MEDIA_TYPES.contains(&bare)
}

/// The document in the artifact `referrer`, or why there is none.
fn one(repository: &Repository, referrer: &Descriptor) -> Result<Document, String> {
    let source = format!("referrer {}", referrer.digest);
    content(repository, referrer)
        .map_err(|why| format!("{source}: {why}"))
        .and_then(|bytes| vex::read(&bytes, &source, Origin::Attached).map_err(|why| why.to_string()))
}

/// The bytes of the document in the artifact `referrer`.
pub fn content(repository: &Repository, referrer: &Descriptor) -> Result<Vec<u8>, String> {
    let manifest = repository.manifest(Name::Digest(&referrer.digest)).map_err(|why| why.to_string())?;
    let manifest = match manifest.document().map_err(|why| why.to_string())? {
        manifest::Document::Manifest(manifest) => manifest,
        manifest::Document::Index(_) => return Err("is an index, not an artifact".to_owned()),
    };
    let layer = manifest.layers.iter().find(|layer| is_document(&layer.media_type));
    let layer = layer.or(manifest.layers.first().filter(|_| manifest.layers.len() == 1));
    let layer = layer.ok_or("has no layer that is a VEX document")?;
    if layer.size > MAX_BYTES as u64 {
        return Err(format!("is longer than {MAX_BYTES} bytes"));
    }
    let mut download = repository.blob(&layer.digest, layer.size).map_err(|why| why.to_string())?;
    let mut bytes = Vec::new();
    download.read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    Ok(bytes)
}
