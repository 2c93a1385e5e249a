//! Where attachments of images are kept: a registry, an OCI image layout.

use std::io::Read;

use boltseal_image::{
    manifest::{Descriptor, Document},
    remote::{Name, Repository, copy::Layout},
};
use boltseal_model::{Digest, Hasher};

use super::{Attached, Place, tags_of};
use crate::Error;

/// In a repository of a registry.
#[derive(Clone, Copy, Debug)]
pub struct InRegistry<'r>(pub &'r Repository);

/// In an OCI image layout.
#[derive(Clone, Copy, Debug)]
pub struct InLayout<'l>(pub &'l Layout);

impl Place for InRegistry<'_> {
    fn attached(&self, subject: &Digest, wanted: &dyn Fn(&Attached) -> bool) -> Result<Vec<Attached>, Error> {
        let mut all = referrers(self.0.referrers(subject, None)?);
        for tag in tags_of(subject) {
            match self.0.head(Name::Tag(&tag)) {
                Ok(head) => all.push(Attached::tagged(head.digest, &tag)),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        all.retain(wanted);
        Ok(all)
    }

    fn manifest(&self, digest: &Digest) -> Result<Document, String> {
        let fetched = self.0.manifest(Name::Digest(digest)).map_err(|why| why.to_string())?;
        fetched.document().map_err(|why| why.to_string())
    }

    fn blob(&self, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, String> {
        let size = layer.size.min(limit as u64);
        let mut download = self.0.blob(&layer.digest, size).map_err(|why| why.to_string())?;
        let mut bytes = Vec::new();
        download.read_to_end(&mut bytes).map_err(|why| why.to_string())?;
        Ok(bytes)
    }
}

impl Place for InLayout<'_> {
    fn attached(&self, subject: &Digest, wanted: &dyn Fn(&Attached) -> bool) -> Result<Vec<Attached>, Error> {
        let mut all = referrers(self.0.referrers(subject)?);
        for tag in tags_of(subject) {
            all.extend(self.0.tagged(&tag)?.map(|digest| Attached::tagged(digest, &tag)));
        }
        all.retain(wanted);
        Ok(all)
    }

    fn manifest(&self, digest: &Digest) -> Result<Document, String> {
        let fetched = self.0.manifest(digest).map_err(|why| why.to_string())?;
        fetched.document().map_err(|why| why.to_string())
    }

    fn blob(&self, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, String> {
        let file = self.0.blob(&layer.digest).map_err(|why| why.to_string())?;
        whole(file, layer, limit)
    }
}

/// All of a blob that is what its descriptor says.
pub fn whole(source: impl Read, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, String> {
    bounded(source, &layer.digest, layer.size.min(limit as u64))
}

/// All of what has this digest, of `limit` bytes at most.
pub fn bounded(source: impl Read, wanted: &Digest, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("the content has more than {limit} bytes"));
    }
    let mut hasher = Hasher::new(wanted.algorithm());
    hasher.update(&bytes);
    let found = hasher.finish();
    if found == *wanted { Ok(bytes) } else { Err(format!("the content is {found}, not {wanted}")) }
}

fn referrers(all: Vec<Descriptor>) -> Vec<Attached> {
    all.into_iter().map(|one| Attached::referrer(one.digest, one.artifact_type)).collect()
}
