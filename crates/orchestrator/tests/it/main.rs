//! Readers and checks against real definitions and against other people's verdicts about them.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it expects in the plainest way"
)]

mod aci;
mod admission;
mod dockerfile;
mod fixes;
mod kubernetes;
mod mutations;
mod pss;
mod readers;
mod spec;
mod validating;

use std::{fs, path::Path};

use boltseal_orchestrator::{
    checks::{self, Finding, Options},
    pss::{Level, Version},
    read::{Read, read},
};

/// Names and contents of the files right in a folder, sorted.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    all.sort();
    assert!(!all.is_empty(), "{} is empty", folder.display());
    all
}

/// What is found in a definition, standards set aside.
fn checked(name: &str, text: &str) -> Vec<Finding> {
    findings(&read(name, text.as_bytes()).unwrap())
}

fn findings(read: &Read) -> Vec<Finding> {
    checks::run(read, Options { level: Level::Privileged, version: Version::LATEST })
}
