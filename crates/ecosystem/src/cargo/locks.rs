//! `Cargo.lock`.

use crate::lock::{Lock, Pin, Reader, file_name, list, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "Cargo.lock").then_some(read)
}

/// The lock file tells no development crates apart; those are a part of the manifest only.
fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.toml()?;
    out.extend(
        list(&file, "package").map(|package| Pin::new(text(package, "name"), text(package, "version"))),
    );
    Ok(())
}
