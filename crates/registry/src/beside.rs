//! What bears on a verdict besides the bytes of the image: what is attached to it, and what it was built on.
//!
//! Who judges gets it as plain values, gathered before from the facts; bytes of attachments are read while judging.

use std::collections::HashMap;

use boltseal_flow::statements::{Attached, Authority, Authors, Place, Pusher, check, hear, whole};
use boltseal_image::{
    Blobs, MAX_MANIFEST,
    manifest::{Descriptor, Document, parse},
};
use boltseal_model::{Base, Digest, Reference, Report, Signature, Timestamp};
use boltseal_policy::VexAuthors;

/// What a policy asks for besides the bytes of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// What is attached to them.
    pub attached: bool,
    /// What they were built on.
    pub bases: bool,
    /// VEX documents that are attached to them.
    pub vex: bool,
}

/// What bears on the verdict about one image.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// How often what is attached to it changed before this was gathered.
    pub(crate) changes: u64,
    /// The policy that the last verdict was made with.
    pub(crate) policy: Option<Digest>,
    /// What the image goes by: its own digest, and those of indexes that list it.
    pub(crate) subjects: Vec<Digest>,
    /// Signatures as the last verdict saw them, where nothing changed since.
    pub(crate) signatures: Option<Vec<Signature>>,
    /// What is attached, each with what it is attached to: the image, an index that lists it, or a document that is attached
    /// to one of those. `None`: not gathered.
    pub(crate) attached: Option<Vec<(Digest, Attached)>>,
    /// Who pushed those that may be VEX documents, with the roles that they hold for the repository.
    pub(crate) pushers: HashMap<Digest, Vec<Pusher>>,
    /// What it was built on. `None`: not gathered, or nobody can tell.
    pub(crate) bases: Option<Vec<Under>>,
}

/// An image under another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Under {
    pub(crate) digest: Digest,
    pub(crate) indexes: Vec<Digest>,
    /// Repositories here.
    pub(crate) repositories: Vec<String>,
    /// Where those of them that are caches have it from.
    pub(crate) upstream: Vec<String>,
    pub(crate) layers: u64,
}

impl Beside {
    /// Signatures as the last verdict saw them, where they are worth the same at `now`.
    pub(crate) fn known(&self, policy: &Digest, now: Timestamp) -> Option<&Vec<Signature>> {
        let known = self.signatures.as_ref().filter(|_| self.policy.as_ref() == Some(policy))?;
        known.iter().all(|one| one.until.is_none_or(|until| until > now)).then_some(known)
    }

    /// Whose signatures there are; `None` where it was not gathered.
    pub(crate) fn verify(&self, authorities: &[Authority], blobs: &dyn Blobs) -> Option<Vec<Signature>> {
        let place = InStore { blobs, attached: self.attached.as_ref()? };
        // Nothing of this place fails as a whole.
        check(&place, &self.subjects, authorities).ok()
    }

    /// Sets findings aside that do no harm, says somebody whom the policy accepts.
    pub(crate) fn hear(
        &self,
        wanted: &VexAuthors,
        authorities: &[Authority],
        blobs: &dyn Blobs,
        report: &mut Report,
    ) {
        let Some(attached) = &self.attached else { return };
        let pushers = |digest: &Digest| Some(self.pushers.get(digest).cloned().unwrap_or_default());
        let authors = Authors { wanted, authorities, pushers: &pushers };
        if let Err(error) = hear(&InStore { blobs, attached }, &self.subjects, authors, report) {
            tracing::error!(%error, "hearing VEX documents");
        }
    }
}

impl Under {
    /// As the policy sees it: where we are stands before names of repositories.
    pub(crate) fn named(&self, authority: &str) -> Base {
        let here = self.repositories.iter().map(|repository| format!("{authority}/{repository}"));
        let names: Vec<Reference> = here
            .chain(self.upstream.iter().cloned())
            .filter_map(|name| format!("{name}@{}", self.digest).parse().ok())
            .collect();
        Base { digest: self.digest.clone(), indexes: self.indexes.clone(), names, layers: self.layers }
    }
}

/// In our own store, whatever repository it is in.
struct InStore<'a> {
    blobs: &'a dyn Blobs,
    attached: &'a [(Digest, Attached)],
}

impl Place for InStore<'_> {
    fn attached(
        &self,
        subject: &Digest,
        wanted: &dyn Fn(&Attached) -> bool,
    ) -> Result<Vec<Attached>, boltseal_flow::Error> {
        let of = self.attached.iter().filter(|(of, one)| of == subject && wanted(one));
        Ok(of.map(|(_, one)| one.clone()).collect())
    }

    fn manifest(&self, digest: &Digest) -> Result<Document, String> {
        let source = self.blobs.blob(digest).map_err(|why| why.to_string())?;
        let bytes = boltseal_flow::statements::bounded(source, digest, MAX_MANIFEST)?;
        parse(&bytes, None).map_err(|why| why.to_string())
    }

    fn blob(&self, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, String> {
        whole(self.blobs.blob(&layer.digest).map_err(|why| why.to_string())?, layer, limit)
    }
}
