//! eStargz: a gzip member for each piece of a file, the table as the last file of the archive, and a footer that says
//! where that begins (`docs/estargz.md` of stargz-snapshotter).

use std::{collections::BTreeMap, io::Read as _};

use boltseal_model::Digest;

use super::{Format, MAX_TABLE, Place, Table, Unusable, check, table::End};
use crate::{Limits, tar::Walker};

/// Digest of the table, uncompressed.
const DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
/// Bytes of the footer: an empty gzip member with an extra field.
const FOOTER: u64 = 51;
/// What the footer begins with: gzip, deflate, an extra field.
const GZIP: [u8; 4] = [0x1f, 0x8b, 8, 4];
/// Length and name of the extra field, and the length of what is in it.
const FIELD: [u8; 6] = [26, 0, b'S', b'G', 22, 0];
/// Name of the table in the archive.
const NAME: &str = "stargz.index.json";

pub(super) fn announced(annotations: &BTreeMap<String, String>) -> Option<Format> {
    Some(Format::Estargz { table: annotations.get(DIGEST)?.parse().ok()? })
}

pub(super) fn fetch(
    place: &Place<'_>,
    digest: &Digest,
    limits: &Limits,
    bytes: u64,
) -> Result<Table, Unusable> {
    let end = place.size.checked_sub(FOOTER).ok_or("it is shorter than a footer")?;
    let offset = footer(&place.bytes(end, FOOTER)?).ok_or("it has no footer of eStargz")?;
    let length = end.checked_sub(offset).ok_or("its table of contents lies behind its end")?;
    let json = unpack(&place.bytes(offset, length)?, limits)?;
    check(&json, digest)?;
    Table::parse(&json, End::Next(offset), limits, bytes)
}

/// Where the table begins.
pub(super) fn footer(bytes: &[u8]) -> Option<u64> {
    let field = bytes.strip_prefix(&GZIP)?.get(6..)?.strip_prefix(&FIELD)?;
    let (digits, name) = field.get(..22)?.split_at_checked(16)?;
    if name != b"STARGZ" || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The table out of the end of the archive.
pub(super) fn unpack(stored: &[u8], limits: &Limits) -> Result<Vec<u8>, Unusable> {
    let mut archive = Vec::new();
    let most = MAX_TABLE + (64 << 10); // and headers
    flate2::read::GzDecoder::new(stored)
        .take(most + 1)
        .read_to_end(&mut archive)
        .map_err(|error| error.to_string())?;
    if archive.len() as u64 > most {
        return Err("its table of contents is too large".into());
    }
    let mut walker = Walker::new(archive.as_slice(), limits);
    let broken = "its table of contents is in no archive";
    let mut entry = walker.next().ok().flatten().filter(|entry| entry.path == NAME).ok_or(broken)?;
    let mut json = Vec::new();
    let mut content = walker.content(&mut entry).map_err(|_| broken)?;
    content.by_ref().take(MAX_TABLE).read_to_end(&mut json).map_err(|_| broken)?;
    Ok(json)
}
