//! rpm's own "new database": slots that say where blobs lie. After `lib/backend/ndb/rpmpkg.c` of rpm.
//!
//! All numbers are little-endian. The file starts with a header of 32 bytes and the slots, 16 bytes each, which fill
//! whole pages of 4096 bytes; then come blobs, on addresses that are multiples of 16.

use super::{
    bytes::{Endian, run},
    database::Problem,
};

const MAGIC: &[u8] = b"RpmP";
const SLOT: &[u8] = b"Slot";
const BLOB: &[u8] = b"BlbS";
const PAGE: usize = 4096;
const BLOCK: usize = 16;
const HEADER: usize = 32;
const LE: Endian = Endian::Little;

pub(super) fn is(content: &[u8]) -> bool {
    content.starts_with(MAGIC)
}

pub(super) fn each(content: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    if LE.u32(content, 4) != Some(0) {
        return Err("it is an ndb file of a version that nobody knows".to_owned());
    }
    let pages = LE.size(content, 12).ok_or("the header is cut off")?;
    let slots = pages
        .checked_mul(PAGE)
        .and_then(|end| content.get(HEADER..end))
        .ok_or("the slots lie outside the file")?;
    // Blobs of an honest file do not share bytes.
    let mut left = content.len();
    let mut problem = Problem::default();
    for slot in slots.chunks_exact(BLOCK) {
        if !slot.starts_with(SLOT) {
            problem.note::<()>(Err("a slot is damaged"));
            continue;
        }
        let package = LE.u32(slot, 4).unwrap_or_default();
        if package == 0 {
            continue; // free
        }
        let blob = blob(content, slot, package).ok_or_else(|| format!("package {package} is damaged"));
        let Some(blob) = problem.note(blob) else { continue };
        left = left.checked_sub(blob.len()).ok_or("packages share their bytes")?;
        found(blob);
    }
    problem.finish()
}

fn blob<'a>(content: &'a [u8], slot: &[u8], package: u32) -> Option<&'a [u8]> {
    let start = LE.size(slot, 8)?.checked_mul(BLOCK)?;
    let head = run(content, start, BLOCK)?;
    if !head.starts_with(BLOB) || LE.u32(head, 4)? != package {
        return None;
    }
    run(content, start.checked_add(BLOCK)?, LE.size(head, 12)?)
}
