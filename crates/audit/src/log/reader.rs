//! Reading a log from its tiles: entries and proofs.

use std::ops::Range;

use super::{
    bundle::Bundle,
    checkpoint::SignedCheckpoint,
    error::Error,
    hash::Hash,
    key::Verifier,
    storage::Storage,
    tile::{Kind, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, read_hashes},
    tree::{self, Nodes, perfect},
};

/// The path of the checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// Reads the log of one key from a storage. Sizes come from a checkpoint of it: what lies beyond is not part of the log.
#[derive(Clone, Debug)]
pub struct Reader<S> {
    storage: S,
    verifier: Verifier,
    /// Bundles of the entries before this one may be elsewhere.
    archived: u64,
}

impl<S: Storage> Reader<S> {
    /// A reader for the log whose key this is.
    pub const fn new(storage: S, verifier: Verifier) -> Self {
        Self { storage, verifier, archived: 0 }
    }

    /// The same where the bundles of the entries before `first` were archived: they are not missed, though their
    /// entries cannot be read. Hashes of them stay, so that everything else is proved and verified as before.
    #[must_use]
    pub fn archived(self, first: u64) -> Self {
        Self { archived: first, ..self }
    }

    /// The first entry whose bundle must be there.
    pub const fn first(&self) -> u64 {
        self.archived
    }

    /// The key of the log.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The newest checkpoint, with its signature checked.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        let bytes = self.read(CHECKPOINT)?.ok_or_else(|| Error::Missing { path: CHECKPOINT.to_owned() })?;
        Ok(SignedCheckpoint::open(&bytes, &self.verifier)?)
    }

    /// Entry `index` of the log as it was with `size` entries.
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>, Error> {
        let bundle = self.entries(index..index.saturating_add(1), size).next();
        let bundle = bundle.ok_or(Error::NoEntry { index, size })??;
        let entry = bundle.iter().next().map(|(_, entry)| entry.to_vec());
        entry.ok_or(Error::NoEntry { index, size })
    }

    /// The entries of a range, bundle by bundle. It ends where the log does.
    pub fn entries(&self, range: Range<u64>, size: u64) -> Entries<'_, S> {
        let end = range.end.min(size);
        Entries { reader: self, next: range.start.min(end), end, size }
    }

    /// The path of entry `index` to the root of the tree with `size` entries.
    ///
    /// It is as right as the tiles are: check it against a signed root with [`tree::verify_inclusion`].
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        if index >= size {
            return Err(Error::NoEntry { index, size });
        }
        tree::inclusion(&mut self.nodes(size), index, &(0..size))
    }

    /// The proof that the tree of `old` entries is the beginning of the one with `size` entries; empty for no entries.
    ///
    /// It is as right as the tiles are: check it against both roots with [`tree::verify_consistency`].
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, Error> {
        if old > size {
            return Err(Error::NoEntry { index: old - 1, size });
        }
        tree::consistency(&mut self.nodes(size), &(0..old), size)
    }

    /// The root over the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Hash, Error> {
        tree::range(&mut self.nodes(size), 0, size)
    }

    pub(super) const fn nodes(&self, size: u64) -> Tiles<'_, S> {
        Tiles { reader: self, size, seen: Vec::new() }
    }

    /// The hashes of a tile.
    pub(super) fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let (bytes, found) = self.tile(tile)?;
        let mut hashes = read_hashes(&bytes, found.width).map_err(Error::tile(found))?;
        hashes.truncate(usize::from(tile.width));
        Ok(hashes)
    }

    /// The bytes of a tile. Where the partial one is gone, those of the full one, which begins with it.
    pub(super) fn tile(&self, tile: Tile) -> Result<(Vec<u8>, Tile), Error> {
        if let Some(bytes) = self.read(&tile.to_string())? {
            return Ok((bytes, tile));
        }
        if tile.is_partial()
            && let Some(bytes) = self.read(&tile.full().to_string())?
        {
            return Ok((bytes, tile.full()));
        }
        Err(Error::Missing { path: tile.to_string() })
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        self.storage.read(path).map_err(Error::storage(path))
    }
}

/// Iterator of [`Reader::entries`]. It ends after an error.
#[derive(Debug)]
pub struct Entries<'a, S> {
    reader: &'a Reader<S>,
    next: u64,
    end: u64,
    size: u64,
}

impl<S: Storage> Entries<'_, S> {
    fn bundle(&self, index: u64) -> Result<Bundle, Error> {
        let wrong = Error::NoEntry { index, size: self.size };
        let tile = Tile::at(Kind::Entries, index / u64::from(TILE_WIDTH), self.size).ok_or(wrong)?;
        let first = tile.index * u64::from(TILE_WIDTH);
        let (bytes, found) = match self.reader.tile(tile) {
            Err(Error::Missing { .. }) if first < self.reader.archived => {
                return Err(Error::Archived { index, first: self.reader.archived });
            }
            found => found?,
        };
        Bundle::new(bytes, first, found.width, index..self.end).map_err(Error::tile(found))
    }
}

impl<S: Storage> Iterator for Entries<'_, S> {
    type Item = Result<Bundle, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let bundle = self.bundle(self.next);
        let following = (self.next / u64::from(TILE_WIDTH) + 1) * u64::from(TILE_WIDTH);
        self.next = if bundle.is_ok() { following } else { self.end };
        Some(bundle)
    }
}

/// The nodes of a tree of `size` entries, out of tiles. Remembers those it read: a proof asks for several of each.
pub(super) struct Tiles<'a, S> {
    reader: &'a Reader<S>,
    size: u64,
    seen: Vec<(Tile, Vec<Hash>)>,
}

impl<S: Storage> Nodes for Tiles<'_, S> {
    type Error = Error;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Error> {
        // The node is the root over 2ⁿ hashes that lie side by side in one tile.
        let (kind, above) = (Kind::Hashes(level / TILE_HEIGHT), level % TILE_HEIGHT);
        let first = index << above;
        let place = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
        let number = first / u64::from(TILE_WIDTH);
        let wrong = Error::NoEntry { index: first, size: self.size };
        let tile = Tile::at(kind, number, self.size).ok_or(wrong)?;
        if !self.seen.iter().any(|(seen, _)| *seen == tile) {
            self.seen.push((tile, self.reader.hashes(tile)?));
        }
        let hashes = self.seen.iter().find(|(seen, _)| *seen == tile).map(|(_, hashes)| hashes.as_slice());
        let hashes = hashes.and_then(|hashes| hashes.get(place..place + (1 << above)));
        let short = || TileError::Size { found: 0, width: tile.width };
        Ok(perfect(hashes.ok_or_else(short).map_err(Error::tile(tile))?.to_vec()))
    }
}
