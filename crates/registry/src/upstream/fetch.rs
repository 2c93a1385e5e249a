//! Brings a manifest and its blobs here, stored and judged like anything that is pushed.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read as _},
    sync::{Arc, atomic::Ordering},
};

use boltseal_audit::Record;
use boltseal_image::{
    manifest::{Descriptor, Document},
    remote::{Fetched, Name, Repository},
};
use boltseal_model::Digest;
use boltseal_store::{Blobs, Writer};
use tokio::task::{JoinSet, spawn_blocking};

use super::{Trouble, job::Tally};
use crate::{Inner, api::Arrival, classify};

/// Blobs of one image on their way at the same time: what Docker does, and one more.
const PARALLEL: usize = 4;
/// Bytes read from the network at a time.
const PIECE: usize = 256 << 10;

/// Brings things from one repository there to one here. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bring {
    pub(crate) inner: Arc<Inner>,
    /// There.
    pub(crate) from: Repository,
    /// Here.
    pub(crate) into: Arc<str>,
    /// What the log says of each thing, before it says which thing.
    pub(crate) record: Record,
    pub(crate) tally: Arc<Tally>,
}

impl Bring {
    /// A manifest there by its name, with its digest checked.
    pub(crate) async fn look(&self, reference: Reference) -> Result<Fetched, Trouble> {
        let from = self.from.clone();
        let fetched =
            spawn_blocking(move || from.manifest(reference.name())).await.map_err(Trouble::ended)?;
        fetched.map_err(|error| Trouble::of(&error))
    }

    /// The digest of a manifest there.
    pub(crate) async fn head(&self, reference: Reference) -> Result<Digest, Trouble> {
        let from = self.from.clone();
        let head = spawn_blocking(move || from.head(reference.name())).await.map_err(Trouble::ended)?;
        head.map(|head| head.digest).map_err(|error| Trouble::of(&error))
    }

    /// Stores a manifest under these tags, after what it cannot be without: the blobs of an image. What an index lists
    /// comes when it is asked for.
    pub(crate) async fn manifest(&self, fetched: Fetched, tags: Vec<String>) -> Result<(), Trouble> {
        if self.is_here(&fetched.digest, &tags).await? {
            return Ok(());
        }
        let document = fetched.document().map_err(|error| Trouble::of(&error))?;
        if let Document::Manifest(manifest) = &document {
            let layers = manifest.layers.iter().filter(|layer| !classify::is_foreign(layer));
            let mut seen = BTreeSet::new();
            let blobs = layers.chain([&manifest.config]).filter(|blob| seen.insert(blob.digest.clone()));
            self.blobs(blobs.cloned().collect()).await?;
        }
        let arrival = Arrival {
            repository: self.into.to_string(),
            digest: fetched.digest,
            media_type: Some(fetched.media_type).filter(|said| !said.is_empty()),
            bytes: fetched.bytes.into(),
            tags,
        };
        self.inner.take_in(arrival, self.record.clone()).await?;
        self.tally.manifests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Whether there is nothing to do: a manifest that is here is here with its blobs. A damaged one comes again.
    async fn is_here(&self, digest: &Digest, tags: &[String]) -> Result<bool, Trouble> {
        let facts = &self.inner.facts;
        for tag in tags {
            if facts.tag(&self.into, tag).await?.as_ref() != Some(digest) {
                return Ok(false);
            }
        }
        let here = facts.manifest(&self.into, digest).await?.is_some();
        Ok(here && facts.contents(digest).await?.is_some_and(|contents| contents.rotten.is_none()))
    }

    async fn blobs(&self, each: Vec<Descriptor>) -> Result<(), Trouble> {
        let bytes = each.iter().map(|blob| blob.size).fold(0, u64::saturating_add);
        self.tally.total.fetch_add(bytes, Ordering::Relaxed);
        let (mut each, mut under_way) = (each.into_iter(), JoinSet::new());
        loop {
            while under_way.len() < PARALLEL
                && let Some(blob) = each.next()
            {
                let this = self.clone();
                under_way.spawn(async move { this.blob(&blob).await });
            }
            match under_way.join_next().await {
                // The others end with the set; what they have stored is stored.
                Some(ended) => ended.map_err(Trouble::ended)??,
                None => return Ok(()),
            }
        }
    }

    /// Gives the repository here a blob of the one there. Nobody else fetches the same meanwhile.
    pub(crate) async fn blob(&self, blob: &Descriptor) -> Result<(), Trouble> {
        let key = format!("blob {} {}", self.into, blob.digest);
        let (this, wanted) = (self.clone(), blob.clone());
        let flight =
            self.inner.upstreams.flights.join(&key, move || async move { this.fetch(&wanted).await });
        match flight {
            Some(flight) => flight.landed().await?,
            // Too much is on its way: then this is fetched without asking whether somebody else does too.
            None => self.fetch(blob).await?,
        }
        Ok(())
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<(), Trouble> {
        let held = self.inner.facts.held_blob(&self.into, &blob.digest).await?;
        let rotten = held.as_ref().is_some_and(|held| held.rotten.is_some());
        // Damaged bytes are fetched anew; other repositories have the same.
        if !rotten && (held.is_some() || self.mount(blob).await?) {
            self.tally.done.fetch_add(blob.size, Ordering::Relaxed);
            return Ok(());
        }
        let _one_of_some = self.inner.upstreams.downloads.acquire().await.map_err(Trouble::ended)?;
        let (from, wanted, tally) = (self.from.clone(), blob.clone(), Arc::clone(&self.tally));
        let blobs = self.inner.blobs.clone();
        let work = spawn_blocking(move || download(&from, &wanted.digest, wanted.size, &blobs, &tally));
        let writer = work.await.map_err(Trouble::ended)??;
        let digest = blob.digest.clone();
        let _nobody_removes_it_meanwhile = self.inner.blobs.lock(&digest).await;
        let announced = digest.clone();
        let stored = spawn_blocking(move || writer.finish(&announced)).await.map_err(Trouble::ended)??;
        Ok(self.inner.add(&self.record, None, &self.into, stored).await?)
    }

    /// Takes a blob that another repository here has. Only one that the repository there has too: a manifest may name
    /// any digest, and must not open what its author could not read.
    async fn mount(&self, blob: &Descriptor) -> Result<bool, Trouble> {
        let digest = &blob.digest;
        let holders = self.inner.facts.repositories_with(digest).await?;
        if holders.is_empty() {
            return Ok(false);
        }
        let (from, wanted) = (self.from.clone(), digest.clone());
        let there = spawn_blocking(move || from.head_blob(&wanted)).await.map_err(Trouble::ended)?;
        if there.map_err(|error| Trouble::of(&error))?.is_none() {
            return Ok(false);
        }
        for holder in holders {
            let record = self.record.clone().digest(digest).detail("mounted_from", holder.clone());
            let facts = self.inner.facts.recording(vec![record.entry()]);
            if facts.mount(&holder, &self.into, digest).await?.is_some() {
                self.inner.changed(&self.into, std::iter::empty(), std::iter::once(digest));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A reference that can go to another thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Reference {
    fn name(&self) -> Name<'_> {
        match self {
            Self::Tag(tag) => Name::Tag(tag),
            Self::Digest(digest) => Name::Digest(digest),
        }
    }
}

/// Writes a blob of at most `size` bytes beside the others, with its digest checked. It is not visible yet.
pub(crate) fn download(
    from: &Repository,
    wanted: &Digest,
    size: u64,
    blobs: &Blobs,
    tally: &Tally,
) -> Result<Writer, Trouble> {
    let mut body = from.blob(wanted, size).map_err(|error| Trouble::of(&error))?;
    let mut writer = blobs.writer(wanted.algorithm())?;
    let mut piece = vec![0; PIECE];
    loop {
        match body.read(&mut piece) {
            Ok(0) => return Ok(writer),
            Ok(_) if !tally.is_wanted() => return Err(Trouble::Away("stopped".to_owned())),
            Ok(read) => {
                writer.write(piece.get(..read).unwrap_or_default())?;
                tally.done.fetch_add(read as u64, Ordering::Relaxed);
                tally.fetched.fetch_add(read as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Trouble::of_read(error)),
        }
    }
}
