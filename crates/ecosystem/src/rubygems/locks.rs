//! `Gemfile.lock`, and the `*.gemspec` of a project.

use super::{
    gemspec::{Gemspec, Value},
    installed,
};
use crate::lock::{Lock, Pin, Reader, file_name};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "Gemfile.lock" | "gems.locked" => Some(gemfile),
        // Nothing by itself; kept for the specification whose version it holds.
        "version.rb" => Some(|_, _| Ok(())),
        name if name.ends_with(".gemspec") && !installed::is_one(path) => Some(gemspec),
        _ => None,
    }
}

/// Sections `GEM`, `GIT`, `PATH`, `PLUGIN SOURCE`; below `specs:` each gem is four spaces deep, what it needs six.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn gemfile(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let mut specs = false;
    for line in lock.text().lines() {
        let depth = line.len() - line.trim_start_matches(' ').len();
        match (depth, line.trim()) {
            (0, _) => specs = false,
            (2, "specs:") => specs = true,
            (4, gem) if specs => {
                let gem = gem.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
                out.extend(gem.map(|(name, version)| Pin::new(name, without_platform(version))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `1.13.0` of `1.13.0-x86_64-linux`: gems with compiled parts come once for each platform.
fn without_platform(version: &str) -> &str {
    version.split('-').next().unwrap_or(version)
}

/// The project itself. The version may be a constant of a file that is read first.
fn gemspec(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let Some(spec) = Gemspec::parse(&lock.text()) else { return Ok(()) };
    let version = match spec.version {
        Value::Text(version) => Some(version),
        Value::Constant(name) => spec.constants.get(&name).cloned().or_else(|| {
            let mut files = spec.requires.iter().filter_map(|file| lock.beside(file));
            files.find_map(|file| Gemspec::constants(&file.text()).remove(&name))
        }),
        Value::Missing => None,
    };
    match (spec.name.as_str(), version) {
        ("", _) => Err("the name is not a text".to_owned()),
        (_, None) => Err("the version is made by a program, so only running it could tell".to_owned()),
        (name, Some(version)) => {
            out.push(Pin::new(name, version));
            Ok(())
        }
    }
}
