//! The list of crates inside an executable.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::Deserialize;

use crate::executable;

/// Mach-O shows the name without segment; the others as given to the linker.
const SECTION: [&str; 1] = [".dep-v0"];

/// Largest list that is inflated out of one executable. The format's own readers allow as much; 1,000 crates need 0.1 MB.
pub const MAX_INFLATED: u64 = 8 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    /// `build` for what only the compiler saw; absent means `runtime`.
    #[serde(default)]
    kind: String,
}

/// Reads the section and keeps lines of name, tab, version.
pub(super) fn distill(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let section = executable::parse(bytes).and_then(|file| executable::section(&file, &SECTION));
    let Some(section) = section else { return Ok(None) };
    let mut json = Vec::new();
    let wrong =
        |why: &dyn std::fmt::Display| format!("the crate list of a Rust executable cannot be read: {why}");
    ZlibDecoder::new(section).take(MAX_INFLATED + 1).read_to_end(&mut json).map_err(|error| wrong(&error))?;
    if json.len() as u64 > MAX_INFLATED {
        return Err(wrong(&format!("it is larger than {MAX_INFLATED} bytes")));
    }
    let list: List = serde_json::from_slice(&json).map_err(|error| wrong(&error))?;
    let mut lines = String::new();
    for entry in list.packages.iter().filter(|entry| entry.kind != "build") {
        let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let version = |b: u8| b.is_ascii_graphic();
        let sane = entry.name.bytes().all(name)
            && !entry.name.starts_with('-')
            && entry.version.bytes().all(version);
        if !sane || entry.name.is_empty() || entry.version.is_empty() {
            return Err(wrong(&"a crate name or version is empty or holds forbidden characters"));
        }
        lines.extend([&entry.name, "\t", &entry.version, "\n"]);
    }
    Ok(Some(lines.into_bytes()))
}
