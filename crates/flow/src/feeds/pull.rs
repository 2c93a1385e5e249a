//! Taking over feeds that somebody published: what is here already does not travel again.

use std::collections::BTreeSet;

use boltseal_audit::log::Verifier;
use boltseal_model::{Digest, Timestamp};
use boltseal_scan::pack::{
    ChunkInfo, Index, MAX_CHUNK_BYTES, MAX_INDEX_BYTES, PackError, Record, read_chunk,
};

use super::{
    Built, Feeds, Records,
    note::Announcement,
    shelf::{Folder, Press as _, Shelf},
};
use crate::Error;

/// How to pull.
#[derive(Clone, Copy, Debug)]
pub struct Pull<'p> {
    /// Who may have signed.
    pub keys: &'p [Verifier],
    /// Takes feeds that are older than those in use, too.
    pub allow_older: bool,
}

/// What a pull did.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The snapshot that is now in use; `None` where the newest was in use already.
    pub built: Option<Built>,
    /// When the publisher built it.
    pub published: Timestamp,
    /// Whether the snapshot made here is the very one that the publisher made. It is not where this machine has raw
    /// feeds of its own besides, or another version of Boltseal.
    pub same: bool,
    /// Chunks fetched, and all.
    pub chunks: (usize, usize),
    /// Bytes of them, the index included.
    pub bytes: (u64, u64),
}

impl Feeds {
    /// Fetches from `from` what is not here, checks everything, and puts the snapshot made of it to use.
    ///
    /// Nothing is believed but a signature by one of the keys: the note names the index, the index every chunk. Chunks
    /// that came stay, so a pull that was broken off goes on where it stopped; the feeds in use change only at the end.
    pub fn pull(&self, from: &dyn Shelf, how: &Pull<'_>, now: Timestamp) -> Result<Pulled, Error> {
        self.create()?;
        let _lock = self.lock()?;
        let place = from.name();
        let refused = |source| Error::Shelf { place: place.clone(), source };
        let note = from.latest().map_err(refused)?;
        let offered = Announcement::open(&note, how.keys)
            .map_err(|source| Error::Announcement { place: place.clone(), source: Box::new(source) })?;
        let here = self.pulled();
        if here.exists() {
            let known = here.latest().ok().and_then(|note| Announcement::of_known(&note).ok());
            if let Some(known) = known.filter(|known| known.built > offered.built && !how.allow_older) {
                return Err(Error::Older { place, offered: offered.built, used: known.built });
            }
        }
        let mut source = Source { shelf: from, here: &here, place: &place, fetched: 0, bytes: 0 };
        let index = source.blob(&offered.index, offered.bytes.min(MAX_INDEX_BYTES), "the index of feeds")?;
        let index = Index::decode(&index, &offered.index)
            .map_err(|source| Error::Pack { place: place.clone(), source })?;
        if (index.built, &index.snapshot) != (offered.built, &offered.snapshot) {
            let why = "it is not the one that the signed note describes".to_owned();
            let source = PackError::Form { what: "the index of feeds", why };
            return Err(Error::Pack { place, source });
        }
        source.fetched = 0; // the index is no chunk
        let alone = boltseal_feed::list(&self.raw())?.is_empty();
        let unchanged = here.latest().is_ok_and(|known| known == note) && self.open()?.is_some();
        let built = if unchanged {
            source.complete(&index)?;
            None
        } else {
            let built = if alone { index.built } else { now };
            let fill = |records: &mut Records| {
                boltseal_feed::read_all(&self.raw(), records)?;
                source.records(&index, records)
            };
            Some(self.link(built, None, fill)?.0)
        };
        let local = |source| Error::Shelf { place: here.name(), source };
        here.announce(&String::from_utf8_lossy(&note), &index_info(&offered), &index.chunks)
            .map_err(local)?;
        let mut keep: BTreeSet<Digest> = index.chunks.iter().map(|chunk| chunk.digest.clone()).collect();
        keep.insert(offered.index.clone());
        here.sweep(&keep).map_err(local)?;
        Ok(Pulled {
            same: built.as_ref().is_none_or(|built| built.snapshot.id == index.snapshot),
            built,
            published: index.built,
            chunks: (source.fetched, index.chunks.len()),
            bytes: (source.bytes, index.bytes() + offered.bytes),
        })
    }

    /// Where pulled feeds are kept. It is a folder as publishers have it, and may be served to others.
    pub(super) fn pulled(&self) -> Folder {
        Folder(self.folder.join("pulled"))
    }

    /// Hands what was pulled to `records`. Damage is an error: an answer from half the data would look like a good one.
    pub(super) fn read_pulled(&self, records: &mut Records) -> Result<(), Error> {
        let here = self.pulled();
        if !here.exists() {
            return Ok(());
        }
        let place = here.name();
        let refused = |source| Error::Shelf { place: place.clone(), source };
        let known = Announcement::of_known(&here.latest().map_err(refused)?)
            .map_err(|source| Error::Announcement { place: place.clone(), source: Box::new(source) })?;
        let bytes = here.blob(&known.index, MAX_INDEX_BYTES).map_err(refused)?;
        let index = Index::decode(&bytes, &known.index)
            .map_err(|source| Error::Pack { place: place.clone(), source })?;
        Source { shelf: &here, here: &here, place: &place, fetched: 0, bytes: 0 }.records(&index, records)
    }
}

fn index_info(offered: &Announcement) -> ChunkInfo {
    ChunkInfo { digest: offered.index.clone(), bytes: offered.bytes, plain: offered.bytes }
}

/// Blobs from here, otherwise from the shelf.
struct Source<'s> {
    shelf: &'s dyn Shelf,
    here: &'s Folder,
    place: &'s str,
    fetched: usize,
    bytes: u64,
}

impl Source<'_> {
    /// Hands every record of every chunk to `records`.
    fn records(&mut self, index: &Index, records: &mut Records) -> Result<(), Error> {
        for feed in &index.feeds {
            records.begin(feed.clone());
        }
        for chunk in &index.chunks {
            let bytes = self.blob(&chunk.digest, chunk.bytes.min(MAX_CHUNK_BYTES), "a chunk of feeds")?;
            let read = read_chunk(&bytes, chunk, &mut |record| match record {
                Record::Advisory(advisory) => records.take(*advisory),
                Record::Enrichment(enrichment) => records.enrich(enrichment),
            });
            read.map_err(|source| Error::Pack { place: self.place.to_owned(), source })?;
        }
        Ok(())
    }

    /// Sees to it that every chunk is here, and whole.
    fn complete(&mut self, index: &Index) -> Result<(), Error> {
        for chunk in &index.chunks {
            self.blob(&chunk.digest, chunk.bytes.min(MAX_CHUNK_BYTES), "a chunk of feeds")?;
        }
        Ok(())
    }

    /// The blob `digest` of `size` bytes, kept here from now on.
    fn blob(&mut self, digest: &Digest, size: u64, what: &'static str) -> Result<Vec<u8>, Error> {
        let good = |bytes: &[u8]| bytes.len() as u64 == size && Digest::of(bytes) == *digest;
        // One byte more than there should be shows that there is more.
        if let Some(bytes) = self.here.blob(digest, size + 1).ok().filter(|bytes| good(bytes)) {
            return Ok(bytes);
        }
        let refused = |source| Error::Shelf { place: self.place.to_owned(), source };
        let bytes = self.shelf.blob(digest, size + 1).map_err(refused)?;
        if !good(&bytes) {
            let source = PackError::Digest { what, digest: digest.clone() };
            return Err(Error::Pack { place: self.place.to_owned(), source });
        }
        self.here.put(digest, &bytes).map_err(|source| Error::Shelf { place: self.here.name(), source })?;
        self.fetched += 1;
        self.bytes += size;
        Ok(bytes)
    }
}
