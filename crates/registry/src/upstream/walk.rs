//! A whole image for a job: the images of an index before the index, what refers to it afterwards.

use std::collections::BTreeSet;

use boltseal_image::{
    MAX_NESTING,
    manifest::{DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Document, Index, OCI_INDEX, OCI_MANIFEST},
    remote::Fetched,
};
use boltseal_model::{Digest, Platform};
use tokio::task::spawn_blocking;

use super::{Bring, Trouble, fetch::Reference};

/// Manifests of one image, referrers included. The largest real index, with signatures, has some thousand.
const MAX_MANIFESTS: usize = 10_000;
/// Bytes of the manifests of one index in memory at the same time. Real ones have some hundred kilobytes.
const MAX_BYTES: usize = 64 << 20;
/// Referrers of referrers of …: a signature of an SBOM of an image is the second.
const MAX_REFERRALS: usize = 4;
/// What cosign appended to the tag of a digest before there were referrers.
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];
/// Which image an attestation of `BuildKit` is about.
const ABOUT: &str = "vnd.docker.reference.digest";

/// What belongs to an image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// Which images of an index; all of them if none is named.
    pub(crate) platforms: Vec<Platform>,
    /// Whether what refers to it does.
    pub(crate) referrers: bool,
}

impl Bring {
    /// Brings an image with its parts, and gives its digest. What is here is not fetched again.
    pub(crate) async fn image(
        &self,
        reference: Reference,
        tags: Vec<String>,
        parts: &Parts,
    ) -> Result<Digest, Trouble> {
        let root = self.look(reference).await?;
        let digest = root.digest.clone();
        let mut brought = self.with_parts(root, tags, parts).await?;
        if parts.referrers {
            let mut seen: BTreeSet<Digest> = brought.iter().cloned().collect();
            for _ in 0..MAX_REFERRALS {
                brought = self.referrers(brought, &mut seen, parts).await?;
                if brought.is_empty() {
                    break;
                }
            }
        }
        Ok(digest)
    }

    /// A manifest and what it lists. Gives all of their digests.
    async fn with_parts(
        &self,
        root: Fetched,
        tags: Vec<String>,
        parts: &Parts,
    ) -> Result<Vec<Digest>, Trouble> {
        let (top, mut bytes) = (root.digest.clone(), root.bytes.len());
        let (mut todo, mut order, mut all) = (vec![(root, MAX_NESTING)], Vec::new(), vec![top.clone()]);
        while let Some((fetched, depth)) = todo.pop() {
            let document = fetched.document().map_err(|error| Trouble::of(&error))?;
            if let (Document::Index(index), Some(depth)) = (&document, depth.checked_sub(1)) {
                for child in chosen(index, &parts.platforms) {
                    if all.contains(&child.digest) {
                        continue;
                    }
                    all.push(child.digest.clone());
                    // One that is here is here with its blobs; an index may be here without its images.
                    if !child.is_index()
                        && self.inner.facts.manifest(&self.into, &child.digest).await?.is_some()
                    {
                        continue;
                    }
                    let fetched = self.look(Reference::Digest(child.digest.clone())).await?;
                    bytes += fetched.bytes.len();
                    todo.push((fetched, depth));
                    if all.len() > MAX_MANIFESTS || bytes > MAX_BYTES {
                        return Err(Trouble::Wrong(format!("{top} lists more than an image can have")));
                    }
                }
            }
            order.push(fetched);
        }
        for fetched in order.into_iter().rev() {
            let tags = if fetched.digest == top { tags.clone() } else { Vec::new() };
            self.manifest(fetched, tags).await?;
        }
        Ok(all)
    }

    /// What refers to these.
    async fn referrers(
        &self,
        subjects: Vec<Digest>,
        seen: &mut BTreeSet<Digest>,
        parts: &Parts,
    ) -> Result<Vec<Digest>, Trouble> {
        let mut brought = Vec::new();
        for subject in subjects {
            for referrer in self.listed(&subject).await? {
                if seen.len() > MAX_MANIFESTS || !seen.insert(referrer.digest.clone()) {
                    continue;
                }
                brought.push(referrer.digest.clone());
                if self.inner.facts.manifest(&self.into, &referrer.digest).await?.is_none() {
                    let fetched = self.look(Reference::Digest(referrer.digest)).await?;
                    self.with_parts(fetched, Vec::new(), parts).await?;
                }
            }
            for suffix in COSIGN {
                let tag = format!("{}-{}{suffix}", subject.algorithm().name(), subject.hex());
                match self.look(Reference::Tag(tag.clone())).await {
                    Ok(fetched) => drop(self.with_parts(fetched, vec![tag], parts).await?),
                    Err(Trouble::Missing(_) | Trouble::Denied(_)) => {}
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        Ok(brought)
    }

    async fn listed(&self, subject: &Digest) -> Result<Vec<Descriptor>, Trouble> {
        let (from, subject) = (self.from.clone(), subject.clone());
        let found = spawn_blocking(move || from.referrers(&subject, None)).await.map_err(Trouble::ended)?;
        found.map_err(|error| Trouble::of(&error))
    }
}

/// The manifests of an index that are wanted: images for the platforms, and what is attested of them.
fn chosen<'i>(index: &'i Index, platforms: &[Platform]) -> Vec<&'i Descriptor> {
    let fits = |one: &Descriptor| {
        let offered = one.platform.as_ref();
        platforms.is_empty() || offered.is_none_or(|offered| platforms.iter().any(|p| p.accepts(offered)))
    };
    let manifests = || index.manifests.iter().filter(|one| is_manifest(one));
    let images: BTreeSet<String> = manifests()
        .filter(|one| !one.is_attestation() && fits(one))
        .map(|one| one.digest.to_string())
        .collect();
    let about = |one: &Descriptor| one.annotations.get(ABOUT).is_some_and(|image| images.contains(image));
    manifests().filter(|one| images.contains(&one.digest.to_string()) || about(one)).collect()
}

/// Whether an entry of an index is a manifest; it may be any blob.
fn is_manifest(entry: &Descriptor) -> bool {
    matches!(entry.media_type.as_str(), "" | OCI_MANIFEST | OCI_INDEX | DOCKER_MANIFEST | DOCKER_LIST)
}
