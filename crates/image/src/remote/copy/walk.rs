//! The order in which the parts of an image are copied.

use std::collections::BTreeSet;

use boltseal_model::{Digest, Platform};

use super::{
    Copied, CopyOptions, Platforms, Progress, Store,
    blobs::{self, Route},
    place::Role,
};
use crate::{
    MAX_NESTING,
    manifest::{
        DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Document, Index, Manifest, OCI_INDEX, OCI_MANIFEST,
    },
    remote::{Error, Fetched},
};

/// Manifests of one copy, referrers included. The largest real index, with signatures, has some thousand.
const MAX_MANIFESTS: usize = 100_000;
/// Referrers of referrers of …: a signature of an SBOM of an image is the second.
const MAX_REFERRALS: usize = 8;
/// What cosign appended to the tag of a digest before there were referrers.
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];
/// Which image an attestation of `BuildKit` is about.
const ABOUT: &str = "vnd.docker.reference.digest";

/// A copy in progress.
pub(super) struct Walk<'c> {
    from: &'c Store,
    to: &'c Store,
    options: &'c CopyOptions,
    progress: &'c dyn Progress,
    /// Manifests that were looked at.
    seen: BTreeSet<Digest>,
    pub copied: Copied,
}

/// How much deeper it may go.
#[derive(Clone, Copy)]
struct Depth {
    indexes: usize,
    referrals: usize,
}

impl<'c> Walk<'c> {
    pub(super) fn new(
        from: &'c Store,
        to: &'c Store,
        options: &'c CopyOptions,
        progress: &'c dyn Progress,
        digest: Digest,
    ) -> Self {
        let copied = Copied {
            digest,
            manifests: 0,
            manifests_there: 0,
            blobs: 0,
            mounted: 0,
            blobs_there: 0,
            bytes: 0,
            referrers: 0,
            failed: Vec::new(),
        };
        Self { from, to, options, progress, seen: BTreeSet::new(), copied }
    }

    /// Copies the image that was asked for.
    pub(super) fn root(&mut self, fetched: &Fetched, tag: Option<&str>) -> Result<(), Error> {
        let depth = Depth { indexes: MAX_NESTING, referrals: MAX_REFERRALS };
        self.manifest(fetched, Role { tag, top: true, subject: None }, depth)
    }

    fn manifest(&mut self, fetched: &Fetched, role: Role<'_>, depth: Depth) -> Result<(), Error> {
        if !self.seen.insert(fetched.digest.clone()) && role.tag.is_none() {
            return Ok(());
        }
        if self.seen.len() > MAX_MANIFESTS {
            let why = format!("has more than {MAX_MANIFESTS} manifests around it");
            return Err(Error::content(self.copied.digest.to_string(), why));
        }
        let there = self.to.has_manifest(&fetched.digest)?;
        let document = fetched.document()?;
        let subject = match &document {
            Document::Index(index) => {
                self.index(&fetched.digest, index, depth)?;
                index.subject.as_ref()
            }
            Document::Manifest(manifest) => {
                if !there {
                    self.blobs(manifest)?;
                }
                manifest.subject.as_ref()
            }
        };
        let subject = subject.map(|subject| subject.digest.clone());
        let tagged = match role.tag {
            // What is held back there cannot be compared.
            Some(tag) => there && self.to.tagged(tag)?.as_ref() == Some(&fetched.digest),
            None => true,
        };
        // A layout knows manifests that are on nobody's list; they are put there.
        let is_listed = !role.top || matches!(self.to, Store::Repository(_));
        if there && tagged && is_listed {
            self.copied.manifests_there += 1;
        } else {
            self.to.put_manifest(fetched, Role { subject: subject.as_ref(), ..role })?;
            self.copied.manifests += 1;
        }
        if self.options.referrers { self.referrers(&fetched.digest, depth) } else { Ok(()) }
    }

    /// The images of an index, as far as they are wanted.
    fn index(&mut self, digest: &Digest, index: &Index, depth: Depth) -> Result<(), Error> {
        let Some(indexes) = depth.indexes.checked_sub(1) else {
            return Err(Error::content(digest.to_string(), "indexes in indexes without end"));
        };
        let depth = Depth { indexes, ..depth };
        let mut missing = 0;
        for child in chosen(index, &self.options.platforms) {
            if let Err(error) = self.child(child, depth) {
                if !self.options.keep_going {
                    return Err(error);
                }
                missing += 1;
                self.copied.failed.push((child.digest.clone(), error));
            }
        }
        if missing == 0 {
            return Ok(());
        }
        Err(Error::content(
            digest.to_string(),
            format!("is not stored, since {missing} of its parts are missing"),
        ))
    }

    fn child(&mut self, child: &Descriptor, depth: Depth) -> Result<(), Error> {
        if is_manifest(child) {
            let fetched = self.from.manifest(&child.digest)?;
            return self.manifest(&fetched, Role::default(), depth);
        }
        self.carry(&[child])
    }

    /// Everything that refers to `digest`.
    fn referrers(&mut self, digest: &Digest, depth: Depth) -> Result<(), Error> {
        let Some(referrals) = depth.referrals.checked_sub(1) else { return Ok(()) };
        let depth = Depth { referrals, indexes: MAX_NESTING };
        for referrer in self.from.referrers(digest)? {
            let copied = self.from.manifest(&referrer.digest).and_then(|fetched| {
                self.manifest(&fetched, Role { tag: None, top: true, subject: Some(digest) }, depth)
            });
            self.note(&referrer.digest, copied)?;
        }
        for suffix in COSIGN {
            let tag = format!("{}-{}{suffix}", digest.algorithm().name(), digest.hex());
            let Some(found) = self.from.tagged(&tag)? else { continue };
            let copied = self.from.manifest(&found).and_then(|fetched| {
                self.manifest(&fetched, Role { tag: Some(&tag), top: true, subject: None }, depth)
            });
            self.note(&found, copied)?;
        }
        Ok(())
    }

    /// What became of a referrer.
    fn note(&mut self, digest: &Digest, copied: Result<(), Error>) -> Result<(), Error> {
        match copied {
            Ok(()) => self.copied.referrers += 1,
            Err(error) if self.options.keep_going => self.copied.failed.push((digest.clone(), error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn blobs(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let all = std::iter::once(&manifest.config).chain(&manifest.layers);
        let each: Vec<&Descriptor> = all.filter(|blob| seen.insert(&blob.digest)).collect();
        self.carry(&each)
    }

    fn carry(&mut self, each: &[&Descriptor]) -> Result<(), Error> {
        self.progress.plan(each.iter().map(|blob| blob.size).fold(0, u64::saturating_add));
        let route = Route { from: self.from, to: self.to, progress: self.progress };
        let carried = blobs::all(&route, each, self.options.parallel)?;
        self.copied.blobs += carried.sent;
        self.copied.mounted += carried.mounted;
        self.copied.blobs_there += carried.there;
        self.copied.bytes += carried.bytes;
        Ok(())
    }
}

/// The entries to copy: images for the platforms, and what is attested of them.
fn chosen<'i>(index: &'i Index, platforms: &Platforms) -> Vec<&'i Descriptor> {
    let Platforms::Only(wanted) = platforms else { return index.manifests.iter().collect() };
    let fits = |platform: &Platform| wanted.iter().any(|wanted| wanted.accepts(platform));
    let is_image = |one: &Descriptor| !one.is_attestation() && one.platform.as_ref().is_none_or(fits);
    let images: BTreeSet<String> =
        index.manifests.iter().filter(|one| is_image(one)).map(|one| one.digest.to_string()).collect();
    let about = |one: &Descriptor| one.annotations.get(ABOUT).is_some_and(|image| images.contains(image));
    index.manifests.iter().filter(|one| images.contains(&one.digest.to_string()) || about(one)).collect()
}

/// Whether an entry of an index is a manifest; it may be any blob.
fn is_manifest(entry: &Descriptor) -> bool {
    matches!(entry.media_type.as_str(), "" | OCI_MANIFEST | OCI_INDEX | DOCKER_MANIFEST | DOCKER_LIST)
}
