//! All advisories of all feeds as one immutable file, opened by mapping it.
//!
//! The file answers one question fast: which ranges does any feed give for package P of space S? `layout` has the
//! bytes. A key is the hash of (S, P); it leads to the rows of that package, which are grouped by vulnerability and
//! refer to advisories. Names and versions are kept once; titles lie beside them because every finding shows one;
//! everything else that advisories say lies in compressed blocks that only [`Snapshot::advisory`] opens.
//!
//! * **Opening** checks the header and that sections lie in the file: no work that grows with the file.
//! * **Reading** checks every offset, length and number: a damaged or hostile file gives [`Error::Damaged`],
//!   never a panic or a wild read.
//! * **Installing** calls [`Snapshot::verify`] once, which computes every hash.
//! * **Building** is deterministic: the same advisories, in any order, give the same bytes and the same id.
//!
//! Limits: 2³² − 1 of anything that is counted, 4 GiB of names and versions, 1 MiB for the list of feeds.

mod builder;
mod enrich;
mod groups;
mod layout;
mod lookup;
mod output;
mod read;
mod rows;
mod source;
mod texts;
mod view;
mod words;
mod write;

use std::fmt;

use boltseal_model::{Algorithm, Digest, Hasher, SnapshotInfo};
use zerocopy::IntoBytes as _;

pub use self::{builder::Builder, read::Vulnerability};
use self::{layout::Section, view::Places};
use crate::Error;

pub(crate) use self::{
    lookup::{Bound, Line, Notice, Versions},
    view::View,
};

/// The list of feeds is read at every start; a thousand feeds would take 200 KB.
const MAX_INFO_BYTES: usize = 1 << 20;

/// An open snapshot. Cheap to share: reading needs no lock and keeps nothing.
pub struct Snapshot {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    places: Places,
    info: SnapshotInfo,
}

impl Snapshot {
    /// Opens `bytes`, mostly a `boltseal_sys::Map`, in microseconds: header and bounds are checked, content is not.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, Error> {
        let (header, _, places) = view::places(bytes.as_ref())?;
        let json = view::section(bytes.as_ref(), &places, Section::Info)?;
        if json.len() > MAX_INFO_BYTES {
            return Err(view::damaged(Section::Info, json.len(), "the list of feeds is longer than 1 MiB"));
        }
        let unreadable =
            |_| view::damaged(Section::Info, 0u64, "the list of feeds is not the JSON that a builder writes");
        let mut info: SnapshotInfo = serde_json::from_slice(json).map_err(unreadable)?;
        info.id = id_text(&header.id);
        view::View::new(bytes.as_ref(), &places)?;
        Ok(Self { bytes: Box::new(bytes), places, info })
    }

    /// Computes every hash: once, before a file is installed. About a second for a gigabyte.
    pub fn verify(&self) -> Result<(), Error> {
        let bytes = (*self.bytes).as_ref();
        let (header, entries, places) = view::places(bytes)?;
        if !Digest::of(entries.as_bytes()).bytes().starts_with(&header.id) {
            return Err(Error::Hash { section: "table" });
        }
        for (entry, section) in entries.iter().zip(Section::ALL) {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(view::section(bytes, &places, section)?);
            if hasher.finish().bytes() != entry.hash {
                return Err(Error::Hash { section: section.name() });
            }
        }
        Ok(())
    }

    /// What it was made of.
    pub const fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// Its records.
    pub(crate) fn view(&self) -> Result<View<'_>, Error> {
        View::new((*self.bytes).as_ref(), &self.places)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({})", self.info.id)
    }
}

/// The id as reports print it.
fn id_text(id: &[u8]) -> String {
    id.iter().fold(String::with_capacity(2 * id.len()), |text, byte| text + &format!("{byte:02x}"))
}
