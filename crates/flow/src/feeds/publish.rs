//! Publishing what a snapshot is built from, so that others fetch only what changed.

use std::collections::BTreeSet;

use boltseal_audit::log::Signer;
use boltseal_model::{Digest, SnapshotInfo, Timestamp};
use boltseal_scan::pack::{ChunkInfo, Index, MAX_INDEX_BYTES, Packer};

use super::{Built, Feeds, note::Announcement, shelf::Press};
use crate::Error;

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The snapshot, which is also in use here.
    pub snapshot: SnapshotInfo,
    /// Chunks that are new, and all.
    pub chunks: (usize, usize),
    /// Bytes of them.
    pub bytes: (u64, u64),
    /// What building it said.
    pub built: Built,
}

impl Feeds {
    /// Builds the snapshot as [`Feeds::build`] does, and puts what it is built from on `press`, signed by `signer`.
    ///
    /// What was published before stays whole until the new note is in its place. Chunks that neither of the two needs
    /// are removed.
    pub fn publish(&self, press: &dyn Press, signer: &Signer, now: Timestamp) -> Result<Published, Error> {
        self.create()?;
        let _lock = self.lock()?;
        let place = press.name();
        let pack = |source| Error::Pack { place: place.clone(), source };
        let stopped = |source| Error::Shelf { place: place.clone(), source };
        let packer = Packer::in_folder(&self.folder).map_err(pack)?;
        let (built, packer) = self.link(now, Some(packer), |records| self.fill(records))?;
        let packer = packer.ok_or_else(|| Error::NoFeeds { path: self.raw() })?;
        let (mut new, mut new_bytes, mut refused) = (0, 0, None);
        let index = packer.finish(&built.snapshot, &mut |info, bytes| match press.put(&info.digest, bytes) {
            Ok(sent) => {
                new += usize::from(sent);
                new_bytes += if sent { info.bytes } else { 0 };
                Ok(())
            }
            Err(error) => {
                refused = Some(error);
                Err(std::io::Error::other("refused"))
            }
        });
        let index = match (index, refused) {
            (_, Some(source)) => return Err(stopped(source)),
            (index, None) => index.map_err(pack)?,
        };
        let encoded = index.encode().map_err(pack)?;
        let info = ChunkInfo {
            digest: Digest::of(&encoded),
            bytes: encoded.len() as u64,
            plain: encoded.len() as u64,
        };
        press.put(&info.digest, &encoded).map_err(stopped)?;
        let before = previous(press);
        let announcement = Announcement {
            built: index.built,
            snapshot: index.snapshot.clone(),
            index: info.digest.clone(),
            bytes: info.bytes,
        };
        let note = announcement
            .sign(signer)
            .map_err(|source| Error::Announcement { place: place.clone(), source: Box::new(source) })?;
        press.announce(&note, &info, &index.chunks).map_err(stopped)?;
        let mut keep: BTreeSet<Digest> = index.chunks.iter().map(|chunk| chunk.digest.clone()).collect();
        keep.insert(info.digest);
        keep.extend(before);
        press.sweep(&keep).map_err(stopped)?;
        let (chunks, bytes) = ((new, index.chunks.len()), (new_bytes, index.bytes()));
        Ok(Published { snapshot: built.snapshot.clone(), chunks, bytes, built })
    }
}

/// Everything that the announcement before needs, for clients that are still fetching it. Nothing where there was none.
fn previous(press: &dyn Press) -> BTreeSet<Digest> {
    let known = press.latest().ok().and_then(|note| Announcement::of_known(&note).ok());
    let index = known.and_then(|known| {
        let bytes = press.blob(&known.index, MAX_INDEX_BYTES).ok()?;
        Some((Index::decode(&bytes, &known.index).ok()?, known.index))
    });
    let Some((index, digest)) = index else { return BTreeSet::new() };
    index.chunks.into_iter().map(|chunk| chunk.digest).chain([digest]).collect()
}
