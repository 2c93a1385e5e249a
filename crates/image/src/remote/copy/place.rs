//! Where images are copied from and to.

use std::{io::Read, path::PathBuf};

use boltseal_model::{Digest, Platform, Reference};

use super::{Layout, Platforms};
use crate::{
    MAX_NESTING,
    manifest::{Descriptor, Document},
    remote::{Access, Error, Fetched, Name, Remote, Repository},
};

/// An image somewhere.
#[derive(Debug)]
pub struct Place {
    /// Which collection of images.
    pub store: Store,
    /// Which of them. A source without is the only image there is; a destination without is stored under no tag.
    pub label: Option<Label>,
}

/// A collection of images.
#[derive(Debug)]
pub enum Store {
    /// In a registry.
    Repository(Repository),
    /// In a folder.
    Layout(Layout),
}

/// What an image is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// Its tag.
    Tag(String),
    /// Its digest.
    Digest(Digest),
}

/// How a manifest is put somewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Role<'r> {
    pub tag: Option<&'r str>,
    /// Whether it stands on its own: the image asked for, or a referrer; not a part of an index.
    pub top: bool,
    pub subject: Option<&'r Digest>,
}

impl Place {
    /// The image that `reference` names.
    pub fn of(reference: &Reference, access: &Access) -> Result<Self, Error> {
        let repository = Remote::of(reference, access)?.repository(reference.repository())?;
        Ok(Self::at(repository, Name::of(reference)))
    }

    /// An image of a repository.
    pub fn at(repository: Repository, name: Name<'_>) -> Self {
        let label = match name {
            Name::Tag(tag) => Label::Tag(tag.to_owned()),
            Name::Digest(digest) => Label::Digest(digest.clone()),
        };
        Self { store: Store::Repository(repository), label: Some(label) }
    }

    /// An image of an OCI image layout.
    pub fn layout(folder: impl Into<PathBuf>, label: Option<Label>) -> Self {
        Self { store: Store::Layout(Layout::new(folder)), label }
    }

    /// The manifest to copy.
    pub(super) fn resolve(&self, platforms: &Platforms) -> Result<Fetched, Error> {
        let mut fetched = self.store.resolve(self.label.as_ref())?;
        let Platforms::One(wanted) = platforms else { return Ok(fetched) };
        for _ in 0..MAX_NESTING {
            let Document::Index(index) = fetched.document()? else { return Ok(fetched) };
            let chosen = choose(&index.manifests, wanted)
                .ok_or_else(|| none(&fetched.digest, wanted, &index.manifests))?;
            fetched = self.store.manifest(&chosen.digest)?;
        }
        Err(Error::content(fetched.digest.to_string(), "indexes in indexes without end"))
    }
}

fn choose<'m>(manifests: &'m [Descriptor], wanted: &Platform) -> Option<&'m Descriptor> {
    let fits = |one: &&Descriptor| one.platform.as_ref().is_some_and(|offered| wanted.accepts(offered));
    let images = || manifests.iter().filter(|one| !one.is_attestation());
    images().find(fits).or_else(|| images().find(|one| one.is_index() && one.platform.is_none()))
}

fn none(digest: &Digest, wanted: &Platform, manifests: &[Descriptor]) -> Error {
    let offered =
        manifests.iter().filter(|one| !one.is_attestation()).filter_map(|one| one.platform.as_ref());
    let offered: Vec<String> = offered.take(30).map(|one| crate::error::shown(&one.to_string())).collect();
    Error::content(
        format!("index {digest}"),
        format!("has no image for {wanted}; there are: {}", offered.join(", ")),
    )
}

impl Store {
    fn resolve(&self, label: Option<&Label>) -> Result<Fetched, Error> {
        match (self, label) {
            (Self::Repository(repository), Some(Label::Tag(tag))) => repository.manifest(Name::Tag(tag)),
            (Self::Repository(repository), None) => repository.manifest(Name::Tag("latest")),
            (Self::Layout(layout), Some(Label::Tag(tag))) => layout.resolve(Some(tag)),
            (Self::Layout(layout), None) => layout.resolve(None),
            (_, Some(Label::Digest(digest))) => self.manifest(digest),
        }
    }

    /// Makes a new layout a layout.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        match self {
            Self::Repository(_) => Ok(()),
            Self::Layout(layout) => layout.prepare(),
        }
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<Fetched, Error> {
        match self {
            Self::Repository(repository) => repository.manifest(Name::Digest(digest)),
            Self::Layout(layout) => layout.manifest(digest),
        }
    }

    /// Whether sending a manifest would be in vain; as with blobs, a registry that holds it back takes it again.
    pub(super) fn has_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        match self {
            Self::Repository(repository) => found(repository.head(Name::Digest(digest))),
            Self::Layout(layout) => layout.has(digest),
        }
    }

    /// What `tag` stands for, if anything.
    pub(super) fn tagged(&self, tag: &str) -> Result<Option<Digest>, Error> {
        match self {
            Self::Repository(repository) => match repository.head(Name::Tag(tag)) {
                Err(error) if error.is_not_found() => Ok(None),
                other => other.map(|head| Some(head.digest)),
            },
            Self::Layout(layout) => layout.tagged(tag),
        }
    }

    pub(super) fn put_manifest(&self, fetched: &Fetched, role: Role<'_>) -> Result<(), Error> {
        match self {
            Self::Repository(repository) => {
                let name = role.tag.map_or(Name::Digest(&fetched.digest), Name::Tag);
                let kind = kind_of(fetched)?;
                match role.subject {
                    Some(subject) => repository.put_referrer(name, &kind, &fetched.bytes, subject),
                    None => repository.put_manifest(name, &kind, &fetched.bytes),
                }
                .map(drop)
            }
            Self::Layout(layout) => layout.put_manifest(fetched, role),
        }
    }

    pub(super) fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        match self {
            Self::Repository(repository) => repository.has_blob(digest),
            Self::Layout(layout) => layout.has(digest),
        }
    }

    pub(super) fn blob(&self, digest: &Digest, size: u64) -> Result<Box<dyn Read + Send + '_>, Error> {
        match self {
            Self::Repository(repository) => Ok(Box::new(repository.blob(digest, size)?)),
            Self::Layout(layout) => Ok(Box::new(layout.blob(digest)?)),
        }
    }

    pub(super) fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        match self {
            Self::Repository(repository) => repository.referrers(digest, None),
            Self::Layout(layout) => layout.referrers(digest),
        }
    }
}

fn found<T>(answer: Result<T, Error>) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() || error.status() == Some(403) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The media type, from the document where the registry that had it did not say.
pub(super) fn kind_of(fetched: &Fetched) -> Result<String, Error> {
    use crate::manifest::{OCI_INDEX, OCI_MANIFEST};
    if !fetched.media_type.is_empty() {
        return Ok(fetched.media_type.clone());
    }
    Ok(match fetched.document()? {
        Document::Index(index) => index.media_type.unwrap_or_else(|| OCI_INDEX.to_owned()),
        Document::Manifest(manifest) => manifest.media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned()),
    })
}
