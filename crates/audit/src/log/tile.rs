//! Tiles and where they lie: `tile/<level>/<index>[.p/<width>]` and `tile/entries/<index>[.p/<width>]`
//! (C2SP tlog-tiles, "Merkle Tree" and "Log entries").

use std::{fmt, fmt::Write as _, str::FromStr};

use super::hash::{HASH_BYTES, Hash};

/// Hashes or entries of a full tile; the format fixes it.
pub const TILE_WIDTH: u16 = 256;
/// The highest level a path may name; the format fixes it.
pub const MAX_LEVEL: u8 = 63;
/// The longest path: `tile/entries/` or `tile/63/`, seven groups of digits for the largest index, and `.p/255`.
const MAX_PATH: usize = 64;
/// How far a tile lies above the one below, in levels of the tree.
pub(super) const TILE_HEIGHT: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Hashes: of entries on level 0, of full tiles of the level below on any other.
    Hashes(u8),
    /// The entries themselves: a bundle.
    Entries,
}

/// A tile by its place. [`Display`](fmt::Display) and [`FromStr`] are its path below the log's prefix.
///
/// ```
/// use boltseal_audit::log::{Kind, Tile};
/// let tile: Tile = "tile/1/x001/234.p/5".parse()?;
/// assert_eq!(tile, Tile { kind: Kind::Hashes(1), index: 1234, width: 5 });
/// assert_eq!(tile.to_string(), "tile/1/x001/234.p/5");
/// assert!("tile/1/../../checkpoint".parse::<Tile>().is_err());
/// # Ok::<(), boltseal_audit::log::TileError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub kind: Kind,
    /// Its place among the tiles of its kind, from the left, from 0.
    pub index: u64,
    /// Hashes or entries in it: 256, or 1 to 255 in a partial tile.
    pub width: u16,
}

/// Why a path or bytes are not those of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a path that this log, or any, writes.
    #[error(
        "not a path of a tile: `tile/LEVEL/INDEX` or `tile/entries/INDEX`, with `.p/WIDTH` where it is partial"
    )]
    Path,
    /// A tile of hashes with too few or too many bytes.
    #[error("{found} bytes, where {width} hashes have {}", usize::from(*width) * HASH_BYTES)]
    Size {
        /// Bytes found.
        found: usize,
        /// Hashes that should be there.
        width: u16,
    },
    /// The bytes end within an entry, or before the last one.
    #[error("the bytes end in entry {entry} of {width}")]
    Cut {
        /// From 0, within the bundle.
        entry: u16,
        /// Entries that should be there.
        width: u16,
    },
    /// There are bytes behind the last entry.
    #[error("{bytes} bytes follow the last of {width} entries")]
    Rest {
        /// How many.
        bytes: usize,
        /// Entries that should be there.
        width: u16,
    },
}

impl Tile {
    /// The tile `index` of `kind` as it is in a log of `size` entries; `None` where nothing of it exists yet.
    pub fn at(kind: Kind, index: u64, size: u64) -> Option<Self> {
        let total = count(kind, size);
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = total.checked_sub(before)?.min(u64::from(TILE_WIDTH));
        let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
        Some(Self { kind, index, width })
    }

    /// The rightmost tile of `kind` in a log of `size` entries, if it is partial.
    pub(super) fn partial(kind: Kind, size: u64) -> Option<Self> {
        Self::at(kind, count(kind, size) / u64::from(TILE_WIDTH), size)
    }

    /// The same place, full.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Whether it holds less than a full tile.
    pub const fn is_partial(&self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The first entry of the log that it speaks about; `None` beyond 2⁶⁴.
    pub fn first_entry(&self) -> Option<u64> {
        let level = match self.kind {
            Kind::Hashes(level) => level,
            Kind::Entries => 0,
        };
        if self.index == 0 {
            return Some(0);
        }
        let covered = 1_u64.checked_shl(u32::from(TILE_HEIGHT) * (u32::from(level) + 1))?;
        self.index.checked_mul(covered)
    }

    /// The folder of all partial widths of this place.
    pub(super) fn partial_folder(&self) -> String {
        format!("{}.p", self.full())
    }
}

/// Hashes or entries of `kind` in a log of `size` entries.
pub(super) fn count(kind: Kind, size: u64) -> u64 {
    match kind {
        Kind::Hashes(level) => size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level)).unwrap_or(0),
        Kind::Entries => size,
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
            Kind::Entries => f.write_str("tile/entries/")?,
        }
        // Groups of three digits, all but the last marked, so that a folder never has the name of a file.
        let mut groups = String::new();
        let mut above = self.index / 1000;
        while above > 0 {
            let mut group = format!("x{:03}/", above % 1000);
            group.push_str(&groups);
            groups = group;
            above /= 1000;
        }
        write!(groups, "{:03}", self.index % 1000)?;
        f.write_str(&groups)?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        read_path(path).filter(|tile| tile.to_string() == path).ok_or(TileError::Path)
    }
}

/// Reads a path leniently: [`FromStr`] accepts only what is written the one right way.
fn read_path(path: &str) -> Option<Tile> {
    if path.len() > MAX_PATH {
        return None;
    }
    let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => Kind::Entries,
        level => Kind::Hashes(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
    };
    let (groups, width) = match place.split_once(".p/") {
        Some((groups, width)) => {
            (groups, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?)
        }
        None => (place, TILE_WIDTH),
    };
    let mut index = 0_u64;
    for group in groups.split('/') {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    Some(Tile { kind, index, width })
}

/// Reads the bytes of a tile of `width` hashes.
pub fn read_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    if bytes.len() != usize::from(width) * HASH_BYTES {
        return Err(TileError::Size { found: bytes.len(), width });
    }
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    Ok(hashes.iter().copied().map(Hash::from).collect())
}

/// Writes the bytes of a tile of hashes.
pub fn write_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}
