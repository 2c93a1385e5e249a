//! Judging as data: every policy of `data/policies` on every report of `data/reports`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects in the plainest way")]

mod cases;
mod differences;
mod expressions;
mod granted;
mod mutations;
mod properties;
mod refused;
mod replayed;
mod signed;
mod trials;

use std::path::PathBuf;

/// When the tests take place.
const NOW: &str = "2026-11-23T00:00:00Z";

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// Names and contents of the files in a folder of test data, sorted; `.yaml` and `.json` are left away.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(data(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}
