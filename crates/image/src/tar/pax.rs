//! Extended headers: lines of `LENGTH KEY=VALUE`.

use super::sparse::{Piece, Sparse};

/// The keys we use. A key with an empty value takes back what was said, and so is absent.
#[derive(Debug, Default)]
pub struct Records {
    pub path: Option<String>,
    pub link: Option<String>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub sparse: Option<Sparse>,
    /// Seconds since 1970, and nanoseconds.
    pub modified: Option<(i64, u32)>,
    /// The extended attribute `security.capability`, the only one that layers are unpacked with.
    pub capability: Option<Box<[u8]>>,
}

/// Bytes of `security.capability` in its longest form (`struct vfs_ns_cap_data` of linux/capability.h).
const MAX_CAPABILITY: usize = 24;

/// What `GNU.sparse.*` says, before it is put together.
#[derive(Default)]
struct SparseRecords {
    major: Option<u64>,
    minor: Option<u64>,
    name: Option<String>,
    size: Option<u64>,
    /// Version 0.0 repeats `offset` and `numbytes`, version 0.1 has them in one list.
    numbers: Vec<u64>,
    listed: bool,
}

impl Records {
    /// Reads all records; `pieces` bounds the map of a sparse file.
    pub fn parse(mut text: &[u8], pieces: usize) -> Result<Self, String> {
        let mut records = Self::default();
        let mut sparse = SparseRecords::default();
        while !text.is_empty() && text.iter().any(|byte| *byte != 0) {
            let (key, value, rest) = split(text).ok_or("an extended header that is no list of records")?;
            records.take(key, value)?;
            sparse.take(key, value, pieces)?;
            text = rest;
        }
        if let Some(sparse) = sparse.finish(&mut records.path)? {
            records.sparse = Some(sparse);
        }
        Ok(records)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        match key {
            b"path" => self.path = name(value)?,
            b"linkpath" => self.link = name(value)?,
            b"size" => self.size = if value.is_empty() { None } else { Some(number(value)?) },
            b"uid" => self.uid = number(value).ok().and_then(|id| u32::try_from(id).ok()),
            b"gid" => self.gid = number(value).ok().and_then(|id| u32::try_from(id).ok()),
            b"mtime" => self.modified = time(value),
            b"SCHILY.xattr.security.capability" if value.len() > MAX_CAPABILITY => {
                return Err(format!("a capability of {} bytes", value.len()));
            }
            b"SCHILY.xattr.security.capability" => {
                self.capability = (!value.is_empty()).then(|| value.into());
            }
            _ => {}
        }
        Ok(())
    }
}

impl SparseRecords {
    fn take(&mut self, key: &[u8], value: &[u8], pieces: usize) -> Result<(), String> {
        let Some(key) = key.strip_prefix(b"GNU.sparse.") else { return Ok(()) };
        match key {
            b"major" => self.major = Some(number(value)?),
            b"minor" => self.minor = Some(number(value)?),
            b"name" => self.name = name(value)?,
            b"size" | b"realsize" => self.size = Some(number(value)?),
            b"offset" | b"numbytes" => {
                // They come in pairs, offset first.
                if (key == b"offset") != self.numbers.len().is_multiple_of(2) {
                    return Err("a sparse map whose offsets and lengths do not alternate".into());
                }
                self.listed = true;
                self.numbers.push(number(value)?);
            }
            b"map" => {
                self.listed = true;
                self.numbers.clear();
                for text in value.split(|byte| *byte == b',').filter(|text| !text.is_empty()) {
                    self.numbers.push(number(text)?);
                    if self.numbers.len() > pieces.saturating_mul(2) {
                        break;
                    }
                }
            }
            _ => {}
        }
        if self.numbers.len() > pieces.saturating_mul(2) {
            return Err(format!("a sparse file of more than {pieces} pieces"));
        }
        Ok(())
    }

    fn finish(self, path: &mut Option<String>) -> Result<Option<Sparse>, String> {
        let in_content = match (self.major, self.minor) {
            (Some(1), Some(0)) => true,
            (Some(0), Some(0 | 1)) => false,
            (None, None) if self.listed => false,
            _ => return Ok(None),
        };
        if self.name.is_some() {
            *path = self.name;
        }
        let size = self.size.ok_or("a sparse file without its size")?;
        if in_content {
            return Ok(Some(Sparse { size, map: None }));
        }
        let pairs = self.numbers.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err("a sparse map of an odd length".into());
        }
        let piece = |pair: &[u64]| match pair {
            [offset, length] => Some(Piece { offset: *offset, length: *length }),
            _ => None,
        };
        Ok(Some(Sparse { size, map: Some(pairs.filter_map(piece).collect()) }))
    }
}

/// The first record: its key, its value, and what follows.
fn split(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(text.get(..space)?).ok()?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let (newline, record) = record.get(space + 1..)?.split_last()?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    (*newline == b'\n' && equals > 0).then_some(())?;
    Some((record.get(..equals)?, record.get(equals + 1..)?, rest))
}

fn name(value: &[u8]) -> Result<Option<String>, String> {
    if value.contains(&0) {
        return Err("an extended header with a zero byte in a name".into());
    }
    Ok((!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned()))
}

/// Seconds since 1970, with or without a fraction; `None` for anything else, which no image is refused for.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = seconds.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u32 = format!("{fraction:0<9.9}").parse().ok()?;
    // -1.25 is a quarter before -1, but the kernel counts nanoseconds forwards.
    match (seconds.starts_with('-'), nanoseconds) {
        (true, 1..) => Some((whole.checked_sub(1)?, 1_000_000_000 - nanoseconds)),
        _ => Some((whole, nanoseconds)),
    }
}

/// A decimal number that fits an `i64`, as everywhere in tar.
pub(super) fn number(text: &[u8]) -> Result<u64, String> {
    let value = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    value
        .and_then(|text| text.parse::<i64>().ok()?.try_into().ok())
        .ok_or_else(|| format!("`{}` is not a number", crate::error::shown(&String::from_utf8_lossy(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, wanted) in [
            ("0", Some((0, 0))),
            ("1700000000.5", Some((1_700_000_000, 500_000_000))),
            ("1700000000.1234567891", Some((1_700_000_000, 123_456_789))),
            ("-1.25", Some((-2, 750_000_000))),
            ("-3", Some((-3, 0))),
            ("1.", Some((1, 0))),
            ("1.x", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(time(text.as_bytes()), wanted, "{text}");
        }
    }
}
