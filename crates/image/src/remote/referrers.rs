//! What says something about a manifest: signatures, SBOMs, attestations (distribution specification, "Listing
//! Referrers"), and the list under a tag where a registry knows no referrers ("Referrers Tag Schema").

use std::collections::BTreeSet;

use boltseal_model::Digest;
use boltseal_wire::client::Method;
use serde_json::{Value, json};

use super::{
    Error, Name, Repository, Stored,
    lists::{MAX_PAGE, MAX_PAGES},
};
use crate::{
    MAX_INDEX,
    manifest::{self, Descriptor, Document, OCI_INDEX},
};

/// Referrers of referrers of …: a signature of an SBOM of an image is the second.
const MAX_DEPTH: usize = 8;
/// Referrers shown as a tree. An image with a signature per build and platform has some hundred.
const MAX_TREE: usize = 10_000;

/// A referrer, and what refers to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Referrer {
    /// What the list says about it.
    pub descriptor: Descriptor,
    /// Those of it.
    pub referrers: Vec<Referrer>,
}

impl Repository {
    /// What refers to `subject`, with the artifact type if one is given. Empty where nothing does, whether or not the
    /// registry knows the subject.
    pub fn referrers(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>, Error> {
        let found = match self.listed(subject, artifact_type)? {
            Some(found) => found,
            None => self.tagged(subject)?,
        };
        // The registry may have filtered; that it did is its word only.
        let wanted =
            |one: &Descriptor| artifact_type.is_none_or(|kind| one.artifact_type.as_deref() == Some(kind));
        let mut seen = BTreeSet::new();
        Ok(found.into_iter().filter(|one| wanted(one) && seen.insert(one.digest.clone())).collect())
    }

    /// The tree of everything that refers to `subject`.
    pub fn discover(&self, subject: &Digest) -> Result<Vec<Referrer>, Error> {
        let mut seen = BTreeSet::from([subject.clone()]);
        self.tree(subject, MAX_DEPTH, &mut seen)
    }

    /// Stores a manifest that refers to `subject`, and where the registry does not list referrers itself, adds it to
    /// the list under the fallback tag. Nothing keeps two writers of that list from overtaking each other.
    pub fn put_referrer(
        &self,
        name: Name<'_>,
        media_type: &str,
        bytes: &[u8],
        subject: &Digest,
    ) -> Result<Stored, Error> {
        let stored = self.put_manifest(name, media_type, bytes)?;
        if !stored.listed && self.listed(subject, None)?.is_none() {
            let entry = entry(media_type, bytes, &stored.digest)?;
            self.relist(subject, |manifests| {
                let digest = entry.get("digest");
                if manifests.iter().any(|one| one.get("digest") == digest) {
                    return false;
                }
                manifests.push(entry.clone());
                true
            })?;
        }
        Ok(stored)
    }

    /// Takes a deleted referrer off the list under the fallback tag, if there is one.
    pub fn forget_referrer(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        if self.listed(subject, None)?.is_some() {
            return Ok(());
        }
        let gone = Value::String(referrer.to_string());
        self.relist(subject, |manifests| {
            let before = manifests.len();
            manifests.retain(|one| one.get("digest") != Some(&gone));
            manifests.len() != before
        })
    }

    fn tree(
        &self,
        subject: &Digest,
        depth: usize,
        seen: &mut BTreeSet<Digest>,
    ) -> Result<Vec<Referrer>, Error> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for descriptor in self.referrers(subject, None)? {
            if seen.len() >= MAX_TREE {
                let what = format!("referrers of {subject}");
                return Err(self.remote.wrong(&what, format!("are more than {MAX_TREE}")));
            }
            if seen.insert(descriptor.digest.clone()) {
                let referrers = self.tree(&descriptor.digest, depth, seen)?;
                found.push(Referrer { descriptor, referrers });
            }
        }
        Ok(found)
    }

    /// What the registry's API says; `None` where it has none.
    fn listed(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Descriptor>>, Error> {
        let what = format!("referrers of {subject} in {}", self.name);
        let first =
            self.remote.ask(Method::Get, &format!("{}/referrers/{subject}", self.name), what.clone())?;
        let mut url = first.url;
        if let Some(kind) = artifact_type {
            url.query_pairs_mut().append_pair("artifactType", kind);
        }
        let mut found = Vec::new();
        for page in 0..MAX_PAGES {
            let mut ask = self.remote.ask_at(Method::Get, url, what.clone()).header("Accept", OCI_INDEX);
            ask.scopes = vec![self.scope("pull")];
            let answer = match self.remote.send(&ask) {
                Err(error) if page == 0 && error.is_unsupported() => return Ok(None),
                other => other?,
            };
            let said = answer.header("content-type").unwrap_or_default().starts_with(OCI_INDEX);
            let next = self.remote.next(&what, &ask.url, &answer)?;
            let bytes = answer
                .bytes(MAX_PAGE)
                .map_err(|source| Error::unreachable(self.remote.host(), &what, source))?;
            match manifest::parse(&bytes, None) {
                Ok(Document::Index(index)) => found.extend(index.manifests),
                // A page for people, as some answer to every address.
                _ if page == 0 && !said => return Ok(None),
                _ => return Err(self.remote.wrong(&what, "is not an index")),
            }
            if found.len() > MAX_INDEX {
                return Err(self.remote.wrong(&what, format!("has more than {MAX_INDEX} entries")));
            }
            match next {
                Some(next) => url = next,
                None => return Ok(Some(found)),
            }
        }
        Err(self.remote.wrong(&what, "has no end"))
    }

    /// What the list under the fallback tag says.
    fn tagged(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        match self.manifest(Name::Tag(&fallback_tag(subject))) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
            Ok(fetched) => match fetched.document()? {
                Document::Index(index) => Ok(index.manifests),
                Document::Manifest(_) => Ok(Vec::new()), // somebody's image that is called so
            },
        }
    }

    /// Changes the list under the fallback tag, keeping everything in it that we do not know.
    fn relist(&self, subject: &Digest, change: impl FnOnce(&mut Vec<Value>) -> bool) -> Result<(), Error> {
        let tag = fallback_tag(subject);
        let what = || format!("list of referrers {tag} of {}", self.name);
        let mut index = match self.manifest(Name::Tag(&tag)) {
            Err(error) if error.is_not_found() => {
                json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] })
            }
            Err(error) => return Err(error),
            Ok(fetched) => {
                serde_json::from_slice(&fetched.bytes).map_err(|why| Error::content(what(), why))?
            }
        };
        let manifests = index
            .get_mut("manifests")
            .and_then(Value::as_array_mut)
            .ok_or_else(|| Error::content(what(), "is an image, not an index"))?;
        if !change(manifests) {
            return Ok(());
        }
        self.put_manifest(Name::Tag(&tag), OCI_INDEX, index.to_string().as_bytes()).map(drop)
    }
}

/// The tag under which clients keep the list where the registry does not.
pub(super) fn fallback_tag(subject: &Digest) -> String {
    let mut tag = format!("{}-{}", subject.algorithm().name(), subject.hex());
    // The specification cuts after 32 and 64 characters; only the second is ever reached.
    tag.truncate(subject.algorithm().name().len() + 1 + 64);
    tag
}

/// How a list describes a referrer: artifact type, or that of the configuration of an image, and its annotations.
pub(super) fn entry(media_type: &str, bytes: &[u8], digest: &Digest) -> Result<Value, Error> {
    let document =
        manifest::parse(bytes, Some(media_type)).map_err(|why| Error::content(digest.to_string(), why))?;
    let (kind, annotations) = match document {
        Document::Manifest(manifest) => {
            (manifest.artifact_type.or(Some(manifest.config.media_type)), manifest.annotations)
        }
        Document::Index(index) => (index.artifact_type, index.annotations),
    };
    let mut entry = json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() });
    if let Some(fields) = entry.as_object_mut() {
        if let Some(kind) = kind.filter(|kind| !kind.is_empty()) {
            fields.insert("artifactType".to_owned(), Value::String(kind));
        }
        if !annotations.is_empty() {
            fields.insert("annotations".to_owned(), json!(annotations));
        }
    }
    Ok(entry)
}
