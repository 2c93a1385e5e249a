//! `composer.lock`, and lists of what is installed in other places.

use super::installed::{entries, is_one, version};
use crate::lock::{Lock, Pin, Reader, file_name, list, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "composer.lock" => Some(read),
        "installed.json" if !is_one(path) => Some(installed),
        _ => None,
    }
}

fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    for (group, development) in [("packages", false), ("packages-dev", true)] {
        out.extend(list(&file, group).map(|entry| pin(entry).only_for(development)));
    }
    Ok(())
}

/// Other programs call files so, too: what is not Composer's is none of our business.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn installed(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let Ok(file) = serde_json::from_slice(lock.content) else { return Ok(()) };
    let (all, development) = entries(&file);
    let composer =
        all.into_iter().filter(|entry| text(entry, "name").contains('/') && entry.get("version").is_some());
    out.extend(composer.map(|entry| pin(entry).only_for(development.contains(text(entry, "name")))));
    Ok(())
}

/// Modules of Drupal are tagged `8.x-1.0` and released under what their `reference` says otherwise.
fn pin(entry: &serde_json::Value) -> Pin {
    Pin::new(text(entry, "name"), version(entry))
}
