//! Manifests and indexes of a repository (distribution specification, "Pulling manifests", "Pushing Manifests").

use std::io::Read as _;

use boltseal_model::{Digest, Hasher, Reference};
use boltseal_wire::client::{Method, Response};

use super::{Error, Repository, exchange::Ask};
use crate::{
    MAX_CONFIG, MAX_MANIFEST, config,
    error::shown,
    manifest::{self, DOCKER_LIST, DOCKER_MANIFEST, Document, Manifest, OCI_INDEX, OCI_MANIFEST},
};

/// What a manifest is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'n> {
    /// What it stands for may change.
    Tag(&'n str),
    /// Exactly these bytes.
    Digest(&'n Digest),
}

impl<'n> Name<'n> {
    /// The digest of a pinned reference, else its tag.
    pub fn of(reference: &'n Reference) -> Self {
        reference.digest().map_or_else(|| Self::Tag(reference.tag().unwrap_or("latest")), Self::Digest)
    }
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// What is known of a manifest without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub digest: Digest,
    /// What the registry says it is; empty if it does not say.
    pub media_type: String,
    /// Bytes, where the registry says it.
    pub size: Option<u64>,
}

/// A manifest or index, its bytes checked against its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its name.
    pub digest: Digest,
    /// What the registry says it is; empty if it does not say.
    pub media_type: String,
    /// Exactly as stored.
    pub bytes: Vec<u8>,
}

impl Fetched {
    /// What the bytes say.
    pub fn document(&self) -> Result<Document, Error> {
        let said = Some(self.media_type.as_str()).filter(|text| !text.is_empty());
        manifest::parse(&self.bytes, said).map_err(|error| Error::content(self.digest.to_string(), error))
    }
}

/// What a registry did with a manifest that was sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub digest: Digest,
    /// Whether the registry said that it lists the manifest as a referrer of its subject (`OCI-Subject`). Where it
    /// did not, the list under the fallback tag is ours to keep: see [`Repository::put_referrer`].
    pub listed: bool,
}

impl Repository {
    /// Digest, type and size of a manifest. A registry that does not tell the digest is asked for the bytes, and one
    /// that says no is asked why: an answer to HEAD has no words.
    pub fn head(&self, name: Name<'_>) -> Result<Head, Error> {
        let answer = match self.remote.send(&self.manifest_ask(Method::Head, name)?) {
            Err(error) if error.status() == Some(403) => {
                return Err(self.manifest(name).err().unwrap_or(error));
            }
            other => other?,
        };
        let promised = promised(&answer);
        let (media_type, size) = (media_type(&answer), answer.length());
        match (name, promised) {
            (Name::Digest(digest), _) => Ok(Head { digest: digest.clone(), media_type, size }),
            (_, Some(digest)) => Ok(Head { digest, media_type, size }),
            (_, None) => {
                let fetched = self.manifest(name)?;
                let size = Some(fetched.bytes.len() as u64);
                Ok(Head { digest: fetched.digest, media_type: fetched.media_type, size })
            }
        }
    }

    /// The bytes of a manifest, at most [`MAX_MANIFEST`], checked against the digest asked for or promised.
    pub fn manifest(&self, name: Name<'_>) -> Result<Fetched, Error> {
        self.fetched(&self.manifest_ask(Method::Get, name)?, name)
    }

    /// The same for whoever attaches something to it: a gate that holds the image back lets them read that much.
    pub fn subject(&self, name: Name<'_>) -> Result<Fetched, Error> {
        let mut ask = self.manifest_ask(Method::Get, name)?;
        ask.scopes = vec![self.scope("pull,push")];
        self.fetched(&ask, name)
    }

    fn fetched(&self, ask: &Ask<'_>, name: Name<'_>) -> Result<Fetched, Error> {
        let answer = self.remote.send(ask)?;
        let (media_type, promised) = (media_type(&answer), promised(&answer));
        let bytes = answer
            .bytes(MAX_MANIFEST)
            .map_err(|source| Error::unreachable(self.remote.host(), &ask.what, source))?;
        let expected = match name {
            Name::Digest(digest) => Some(digest.clone()),
            Name::Tag(_) => promised,
        };
        let digest = match expected {
            None => Digest::of(&bytes),
            Some(expected) => checked(&bytes, &expected, &ask.what)?,
        };
        Ok(Fetched { digest, media_type, bytes })
    }

    /// The configuration of an image, at most [`MAX_CONFIG`] bytes. Artifacts have none: that is an error.
    pub fn config(&self, manifest: &Manifest) -> Result<config::Parsed, Error> {
        let digest = &manifest.config.digest;
        let what = format!("configuration {digest} of {self}");
        let mut bytes = Vec::new();
        self.blob(digest, MAX_CONFIG)?
            .read_to_end(&mut bytes)
            .map_err(|error| Error::of_read(&what, error))?;
        config::parse(&bytes, &what).map_err(|error| Error::content(what, error))
    }

    /// Stores exactly `bytes` under a tag, or under their digest only.
    pub fn put_manifest(&self, name: Name<'_>, media_type: &str, bytes: &[u8]) -> Result<Stored, Error> {
        let digest = match name {
            Name::Digest(digest) => checked(bytes, digest, &format!("manifest {digest}"))?,
            Name::Tag(_) => Digest::of(bytes),
        };
        let mut ask = self.manifest_ask(Method::Put, name)?.payload(media_type, bytes);
        ask.accepted = &[201, 200, 202];
        ask.scopes = vec![self.scope("pull,push")];
        let answer = self.remote.send(&ask)?;
        if let Some(other) = promised(&answer).filter(|other| other.algorithm() == digest.algorithm())
            && other != digest
        {
            return Err(Error::digest(ask.what, &digest, other));
        }
        let listed = answer.header("oci-subject").is_some();
        Ok(Stored { digest, listed })
    }

    /// Removes a manifest with all its tags, or one tag where the registry can do that.
    pub fn delete_manifest(&self, name: Name<'_>) -> Result<(), Error> {
        let mut ask = self.manifest_ask(Method::Delete, name)?;
        ask.accepted = &[202, 200, 204];
        ask.scopes = vec![self.scope("delete")];
        self.remote.send(&ask).map(drop)
    }

    fn manifest_ask(&self, method: Method, name: Name<'_>) -> Result<Ask<'static>, Error> {
        if let Name::Tag(tag) = name
            && !Reference::is_tag(tag)
        {
            let why = "a tag has at most 128 letters, digits and . _ -";
            return Err(Error::Name { name: shown(tag), why });
        }
        let what = format!("manifest {name} of {}", self.name);
        let mut ask = self.remote.ask(method, &format!("{}/manifests/{name}", self.name), what)?;
        ask.scopes = vec![self.scope("pull")];
        if method.is_safe() {
            ask = ask.header("Accept", [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", "));
        }
        Ok(ask)
    }
}

fn promised(answer: &Response) -> Option<Digest> {
    answer.header("docker-content-digest")?.parse().ok()
}

/// Without parameters.
fn media_type(answer: &Response) -> String {
    let said = answer.header("content-type").unwrap_or_default();
    shown(said.split(';').next().unwrap_or_default().trim())
}

/// The digest of `bytes`, which must be `expected`.
pub(super) fn checked(bytes: &[u8], expected: &Digest, what: &str) -> Result<Digest, Error> {
    let mut hasher = Hasher::new(expected.algorithm());
    hasher.update(bytes);
    let found = hasher.finish();
    if found == *expected { Ok(found) } else { Err(Error::digest(what, expected, found)) }
}
