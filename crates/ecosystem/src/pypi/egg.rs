//! `*.egg` files: zip archives with the metadata inside.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

const MEMBER: &str = "EGG-INFO/PKG-INFO";

/// Largest metadata that is inflated; long descriptions reach some hundred kilobytes.
const MAX_METADATA: u64 = 4 << 20;

/// The metadata of an egg.
pub(super) fn pkg_info(content: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive =
        ZipArchive::new(Cursor::new(content)).map_err(|error| format!("not a zip archive: {error}"))?;
    let member = archive.by_name(MEMBER).map_err(|error| format!("{MEMBER}: {error}"))?;
    let mut bytes = Vec::new();
    member.take(MAX_METADATA + 1).read_to_end(&mut bytes).map_err(|error| format!("{MEMBER}: {error}"))?;
    if bytes.len() as u64 > MAX_METADATA {
        return Err(format!("{MEMBER} is larger than {MAX_METADATA} bytes"));
    }
    Ok(bytes)
}
