//! `Package.resolved`.

use crate::lock::{Lock, Pin, Reader, file_name, list, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "Package.resolved").then_some(read)
}

/// Version 1 keeps the pins in an `object`, with `repositoryURL`; later ones at the top, with `location`.
fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    let object = file.get("object").unwrap_or(&file);
    out.extend(list(object, "pins").map(|pin| {
        let place =
            [text(pin, "location"), text(pin, "repositoryURL")].into_iter().find(|text| !text.is_empty());
        let version = pin.get("state").map(|state| text(state, "version")).unwrap_or_default();
        Pin::new(short(place.unwrap_or_default()), version)
    }));
    Ok(())
}

/// `github.com/apple/swift-nio` of `https://github.com/apple/swift-nio.git` and `git@github.com:apple/swift-nio`.
pub(super) fn short(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.strip_suffix(".git").unwrap_or(rest).trim_end_matches('/');
    match rest.split_once('@') {
        Some((_, host)) => host.replacen(':', "/", 1),
        None => rest.to_owned(),
    }
}
