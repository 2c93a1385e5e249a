//! The write-ahead log of a SQLite 3 file: pages that were committed and not yet written to the file itself. After "The
//! Write-Ahead Log" in "Database File Format" of SQLite.
//!
//! Images are often copied from systems that were never shut down, and then the newest packages are in this log only.

use std::collections::HashMap;

use super::bytes::{Endian, run};

/// Of the log, before its first frame.
const HEADER: usize = 32;
/// Of a frame, before its page.
const FRAME: usize = 24;
/// What the log begins with; in the lowest bit, whether checksums are of big-endian numbers.
const MAGIC: u32 = 0x377f_0682;
/// The only version of the format there is.
const VERSION: u32 = 3_007_000;
const BE: Endian = Endian::Big;

/// The newest committed version of every page in a log.
#[derive(Debug, Default)]
pub(super) struct Log<'a> {
    pages: HashMap<usize, &'a [u8]>,
}

impl<'a> Log<'a> {
    /// Reads `log`, whose file has pages of `size` bytes. An empty log is none.
    ///
    /// What follows the last commit was never finished, or is left over from before the log was begun anew: SQLite does not
    /// read it either.
    pub(super) fn read(log: &'a [u8], size: usize) -> Result<Self, &'static str> {
        if log.is_empty() {
            return Ok(Self::default());
        }
        let start = Start::read(log, size).ok_or("the log of changes beside it is damaged")?;
        let mut sum = start.sum;
        let (mut pages, mut waiting) = (HashMap::new(), Vec::new());
        let frames = log.get(HEADER..).unwrap_or_default().chunks_exact(FRAME + size);
        for frame in frames {
            let (head, page) = frame.split_at(FRAME);
            sum = start.order.sum(start.order.sum(sum, head.get(..8).unwrap_or_default()), page);
            let [at, end] = [0, 4].map(|at| BE.size(head, at).unwrap_or_default());
            let told = [16, 20].map(|at| BE.u32(head, at).unwrap_or_default());
            if head.get(8..16) != log.get(16..24) || told != sum {
                break;
            }
            waiting.push((at, page));
            if end > 0 {
                pages.extend(waiting.drain(..));
            }
        }
        Ok(Self { pages })
    }

    /// The page `number`, if the log has it.
    pub(super) fn page(&self, number: usize) -> Option<&'a [u8]> {
        self.pages.get(&number).copied()
    }
}

/// What the header of a log says.
struct Start {
    order: Endian,
    sum: [u32; 2],
}

impl Start {
    /// `None` for anything but the log of a file with pages of `size` bytes.
    fn read(log: &[u8], size: usize) -> Option<Self> {
        let [magic, version, page] = [BE.u32(log, 0)?, BE.u32(log, 4)?, BE.u32(log, 8)?];
        let order = if magic & 1 == 1 { Endian::Big } else { Endian::Little };
        let sum = order.sum([0; 2], run(log, 0, 24)?);
        let told = [BE.u32(log, 24)?, BE.u32(log, 28)?];
        let fits = magic & !1 == MAGIC && version == VERSION && usize::try_from(page).ok()? == size;
        (fits && told == sum).then_some(Self { order, sum })
    }
}

impl Endian {
    /// The checksum of the log's bytes so far and `bytes`, of which there are a multiple of eight.
    fn sum(self, [mut one, mut other]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
        let number = |bytes: &[u8; 4]| {
            if self == Self::Little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) }
        };
        for pair in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
            let [first, second] = pair;
            one = one.wrapping_add(number(first)).wrapping_add(other);
            other = other.wrapping_add(number(second)).wrapping_add(one);
        }
        [one, other]
    }
}
