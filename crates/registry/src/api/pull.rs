//! What pulls ask again and again, from memory where possible.

use std::sync::Arc;

use boltseal_model::Digest;
use boltseal_store::{Kind, Locked, Refusal};

use super::manifests::Held;
use crate::{Inner, failure::Failure, gate::holders, route::Named};

/// A blob of a repository, and the manifests that point to it.
#[derive(Debug)]
pub(crate) struct Holders {
    pub(super) size: u64,
    pub(super) manifests: Vec<(Digest, Kind)>,
    /// Why it may not be pulled: the repository is locked, or everything that points to it.
    pub(super) locked: Option<Refusal>,
}

impl Holders {
    pub(crate) fn weight(&self) -> usize {
        64 + self.manifests.len() * 48
    }
}

/// The key under which a thing of a repository is remembered.
pub(crate) fn key(repository: &str, name: &str) -> String {
    let mut key = String::with_capacity(repository.len() + 1 + name.len());
    key.push_str(repository);
    key.push('@');
    key.push_str(name);
    key
}

/// Why a blob may not be pulled, by the locks around it.
fn locked(manifests: &[(Digest, Kind)], locks: &[(Locked, Refusal)]) -> Option<Refusal> {
    let of = |wanted: &Locked| locks.iter().find(|(locked, _)| locked == wanted).map(|(_, refusal)| refusal);
    let whole = of(&Locked::Repository);
    let of_each = || {
        let each = manifests.iter().map(|(digest, _)| of(&Locked::Manifest(digest.clone())));
        each.collect::<Option<Vec<_>>>()?.first().copied()
    };
    whole.or_else(of_each).cloned()
}

impl Inner {
    /// A manifest by tag or digest, if its bytes are right.
    pub(crate) async fn held(
        &self,
        repository: &str,
        reference: &Named,
    ) -> Result<Option<Arc<Held>>, Failure> {
        let name = match reference {
            Named::Tag(tag) => key(repository, tag),
            Named::Digest(digest) => key(repository, &digest.to_string()),
        };
        self.manifests.get_or(&name, self.load(repository, reference)).await
    }

    async fn load(&self, repository: &str, reference: &Named) -> Result<Option<Held>, Failure> {
        let digest = match reference {
            Named::Digest(digest) => digest.clone(),
            Named::Tag(tag) => match self.facts.tag(repository, tag).await? {
                Some(digest) => digest,
                None => return Ok(None),
            },
        };
        let Some(stored) = self.facts.manifest(repository, &digest).await? else { return Ok(None) };
        let tag = match reference {
            Named::Tag(tag) => Some(tag.as_str()),
            Named::Digest(_) => None,
        };
        let locked = self.facts.read_lock(repository, tag, &digest).await?;
        let Some(bytes) = self.whole(&digest, stored.size).await? else { return Ok(None) };
        Ok(Some(Held::new(stored, bytes, locked)))
    }

    /// A blob, if the repository has it and its bytes are right.
    pub(crate) async fn blob(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> Result<Option<Arc<Holders>>, Failure> {
        let load = async {
            let Some(held) = self.facts.held_blob(repository, digest).await? else { return Ok(None) };
            if held.rotten.is_some() {
                return Ok(None);
            }
            let size = held.size;
            let manifests = holders(self.facts.pointing_to(repository, digest).await?);
            let locks = self.facts.read_locks_around(repository, digest).await?;
            Ok::<_, Failure>(Some(Holders { size, locked: locked(&manifests, &locks), manifests }))
        };
        self.holders.get_or(&key(repository, &digest.to_string()), load).await
    }

    /// A manifest came or its tags moved: forget what depended on that.
    pub(crate) fn changed<'a>(
        &self,
        repository: &str,
        names: impl Iterator<Item = String>,
        targets: impl Iterator<Item = &'a Digest>,
    ) {
        for name in names {
            self.manifests.forget(&key(repository, &name));
        }
        for target in targets {
            self.holders.forget(&key(repository, &target.to_string()));
        }
    }

    /// Something was deleted: forget everything, since deletions are rare.
    pub(crate) fn deleted(&self) {
        self.manifests.forget_all();
        self.holders.forget_all();
        self.gate.forget_all();
    }
}
