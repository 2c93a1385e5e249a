//! `cabal.project.freeze` and `stack.yaml.lock`.

use crate::{
    lock::{Lock, Pin, Reader, file_name},
    outline::lines,
};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "cabal.project.freeze" => Some(cabal),
        "stack.yaml.lock" => Some(stack),
        _ => None,
    }
}

/// `constraints: any.name ==1.0, …`; entries without `any.` set flags or choose what is only part of GHC.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn cabal(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    for line in lock.text().lines().map(str::trim).filter(|line| !line.starts_with("--")) {
        for entry in line.strip_prefix("constraints:").unwrap_or(line).split(',').map(str::trim) {
            let pair = entry.strip_prefix("any.").and_then(|entry| entry.split_once("=="));
            out.extend(pair.map(|(name, version)| Pin::new(name.trim(), version.trim())));
        }
    }
    Ok(())
}

/// `hackage: name-1.0@sha256:…` of what was completed; `original` repeats what was asked for.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn stack(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let mut completed = false;
    for line in lines(&text) {
        match line.key {
            "completed" => completed = true,
            "original" => completed = false,
            "hackage" if completed => {
                let label = line.value.split('@').next().unwrap_or_default();
                out.extend(label.rsplit_once('-').map(|(name, version)| Pin::new(name, version)));
            }
            _ => {}
        }
    }
    Ok(())
}
