//! `pnpm-lock.yaml`, versions 5 to 9.
//!
//! A package's key tells name and version: `/name/1.0.0` in version 5, `/name@1.0.0` in 6, `name@1.0.0` in 9, each with
//! what it was built against behind it. Version 9 says `dev` nowhere; there what no importer needs to run is followed.

use std::collections::{HashMap, HashSet};

use super::locks::version;
use crate::{
    lock::{Lock, Pin},
    outline::{Line, lines},
};

pub(super) fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let mut file = File::default();
    for line in lines(&text) {
        file.line(line);
    }
    if file.version.is_empty() {
        return if text.trim().is_empty() { Ok(()) } else { Err("there is no lockfileVersion".to_owned()) };
    }
    let needed = file.needed();
    let mut wrong = None;
    for package in &file.packages {
        match package.pin(file.version) {
            Some(pin) => {
                let development = package.development
                    || needed.as_ref().is_some_and(|needed| !needed.contains(package.key));
                out.push(pin.only_for(development));
            }
            // Files beside the project must have a name; those without are of no use to pnpm itself.
            None if package.key.starts_with("file:") => {}
            None => wrong = wrong.or(Some(package.key)),
        }
    }
    wrong.map_or(Ok(()), |key| Err(format!("`{key}` names no package")))
}

#[derive(Default)]
struct File<'a> {
    version: &'a str,
    section: &'a str,
    group: &'a str,
    packages: Vec<Package<'a>>,
    /// Direct needs of the importers, as name and version; only those without which the product does not run.
    roots: Vec<String>,
    last_need: &'a str,
    /// Whether any importer has needs for development, so that following needs tells something.
    has_development: bool,
    snapshot: &'a str,
    snapshots: HashMap<&'a str, Vec<String>>,
}

#[derive(Default)]
struct Package<'a> {
    key: &'a str,
    name: &'a str,
    version: &'a str,
    development: bool,
}

impl<'a> File<'a> {
    fn line(&mut self, line: Line<'a>) {
        if line.indent == 0 {
            if line.key == "lockfileVersion" {
                self.version = line.value;
            }
            (self.section, self.group) = (line.key, "");
            return;
        }
        match (self.section, line.indent) {
            ("packages", 2) => self.packages.push(Package { key: line.key, ..Package::default() }),
            ("packages", 4) => {
                let Some(package) = self.packages.last_mut() else { return };
                match line.key {
                    "name" => package.name = line.value,
                    "version" => package.version = line.value,
                    "dev" => package.development = line.value == "true",
                    _ => {}
                }
            }
            ("importers" | "snapshots", 4) => self.group = line.key,
            ("importers", 6) => self.last_need = line.key,
            ("importers", 8) if line.key == "version" => {
                if self.group == "devDependencies" {
                    self.has_development = true;
                } else {
                    self.roots.push(format!("{}@{}", self.last_need, line.value));
                }
            }
            ("snapshots", 2) => (self.snapshot, self.group) = (line.key, ""),
            ("snapshots", 6) if matches!(self.group, "dependencies" | "optionalDependencies") => {
                let needs = self.snapshots.entry(self.snapshot).or_default();
                needs.extend([format!("{}@{}", line.key, line.value), line.value.to_owned()]);
            }
            _ => {}
        }
    }

    /// Keys of the packages that the importers reach; `None` where the file says `dev` itself or nothing can be told.
    fn needed(&self) -> Option<HashSet<String>> {
        if !self.has_development || !self.version.starts_with('9') {
            return None;
        }
        let mut seen: HashSet<&str> = HashSet::new();
        let mut todo: Vec<&str> = self.roots.iter().map(String::as_str).collect();
        // An alias needs `alias@name@1.0.0`, whose own key is what stands behind the first `@`.
        todo.extend(
            self.roots.iter().filter_map(|root| root.get(1..)?.split_once('@').map(|(_, real)| real)),
        );
        while let Some(key) = todo.pop() {
            if seen.insert(key) {
                todo.extend(self.snapshots.get(key).into_iter().flatten().map(String::as_str));
            }
        }
        Some(seen.into_iter().map(|key| without_peers(key).to_owned()).collect())
    }
}

/// `name@1.0.0` of `name@1.0.0(react@18.0.0)`.
fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

impl Package<'_> {
    fn pin(&self, lock_version: &str) -> Option<Pin> {
        let (name, from) = split(self.key, lock_version);
        let name = if self.name.is_empty() { name } else { self.name };
        if name.is_empty() {
            return None;
        }
        let said = if self.version.is_empty() { from } else { self.version };
        Some(Pin::new(name, version(said)))
    }
}

/// Name and version of a key; empty where it tells none.
fn split<'k>(key: &'k str, lock_version: &str) -> (&'k str, &'k str) {
    let key = without_peers(key);
    let Some(path) = key.strip_prefix('/') else {
        let nine = lock_version.starts_with('9') || lock_version.starts_with('6');
        let at = key.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1).filter(|_| nine);
        return at.map_or(("", ""), |at| {
            (key.get(..at).unwrap_or_default(), key.get(at + 1..).unwrap_or_default())
        });
    };
    if lock_version.starts_with('5') {
        let (name, version) = path.rsplit_once('/').unwrap_or_default();
        return (name, version.split('_').next().unwrap_or(version));
    }
    let at = path.get(1..).and_then(|rest| rest.find('@')).map_or(path.len(), |at| at + 1);
    (path.get(..at).unwrap_or(path), path.get(at + 1..).unwrap_or_default())
}
