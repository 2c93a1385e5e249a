//! The log that is written to.

use std::convert::Infallible;

use super::{
    bundle::{EntryTooLong, MAX_ENTRY, push_entry, read_entries},
    checkpoint::{Checkpoint, MAX_SIZE, SignedCheckpoint},
    edge::Edge,
    error::Error,
    hash::Hash,
    key::Signer,
    reader::{CHECKPOINT, Reader},
    storage::Storage,
    tile::{Kind, TILE_WIDTH, Tile, count, write_hashes},
};

/// After a start, so many full tiles of each level are searched for partial ones that a crash kept from being removed.
const SWEPT: u64 = 64;

/// An append-only log over a storage, under a signed checkpoint. Only one may be open for a storage, unless that
/// [tells](Storage::replace) who comes late: then the late one fails, and [reopens](Log::reopen).
///
/// ```
/// use boltseal_audit::log::{Log, Memory, Proof, Signer};
/// let mut log = Log::open(Memory::default(), Signer::generate("boltseal.example/audit")?)?;
/// assert_eq!(log.append(&["pushed", "pulled"])?, 0..2);
/// let proof = Proof::make(&log.reader(), 1)?.to_string();
///
/// // Anywhere, with nothing but the key, the entry and the proof:
/// let verifier = log.signer().verifier_key().parse()?;
/// Proof::parse(proof.as_bytes())?.verify(b"pulled", &verifier)?;
/// assert!(Proof::parse(proof.as_bytes())?.verify(b"pushed", &verifier).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log<S> {
    storage: S,
    signer: Signer,
    state: State,
    /// Whether a write failed, so that what is in memory may not be what is on disk.
    stopped: bool,
}

/// What is remembered of the log to add to it.
#[derive(Debug)]
struct State {
    edge: Edge,
    /// Bytes of the bundle that is not full yet.
    bundle: Vec<u8>,
    checkpoint: SignedCheckpoint,
    /// Folders of partial tiles that only the checkpoint before the newest could need.
    obsolete: Vec<String>,
}

impl<S: Storage> Log<S> {
    /// Opens the log that `storage` holds and checks its right edge against the signed root; a log without entries is
    /// made where there is nothing.
    ///
    /// A log whose checkpoint is gone is not taken for a new one. A whole folder that was put back to an older state
    /// is consistent in itself: that is what [`Anchor`](super::Anchor) is for.
    pub fn open(storage: S, signer: Signer) -> Result<Self, Error> {
        if storage.read(CHECKPOINT).map_err(Error::storage(CHECKPOINT))?.is_none() {
            refuse_entries(&storage)?;
            let root = Hash::empty();
            let checkpoint =
                Checkpoint { origin: signer.name().to_owned(), size: 0, root, extensions: vec![] };
            write_checkpoint(&storage, None, &SignedCheckpoint::sign(checkpoint, &signer)?)?;
        }
        let state = State::load(&storage, &signer)?;
        Ok(Self { storage, signer, state, stopped: false })
    }

    /// Adds entries and gives their indices. When it returns they are on disk, under a signed checkpoint.
    ///
    /// Whatever happens in between leaves the checkpoint before, with everything it needs; a later append writes over
    /// what is left of this one. After a failed write the log is [stopped](Error::Stopped): nobody knows whether the
    /// new checkpoint is on disk, and signing another one in its place would be a fork. [`Log::reopen`] finds out.
    pub fn append(&mut self, entries: &[impl AsRef<[u8]>]) -> Result<std::ops::Range<u64>, Error> {
        if self.stopped {
            return Err(Error::Stopped);
        }
        let start = self.state.edge.size();
        let more = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let end = start.checked_add(more).filter(|size| *size <= MAX_SIZE).ok_or(Error::Full)?;
        for (number, entry) in entries.iter().enumerate() {
            let found = entry.as_ref().len();
            if found > MAX_ENTRY {
                return Err(Error::TooLong { number, source: EntryTooLong { found } });
            }
        }
        if entries.is_empty() {
            return Ok(start..end);
        }
        self.stopped = true;
        let files = self.state.grow(entries)?;
        let files_of = || format!("tiles of entries {start} to {end}");
        self.storage.write_all(&files).map_err(Error::storage(files_of()))?;
        let origin = self.signer.name().to_owned();
        let checkpoint =
            Checkpoint { origin, size: end, root: self.state.edge.root(), extensions: Vec::new() };
        let checkpoint = SignedCheckpoint::sign(checkpoint, &self.signer)?;
        write_checkpoint(&self.storage, Some(&self.state.checkpoint), &checkpoint)?;
        self.state.checkpoint = checkpoint;
        self.stopped = false;
        self.state.sweep(&self.storage, start, end);
        Ok(start..end)
    }

    /// Reads the log again after a failed write. Its size then tells whether the batch was written: all of it or none.
    pub fn reopen(&mut self) -> Result<(), Error> {
        self.state = State::load(&self.storage, &self.signer)?;
        self.stopped = false;
        Ok(())
    }

    /// Publishes the newest checkpoint with more signatures, as [`SignedCheckpoint::cosigned`] makes it.
    ///
    /// `false` where the log grew in the meantime: the cosigned checkpoint is then good for proofs, not for publishing.
    pub fn publish(&mut self, cosigned: &SignedCheckpoint) -> Result<bool, Error> {
        if self.stopped {
            return Err(Error::Stopped);
        }
        if cosigned.checkpoint() != self.state.checkpoint.checkpoint() {
            return Ok(false);
        }
        cosigned.verify(self.signer.verifier(), &[])?;
        // Either form of the same checkpoint is right, so a failure here does not stop the log.
        write_checkpoint(&self.storage, Some(&self.state.checkpoint), cosigned)?;
        self.state.checkpoint = cosigned.clone();
        Ok(true)
    }

    /// Entries in the log.
    pub const fn size(&self) -> u64 {
        self.state.checkpoint.checkpoint().size
    }

    /// The newest checkpoint.
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.state.checkpoint
    }

    /// Whose log it is.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Where the files are, to serve them.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Reads what is on disk.
    pub fn reader(&self) -> Reader<&S> {
        Reader::new(&self.storage, self.signer.verifier().clone())
    }
}

impl State {
    fn load(storage: &impl Storage, signer: &Signer) -> Result<Self, Error> {
        let reader = Reader::new(storage, signer.verifier().clone());
        let checkpoint = reader.checkpoint()?;
        let size = checkpoint.checkpoint().size;
        let edge = Edge::read(size, |tile| reader.hashes(tile))?;
        let (root, computed) = (checkpoint.checkpoint().root, edge.root());
        if root != computed {
            return Err(Error::Root { size, signed: root, computed });
        }
        let bundle = read_bundle(&reader, &edge)?;
        let obsolete = leftovers(&edge);
        Ok(Self { edge, bundle, checkpoint, obsolete })
    }

    /// Adds entries in memory, and gives the files that have to be written for them.
    fn grow(&mut self, entries: &[impl AsRef<[u8]>]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let before = self.edge.size();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            let entry = entry.as_ref();
            push_entry(&mut self.bundle, entry).map_err(|source| Error::TooLong { number, source })?;
            let bundle = &mut self.bundle;
            let done: Result<(), Infallible> = self.edge.push(Hash::leaf(entry), |tile, hashes| {
                if tile.kind == Kind::Hashes(0) {
                    let path = Tile { kind: Kind::Entries, ..tile }.to_string();
                    files.push((path, std::mem::take(bundle)));
                }
                files.push((tile.to_string(), write_hashes(hashes)));
                Ok(())
            });
            match done {
                Ok(()) => {}
                Err(never) => match never {},
            }
        }
        let after = self.edge.size();
        files.extend(Tile::partial(Kind::Entries, after).map(|tile| (tile.to_string(), self.bundle.clone())));
        for level in 0..self.edge.levels() {
            let kind = Kind::Hashes(level);
            let partial = Tile::partial(kind, after).filter(|_| count(kind, before) != count(kind, after));
            files.extend(partial.map(|tile| (tile.to_string(), write_hashes(self.edge.hashes(level)))));
        }
        Ok(files)
    }

    /// Removes partial tiles that neither the newest checkpoint nor the one before it can need, and notes those that
    /// became full just now. What cannot be removed does no harm.
    fn sweep(&mut self, storage: &impl Storage, before: u64, after: u64) {
        for folder in self.obsolete.drain(..) {
            drop(storage.remove(&folder));
        }
        let kinds = std::iter::once(Kind::Entries).chain((0..self.edge.levels()).map(Kind::Hashes));
        let filled = kinds.filter_map(|kind| {
            let tile = Tile::partial(kind, before)?;
            (!Tile::at(kind, tile.index, after)?.is_partial()).then(|| tile.partial_folder())
        });
        self.obsolete = filled.collect();
    }
}

fn write_checkpoint(
    storage: &impl Storage,
    old: Option<&SignedCheckpoint>,
    new: &SignedCheckpoint,
) -> Result<(), Error> {
    let old = old.map(ToString::to_string);
    storage
        .replace(CHECKPOINT, old.as_deref().map(str::as_bytes), new.to_string().as_bytes())
        .map_err(Error::storage(CHECKPOINT))
}

/// Fails where there are tiles, of whatever width.
fn refuse_entries(storage: &impl Storage) -> Result<(), Error> {
    for width in 1..=TILE_WIDTH {
        let path = Tile { kind: Kind::Hashes(0), index: 0, width }.to_string();
        if storage.read(&path).map_err(Error::storage(&path))?.is_some() {
            return Err(Error::NoCheckpoint { path });
        }
    }
    Ok(())
}

/// The bytes of the partial bundle, each entry of which has its hash at the edge.
fn read_bundle<S: Storage>(reader: &Reader<S>, edge: &Edge) -> Result<Vec<u8>, Error> {
    let Some(tile) = Tile::partial(Kind::Entries, edge.size()) else { return Ok(Vec::new()) };
    let (bytes, found) = reader.tile(tile)?;
    let mut bundle = Vec::with_capacity(bytes.len());
    let mut entries = read_entries(&bytes, found.width);
    let first = tile.index * u64::from(TILE_WIDTH);
    for (index, hash) in (first..).zip(edge.hashes(0)) {
        let changed = || Error::Entry { index, path: found.to_string() };
        let entry = entries.next().ok_or_else(changed)?.map_err(Error::tile(found))?;
        if Hash::leaf(entry) != *hash {
            return Err(changed());
        }
        push_entry(&mut bundle, entry).map_err(|_| changed())?;
    }
    // A partial bundle ends with its last entry; a full one that stands in for it does not.
    if !found.is_partial() {
        return Ok(bundle);
    }
    entries.try_for_each(|rest| rest.map(drop)).map_err(Error::tile(found))?;
    Ok(bundle)
}

/// Folders of partial tiles that may have been left behind for tiles that were full at the last start.
fn leftovers(edge: &Edge) -> Vec<String> {
    let kinds = std::iter::once(Kind::Entries).chain((0..edge.levels()).map(Kind::Hashes));
    kinds
        .flat_map(|kind| {
            let full = count(kind, edge.size()) / u64::from(TILE_WIDTH);
            (full.saturating_sub(SWEPT)..full)
                .map(move |index| Tile { kind, index, width: TILE_WIDTH }.partial_folder())
        })
        .collect()
}
