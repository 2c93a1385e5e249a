//! Checking every byte that a checkpoint stands for.

use super::{
    bundle::read_entries,
    checkpoint::{Checkpoint, SignedCheckpoint},
    edge::Edge,
    error::Error,
    hash::Hash,
    reader::Reader,
    storage::Storage,
    tile::{Kind, TILE_WIDTH, Tile, TileError, read_hashes},
    tree::perfect,
};

/// Entries of a full bundle.
const WIDTH: u64 = TILE_WIDTH as u64;

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The checkpoint that everything led to.
    pub checkpoint: SignedCheckpoint,
    /// The first entry that was read: 0, or the beginning of the tile with the first entry since the older checkpoint.
    pub first: u64,
    /// How many of the entries were not read, as they were archived; their hashes were verified.
    pub archived: u64,
}

/// The first thing that is not as it was signed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A file cannot be read, or the checkpoint is missing or not one that the log signed.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// A bundle or a tile is missing.
    #[error("{path} is missing, and with it the entries from {first}")]
    Missing {
        /// The file.
        path: String,
        /// The first entry of the log that it is about.
        first: u64,
    },
    /// A bundle or a tile with too few or too many bytes.
    #[error("{path}, entries from {first}: {source}")]
    Form {
        /// The file.
        path: String,
        /// The first entry of the log that it is about.
        first: u64,
        /// What is wrong.
        source: TileError,
    },
    /// An entry is not the one whose hash was logged.
    #[error("entry {index} in {path} is not what was logged")]
    Entry {
        /// The entry, from 0.
        index: u64,
        /// The bundle it lies in.
        path: String,
    },
    /// A hash in a tile is not that of what lies below it.
    #[error("{path} has another hash for the entries from {index} than they have")]
    Hash {
        /// The first entry under the hash.
        index: u64,
        /// The tile.
        path: String,
    },
    /// All tiles agree, but with another root than the signed one: entries and tiles were rewritten together.
    #[error("the {size} entries have the root {computed}, but {signed} was signed: entries were rewritten")]
    Root {
        /// Entries under the root.
        size: u64,
        /// The root in the checkpoint.
        signed: Hash,
        /// The root over what is there.
        computed: Hash,
    },
    /// The log has fewer entries than it had.
    #[error("the log had {had} entries and has {has} now: it was put back to an older state")]
    Shrunk {
        /// Entries in the older checkpoint.
        had: u64,
        /// Entries in the newest.
        has: u64,
    },
    /// The older checkpoint is of another log.
    #[error("the older checkpoint is of the log `{found}`, not of `{wanted}`")]
    Origin {
        /// Its origin.
        found: String,
        /// The log's.
        wanted: String,
    },
}

impl Broken {
    /// The first entry that is bad or cannot be vouched for; `None` where that cannot be told.
    pub const fn index(&self) -> Option<u64> {
        match self {
            Self::Form { first, .. } | Self::Missing { first, .. } => Some(*first),
            Self::Entry { index, .. } | Self::Hash { index, .. } => Some(*index),
            Self::Shrunk { has, .. } => Some(*has),
            Self::Unreadable(_) | Self::Root { .. } | Self::Origin { .. } => None,
        }
    }
}

/// Reads the whole log, or what came since the checkpoint `since`, and checks that every entry, every tile and the
/// signed root belong together. `progress` is told how many entries have been checked, bundle by bundle.
///
/// Of entries that were archived (see [`Reader::archived`]) the hashes are verified.
///
/// With `since`, which must be trusted, the entries before it are not read, but the tree over them is: the log must
/// begin with exactly that tree.
pub fn verify<S: Storage>(
    reader: &Reader<S>,
    since: Option<&Checkpoint>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, Broken> {
    let checkpoint = reader.checkpoint()?;
    let signed = checkpoint.checkpoint();
    if let Some(since) = since.filter(|since| since.origin != signed.origin) {
        return Err(Broken::Origin { found: since.origin.clone(), wanted: signed.origin.clone() });
    }
    let old = since.map_or(0, |since| since.size);
    if old > signed.size {
        return Err(Broken::Shrunk { had: old, has: signed.size });
    }
    let first = old - old % WIDTH;
    let edge = edge_before(reader, first, signed.size)?;
    let mut walk = Walk { reader, signed, since, edge, archived: 0 };
    walk.meet_since()?;
    for number in first / WIDTH..signed.size.div_ceil(WIDTH) {
        walk.bundle(number)?;
        progress(walk.edge.size() - first);
    }
    walk.right_edge()?;
    compare(&walk.edge, signed)?;
    let archived = walk.archived;
    Ok(Verified { checkpoint, first, archived })
}

/// The edge of the tree when it had `first` entries, all in full bundles, out of the tiles of a log of `size` entries.
fn edge_before<S: Storage>(reader: &Reader<S>, first: u64, size: u64) -> Result<Edge, Broken> {
    Edge::read(first, |then| {
        let now = Tile::at(then.kind, then.index, size).unwrap_or(then);
        let mut hashes = read(reader, now, size)?;
        hashes.truncate(usize::from(then.width));
        Ok(hashes)
    })
}

/// The way through a log from left to right. The edge grows by hashes that were computed, never by those on disk.
struct Walk<'a, S> {
    reader: &'a Reader<S>,
    signed: &'a Checkpoint,
    since: Option<&'a Checkpoint>,
    edge: Edge,
    /// Entries that were not there to be read.
    archived: u64,
}

impl<S: Storage> Walk<'_, S> {
    /// Where the tree is as large as it was at the older checkpoint, it must be the same tree.
    fn meet_since(&self) -> Result<(), Broken> {
        self.since
            .filter(|since| since.size == self.edge.size())
            .map_or(Ok(()), |since| compare(&self.edge, since))
    }

    /// Checks one bundle with the tile of its hashes, and every tile that becomes full with it.
    fn bundle(&mut self, number: u64) -> Result<(), Broken> {
        let size = self.signed.size;
        let Some(tile) = Tile::at(Kind::Entries, number, size) else { return Ok(()) };
        let first = number * WIDTH;
        let leaf_tile = Tile { kind: Kind::Hashes(0), ..tile };
        let logged = read(self.reader, leaf_tile, size)?;
        let (bytes, found) = match file(self.reader, tile) {
            Err(Broken::Missing { .. }) if first + WIDTH <= self.reader.first() => {
                self.archived += WIDTH;
                return self.push(logged);
            }
            found => found?,
        };
        let form = |first, source| Broken::Form { path: found.to_string(), first, source };
        let mut leaves = Vec::with_capacity(logged.len());
        let mut entries = read_entries(&bytes, found.width);
        let mut bad = None;
        for (index, hash) in (first..).zip(&logged) {
            let leaf = match entries.next() {
                Some(Ok(entry)) => Hash::leaf(entry),
                // What follows an entry of another length cannot be read; the entry is what went wrong.
                _ if bad.is_some() => break,
                Some(Err(source)) => return Err(form(index, source)),
                None => break,
            };
            bad = bad.or((leaf != *hash).then_some(index));
            leaves.push(leaf);
        }
        if let Some(index) = bad {
            return Err(self.blame(tile, index, &leaves));
        }
        // A full bundle that stands in for a partial one goes on; that is not part of this log yet.
        if found == tile
            && let Some(rest) = entries.next()
        {
            rest.map_err(|source| form(first + u64::from(tile.width), source))?;
        }
        self.push(leaves)
    }

    /// Lets the edge grow, and compares every tile that becomes full with what is on disk.
    fn push(&mut self, leaves: Vec<Hash>) -> Result<(), Broken> {
        let (reader, size) = (self.reader, self.signed.size);
        for leaf in leaves {
            self.edge.push(leaf, |tile, hashes| match tile.kind {
                Kind::Hashes(0) | Kind::Entries => Ok(()),
                Kind::Hashes(_) => equal(tile, hashes, &read(reader, tile, size)?),
            })?;
            self.meet_since()?;
        }
        Ok(())
    }

    /// Compares the tiles that are not full with what lies below them.
    fn right_edge(&self) -> Result<(), Broken> {
        for level in 1..self.edge.levels() {
            if let Some(tile) = Tile::partial(Kind::Hashes(level), self.signed.size) {
                equal(tile, self.edge.hashes(level), &read(self.reader, tile, self.signed.size)?)?;
            }
        }
        Ok(())
    }

    /// An entry and its hash on disk disagree: whichever of the two the tree above speaks for is the right one.
    fn blame(&self, bundle: Tile, index: u64, leaves: &[Hash]) -> Broken {
        if self.is_under_tree(bundle, leaves) {
            let tile = Tile { kind: Kind::Hashes(0), ..bundle };
            return Broken::Hash { index, path: tile.to_string() };
        }
        Broken::Entry { index, path: bundle.to_string() }
    }

    /// Whether these leaf hashes are what the tree above has for the bundle.
    fn is_under_tree(&self, bundle: Tile, leaves: &[Hash]) -> bool {
        if bundle.is_partial() {
            let mut edge = self.edge.clone();
            let pushed = leaves.iter().try_for_each(|leaf| edge.push(*leaf, |_, _| Ok::<(), Broken>(())));
            return pushed.is_ok() && edge.root() == self.signed.root;
        }
        let above = Tile::at(Kind::Hashes(1), bundle.index / WIDTH, self.signed.size);
        let hashes =
            above.and_then(|above| read(self.reader, above, self.signed.size).ok()).unwrap_or_default();
        let place = usize::try_from(bundle.index % WIDTH).unwrap_or(usize::MAX);
        hashes.get(place) == Some(&perfect(leaves.to_vec()))
    }
}

/// Compares a tile with the hashes it should have.
fn equal(tile: Tile, computed: &[Hash], found: &[Hash]) -> Result<(), Broken> {
    let Some(place) = computed.iter().zip(found).position(|(computed, found)| computed != found) else {
        return Ok(());
    };
    let under_one = first_entry(Tile { index: 1, ..tile }) / WIDTH;
    let index = first_entry(tile) + under_one * u64::try_from(place).unwrap_or(0);
    Err(Broken::Hash { index, path: tile.to_string() })
}

fn compare(edge: &Edge, signed: &Checkpoint) -> Result<(), Broken> {
    let (computed, signed, size) = (edge.root(), signed.root, signed.size);
    if computed == signed { Ok(()) } else { Err(Broken::Root { size, signed, computed }) }
}

fn first_entry(tile: Tile) -> u64 {
    tile.first_entry().unwrap_or(u64::MAX)
}

fn file<S: Storage>(reader: &Reader<S>, tile: Tile) -> Result<(Vec<u8>, Tile), Broken> {
    reader.tile(tile).map_err(|error| match error {
        Error::Missing { path } => Broken::Missing { path, first: first_entry(tile) },
        other => Broken::Unreadable(other),
    })
}

/// The hashes of a tile of a log of `size` entries, exactly as many as it has.
fn read<S: Storage>(reader: &Reader<S>, tile: Tile, size: u64) -> Result<Vec<Hash>, Broken> {
    let tile = Tile::at(tile.kind, tile.index, size).unwrap_or(tile);
    let (bytes, found) = file(reader, tile)?;
    let mut hashes = read_hashes(&bytes, found.width).map_err(|source| Broken::Form {
        path: found.to_string(),
        first: first_entry(tile),
        source,
    })?;
    hashes.truncate(usize::from(tile.width));
    Ok(hashes)
}
