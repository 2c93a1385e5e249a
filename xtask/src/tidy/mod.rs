//! The rules, one module each. A rule takes the tree and returns its breaches, in words.

mod documents;
mod families;
mod layers;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A rule: what it finds wrong in the workspace at `root`.
type Rule = fn(root: &Path) -> Result<Vec<String>>;

/// Every rule there is.
const ALL: &[Rule] = &[layers::check, sources::check, families::check, documents::check];

/// Runs every rule; the result is sorted and empty when all is well.
pub fn run(root: &Path) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for rule in ALL {
        breaches.extend(rule(root)?);
    }
    breaches.sort();
    Ok(breaches)
}

/// Files below `folder` whose name ends in `suffix`, sorted; build output and hidden folders are left out.
fn files(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || ["target", "corpus", "artifacts", "data"].contains(&name.as_str()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                todo.push(entry.path());
            } else if name.ends_with(suffix) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `path` as people write it: relative to the workspace.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
