//! `Manifest.toml`, formats 1 and 2.

use serde_json::Value;

use super::installed;
use crate::lock::{Lock, Pin, Reader, file_end, file_name, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    let name = file_name(path);
    let is_one = matches!(name, "Manifest.toml" | "JuliaManifest.toml") || name.starts_with("Manifest-v");
    (is_one && file_end(name) == Some("toml") && !installed::is_one(path)).then_some(read)
}

/// `[[deps.Name]]` in format 2, `[[Name]]` in format 1. Parts of Julia itself have no version.
pub(super) fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.toml()?;
    let packages = if file.get("manifest_format").is_some() { file.get("deps") } else { Some(&file) };
    for (name, entries) in packages.and_then(Value::as_object).into_iter().flatten() {
        let entries = entries.as_array().into_iter().flatten();
        out.extend(entries.filter(|entry| !text(entry, "version").is_empty()).map(|entry| {
            let uuid = text(entry, "uuid");
            let sane = !uuid.is_empty() && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            let qualifier = sane.then(|| ("uuid", uuid.to_owned()));
            Pin { qualifier, ..Pin::new(name, text(entry, "version")) }
        }));
    }
    Ok(())
}
