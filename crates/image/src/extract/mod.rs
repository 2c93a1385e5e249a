//! What reading a layer gave, small enough to be kept, so that the next image with that layer need not read it again.
//!
//! An [`Extract`] lists every entry of a layer and holds the answers to all questions that were asked about contents: the
//! bytes that were kept, hashes, records of executables, remarks about texts. It is applied by the very code that applies
//! archives, so the tree is the same, whatever lies below. Where links in lower layers lead to a question that nobody
//! asked before, there is no answer in it, and the archive is read from there on; what it says is added.
//!
//! ```
//! use std::{collections::HashMap, sync::Mutex};
//! use boltseal_image::{Extracts, Options, layer};
//! use boltseal_model::Digest;
//!
//! #[derive(Default)]
//! struct Memory(Mutex<HashMap<Digest, Vec<u8>>>);
//! impl Extracts for Memory {
//!     fn get(&self, diff_id: &Digest) -> Option<Vec<u8>> {
//!         self.0.lock().ok()?.get(diff_id).cloned()
//!     }
//!     fn put(&self, diff_id: &Digest, extract: &[u8]) {
//!         self.0.lock().map(|mut all| all.insert(diff_id.clone(), extract.to_vec())).ok();
//!     }
//! }
//! let memory = Memory::default();
//! let mut options = Options::default();
//! options.extracts = Some(&memory);
//! ```
//!
//! What an extract stands for is checked as strictly as a layer: it is made only of an archive that was read to its end and
//! has the digest that the image's configuration promises, it names the digests under which that archive was seen stored,
//! and is used only for those. It depends on the selector, on [`Limits`](crate::Limits) and on this program; who keeps it
//! keeps those apart, and the limits are checked here. Damage is noticed, and counts as absence.
//!
//! This module must not know: where extracts are kept, and what a selector's answers mean.

mod bytes;
mod code;
mod recording;
mod replay;

pub use recording::{Made, Recording};
pub use replay::Replay;

use std::collections::HashMap;

use boltseal_model::Digest;

use self::code::{Answer, Row, answers, rows};
use crate::{
    Limits,
    layer::{Part, Totals},
};

/// Bytes of one extract before it is packed. That of a Debian image of 415 MB has 7 MB; three million files would need
/// a hundred times more, and are read anew.
const MAX_EXTRACT: usize = 64 << 20;
/// Digests of one archive as stored that are remembered. Builders pack an archive in two or three ways.
const MAX_STORED: usize = 8;

/// Keeps extracts. Implemented by whoever has a place for them; one for each selector and each build of the program.
pub trait Extracts: Sync {
    /// What was kept for the layer whose archive is `diff_id`. Anything else counts as nothing.
    fn get(&self, diff_id: &Digest) -> Option<Vec<u8>>;

    /// Keeps it in the place of what was there. That it could not is no reason to fail.
    fn put(&self, diff_id: &Digest, extract: &[u8]);
}

/// All that is worth remembering of one layer.
pub struct Extract {
    diff_id: Digest,
    /// How the archive was seen stored: the blob's digest and bytes, newest first.
    stored: Vec<(Digest, u64)>,
    /// Bytes of the archive.
    archive: u64,
    ended: bool,
    headers: u64,
    /// Entries and answers as [`code`] writes them.
    rows: Vec<u8>,
    answers: Vec<u8>,
}

impl Extract {
    /// Of a layer that was read and is what was promised. `older` is what was known of it before.
    pub fn new(made: Made, totals: &Totals, older: Option<&Self>) -> Self {
        let Made { rows, mut answers, ended, headers } = made;
        let mut stored = vec![(totals.digest.clone(), totals.stored)];
        if let Some(older) = older.filter(|older| older.diff_id == totals.diff_id) {
            stored.extend(older.stored.iter().filter(|(digest, _)| *digest != totals.digest).cloned());
            stored.truncate(MAX_STORED);
            let more = missing(&answers, &older.answers);
            if rows.len() + answers.len() + more.len() <= MAX_EXTRACT {
                answers.extend(more);
            }
        }
        let diff_id = totals.diff_id.clone();
        Self { diff_id, stored, archive: totals.archive, ended, headers, rows, answers }
    }

    /// Reads what [`Extract::packed`] gave. `None` for anything else, and where it was made with other limits.
    pub fn open(packed: &[u8], limits: &Limits) -> Option<Self> {
        let extract = code::unpack(packed, limits)?;
        // All of it is looked at once, so that nothing can go wrong on the way.
        let entries = rows(&extract.rows).try_fold(0u64, |count, row| row.map(|_: Row<'_>| count + 1))?;
        let sound = |answer: Option<Answer<'_>>| answer.is_some_and(|answer| u64::from(answer.row) < entries);
        answers(&extract.answers).all(sound).then_some(())?;
        Some(extract)
    }

    /// The bytes to keep.
    pub fn packed(&self, limits: &Limits) -> Option<Vec<u8>> {
        code::pack(self, limits)
    }

    /// Whether it is of the archive `diff_id`.
    pub fn is_of(&self, diff_id: &Digest) -> bool {
        self.diff_id == *diff_id
    }

    /// What reading `part` would tell, if the archive was seen stored as `part` promises it.
    pub fn totals(&self, part: &Part<'_>) -> Option<Totals> {
        let promised = part.digest.as_ref()?;
        let (digest, stored) = self.stored.iter().find(|(digest, _)| digest == promised)?;
        let same =
            part.diff_id.as_ref() == Some(&self.diff_id) && part.size.is_none_or(|size| size == *stored);
        same.then(|| Totals {
            digest: digest.clone(),
            diff_id: self.diff_id.clone(),
            stored: *stored,
            archive: self.archive,
        })
    }
}

/// Those of `older` that answer what none of `newer` does.
fn missing(newer: &[u8], older: &[u8]) -> Vec<u8> {
    let known: HashMap<_, bool> =
        answers(newer).flatten().map(|answer| (answer.question(), answer.inspected)).collect();
    let mut more = Vec::new();
    for answer in answers(older).flatten() {
        let covered = known.get(&answer.question()).is_some_and(|inspected| *inspected || !answer.inspected);
        if !covered {
            answer.write(&mut more);
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use boltseal_model::{FileMeta, Selector, Want};

    use super::*;
    use crate::{
        LayerName,
        overlay::{Archived, Overlay},
    };

    struct All;
    impl Selector for All {
        fn want(&self, path: &str, _: &FileMeta) -> Want {
            if path.ends_with('d') { Want::Distilled } else { Want::Whole }
        }
        fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
            Err(format!("{} bytes", bytes.len()))
        }
        fn inspects(&self, _: &str, _: &FileMeta) -> bool {
            true
        }
        fn inspect(&self, path: &str, _: boltseal_model::Text<'_>) -> Option<Vec<u8>> {
            Some(path.into())
        }
    }

    fn sample(limits: &Limits) -> Extract {
        let layer = boltseal_testkit::image::Layer::new()
            .file("a", "content")
            .symlink("link", "a")
            .hard_link("same", "a")
            .executable("d", "\u{7f}ELF");
        let (tar, name) = (layer.tar(), LayerName::Place("x".into()));
        let mut archived = Archived::new(tar.as_slice(), limits, &name);
        let mut recording = Recording::new(&mut archived);
        Overlay::new(&All, limits).apply(0, &name, &mut recording).unwrap();
        let made = recording.finish().unwrap();
        let (digest, archive) = (Digest::of(&tar), tar.len() as u64);
        Extract::new(made, &Totals { diff_id: digest.clone(), digest, stored: archive, archive }, None)
    }

    /// Damage is noticed by the digest before all; behind it, nothing may go wrong either.
    #[test]
    fn odd_bytes_are_no_extract_or_one_that_can_be_applied() {
        let limits = Limits::default();
        let packed = sample(&limits).packed(&limits).unwrap();
        assert!(Extract::open(&packed, &limits).is_some());
        let plain = zstd::decode_all(&packed[32..]).unwrap();
        let mut applied = 0;
        for at in 0..plain.len() {
            for byte in [0, 1, 2, 0x7f, 0x80, 0xff] {
                let mut odd = plain.clone();
                odd[at] = byte;
                let mut writer = zstd::Encoder::new(Vec::new(), 1).unwrap();
                writer.write_all(&odd).unwrap();
                let body = writer.finish().unwrap();
                let bytes = [Digest::of(&body).bytes(), &body].concat();
                let Some(extract) = Extract::open(&bytes, &limits) else { continue };
                let name = LayerName::Place("x".into());
                let result = Overlay::new(&All, &limits).apply(0, &name, &mut Replay::new(&extract));
                applied += u32::from(result.is_ok());
            }
        }
        assert!(applied > 0);
    }
}
