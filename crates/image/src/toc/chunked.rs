//! zstd:chunked: a zstd frame for each piece of a file, the table in a frame that decoders skip, its place in the
//! manifest's annotations (`docs/containers-storage-zstd-chunked.md` of containers/storage). The footer says again what the
//! annotations say; the manifest's digest covers those, so it is not fetched.

use std::{collections::BTreeMap, io::Read as _};

use boltseal_model::Digest;

use super::{Format, MAX_TABLE, Place, Table, Unusable, check, table::End};
use crate::Limits;

/// `OFFSET:STORED BYTES:BYTES:TYPE` of the table; the other name is that of tools before 2023.
const POSITION: [&str; 2] =
    ["io.github.containers.zstd-chunked.manifest-position", "io.containers.zstd-chunked.manifest-position"];
/// Digest of the table as stored.
const CHECKSUM: [&str; 2] =
    ["io.github.containers.zstd-chunked.manifest-checksum", "io.containers.zstd-chunked.manifest-checksum"];
/// The only type there is.
const TYPE: u64 = 1;
/// Largest window of the table's frame: no larger than the table may be.
const MAX_WINDOW_LOG: u32 = 26;

pub(super) fn announced(annotations: &BTreeMap<String, String>) -> Option<Format> {
    let said = |names: [&str; 2]| names.iter().find_map(|name| annotations.get(*name));
    let table = said(CHECKSUM)?.parse().ok()?;
    let mut numbers = said(POSITION)?.split(':').map(str::parse::<u64>);
    let mut number = || numbers.next()?.ok();
    let (offset, stored, length, kind) = (number()?, number()?, number()?, number()?);
    let sound = kind == TYPE && stored <= MAX_TABLE && length <= MAX_TABLE && numbers.next().is_none();
    sound.then_some(Format::Chunked { offset, stored, length, table })
}

pub(super) fn fetch(
    place: &Place<'_>,
    (offset, stored, length): (u64, u64, u64),
    digest: &Digest,
    limits: &Limits,
    bytes: u64,
) -> Result<Table, Unusable> {
    let packed = place.bytes(offset, stored)?;
    check(&packed, digest)?;
    Table::parse(&unpack(&packed, length)?, End::Told(offset), limits, bytes)
}

/// The table out of its frame.
pub(super) fn unpack(packed: &[u8], length: u64) -> Result<Vec<u8>, Unusable> {
    let mut frame = zstd::Decoder::with_buffer(packed).map_err(|error| error.to_string())?;
    frame.window_log_max(MAX_WINDOW_LOG).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    frame.take(length.min(MAX_TABLE) + 1).read_to_end(&mut json).map_err(|error| error.to_string())?;
    if json.len() as u64 == length {
        Ok(json)
    } else {
        Err("its table of contents is not as long as the manifest says".into())
    }
}
