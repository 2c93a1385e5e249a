//! `*.egg` files: zip archives with the metadata inside.

use crate::unzip::Archive;

const MEMBER: &str = "EGG-INFO/PKG-INFO";

/// Largest metadata that is inflated; long descriptions reach some hundred kilobytes.
const MAX_METADATA: u64 = 4 << 20;

/// The metadata of an egg.
pub(super) fn pkg_info(content: &[u8]) -> Result<Vec<u8>, String> {
    let archive = Archive::open(content)?;
    let member = archive.members().find(|member| member.name == MEMBER);
    let member = member.ok_or_else(|| format!("there is no {MEMBER}"))?;
    let content = archive.read(&member, MAX_METADATA).map_err(|error| format!("{MEMBER}: {error}"))?;
    Ok(content.into_owned())
}
