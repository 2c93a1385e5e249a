//! Zip archives in memory (PKWARE APPNOTE 6.3): the list at their end, and the few members that are asked for.
//!
//! Nothing is allocated for members nobody asks for, offsets and sizes are claims that are checked, and what is inflated
//! has a limit. Encrypted members, and methods other than *stored* and *deflated*, are refused.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use memchr::memmem;

/// The end of the list is at most this far from the end of the file: its own length and a comment of 64 KiB.
const MAX_END: usize = 22 + (1 << 16);

/// An archive.
#[derive(Clone, Copy)]
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    /// The list of members.
    directory: &'a [u8],
    /// Bytes before the archive, such as a script that starts it.
    prefix: u64,
}

/// A member as the list has it.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// Path; bytes that are no UTF-8 become question marks.
    pub name: Cow<'a, str>,
    flags: u64,
    method: u64,
    packed: u64,
    /// What it claims to become.
    pub size: u64,
    offset: u64,
}

impl<'a> Archive<'a> {
    /// Finds the list of members.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let from = bytes.len().saturating_sub(MAX_END);
        let tail = bytes.get(from..).unwrap_or_default();
        let end = from + memmem::rfind(tail, b"PK\x05\x06").ok_or("there is no end of a zip archive")?;
        let wrong = "the end of the zip archive is damaged";
        let record = bytes.get(end..).ok_or(wrong)?;
        let (mut size, mut start) =
            (number(record, 12, 4).ok_or(wrong)?, number(record, 16, 4).ok_or(wrong)?);
        let mut stop = end as u64;
        if size == u64::from(u32::MAX) || start == u64::from(u32::MAX) {
            let locator =
                end.checked_sub(20).and_then(|at| bytes.get(at..)).filter(|l| l.starts_with(b"PK\x06\x07"));
            let place = number(locator.ok_or(wrong)?, 8, 8).ok_or(wrong)?;
            let big = usize::try_from(place)
                .ok()
                .and_then(|at| bytes.get(at..))
                .filter(|r| r.starts_with(b"PK\x06\x06"));
            let big = big.ok_or(wrong)?;
            (size, start, stop) = (number(big, 40, 8).ok_or(wrong)?, number(big, 48, 8).ok_or(wrong)?, place);
        }
        // The list ends where its end begins, so bytes in front of the archive show.
        let real = stop.checked_sub(size).ok_or(wrong)?;
        let prefix = real.checked_sub(start).ok_or(wrong)?;
        let range = usize::try_from(real).ok().zip(usize::try_from(stop).ok()).ok_or(wrong)?;
        Ok(Self { bytes, directory: bytes.get(range.0..range.1).ok_or(wrong)?, prefix })
    }

    /// The members in the order of the list, up to the first that is damaged.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let mut rest = self.directory;
        std::iter::from_fn(move || {
            let entry = rest.strip_prefix(b"PK\x01\x02")?;
            let [name, extra, comment] = [24, 26, 28].map(|at| number(entry, at, 2));
            let (name, extra, comment) = (to_usize(name?)?, to_usize(extra?)?, to_usize(comment?)?);
            let path = entry.get(42..42 + name)?;
            let fields = entry.get(42 + name..42 + name + extra)?;
            let mut member = Member {
                name: String::from_utf8_lossy(path),
                flags: number(entry, 4, 2)?,
                method: number(entry, 6, 2)?,
                packed: number(entry, 16, 4)?,
                size: number(entry, 20, 4)?,
                offset: number(entry, 38, 4)?,
            };
            member.widen(fields);
            rest = entry.get(42 + name + extra + comment..)?;
            Some(member)
        })
    }

    /// The content of `member`, at most `limit` bytes of it.
    pub(crate) fn read(&self, member: &Member<'_>, limit: u64) -> Result<Cow<'a, [u8]>, &'static str> {
        let wrong = "a member is damaged";
        if member.flags & 1 != 0 {
            return Err("a member is encrypted");
        }
        let start = member.offset.checked_add(self.prefix).and_then(to_usize).ok_or(wrong)?;
        let header =
            self.bytes.get(start..).and_then(|rest| rest.strip_prefix(b"PK\x03\x04")).ok_or(wrong)?;
        let skip = 26 + number(header, 22, 2).ok_or(wrong)? + number(header, 24, 2).ok_or(wrong)?;
        let (skip, packed) = (to_usize(skip).ok_or(wrong)?, to_usize(member.packed).ok_or(wrong)?);
        let packed = header.get(skip..).and_then(|rest| rest.get(..packed)).ok_or(wrong)?;
        match member.method {
            0 if packed.len() as u64 > limit => Err("a member is too large"),
            0 => Ok(Cow::Borrowed(packed)),
            8 => {
                let mut content = Vec::new();
                DeflateDecoder::new(packed).take(limit + 1).read_to_end(&mut content).map_err(|_| wrong)?;
                if content.len() as u64 > limit {
                    Err("a member is too large")
                } else {
                    Ok(Cow::Owned(content))
                }
            }
            _ => Err("a member is packed in an unusual way"),
        }
    }
}

impl Member<'_> {
    /// Numbers that need eight bytes stand in a field of their own, in this order, those that need it only.
    fn widen(&mut self, mut fields: &[u8]) {
        while let (Some(id), Some(length)) = (number(fields, 0, 2), number(fields, 2, 2).and_then(to_usize)) {
            let Some(mut field) = fields.get(4..4 + length) else { return };
            if id == 1 {
                for value in [&mut self.size, &mut self.packed, &mut self.offset] {
                    if *value == u64::from(u32::MAX) {
                        let Some(wide) = number(field, 0, 8) else { return };
                        *value = wide;
                        field = field.get(8..).unwrap_or_default();
                    }
                }
            }
            fields = fields.get(4 + length..).unwrap_or_default();
        }
    }
}

fn to_usize(value: u64) -> Option<usize> {
    usize::try_from(value).ok()
}

/// A little-endian number of `length` bytes at `at`.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}
