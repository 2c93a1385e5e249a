//! `vendor/composer/installed.json` to packages.

use std::collections::BTreeSet;

use boltseal_model::{Catalog, File, Package, Tree};
use serde_json::Value;

use super::Packagist;
use crate::{
    Ecosystem as _,
    catalog::not_parsed,
    lock::{list, text},
    origin::{self, Past},
    word::is_word,
};

/// Whether the file at `path` is Composer's list of what it installed.
pub(super) fn is_one(path: &str) -> bool {
    path == "composer/installed.json" || path.ends_with("/composer/installed.json")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        match serde_json::from_slice::<Value>(&file.content) {
            Ok(list) => packages(tree, path, file, &list, out),
            Err(why) => out.gaps.push(not_parsed("packagist", path, why)),
        }
    }
}

/// The entries, whichever form the list has, and the names of those for development only.
pub(super) fn entries(file: &Value) -> (Vec<&Value>, BTreeSet<&str>) {
    let development = list(file, "dev-package-names").filter_map(Value::as_str).collect();
    match file.as_array() {
        Some(all) => (all.iter().collect(), development),
        None => (list(file, "packages").collect(), development),
    }
}

/// Development packages are installed like all others, so they count.
fn packages(tree: &Tree, path: &str, file: &File, parsed: &Value, out: &mut Catalog) {
    let past = Past::of(file, |content| {
        let old = serde_json::from_slice::<Value>(content).unwrap_or_default();
        entries(&old)
            .0
            .into_iter()
            .map(|entry| (text(entry, "name").to_owned(), version(entry).to_owned()))
            .collect()
    });
    let mut wrong = false;
    for entry in entries(parsed).0 {
        let (name, version) = (text(entry, "name"), version(entry));
        if !is_word(name) || !is_word(version) {
            wrong = true;
            continue;
        }
        out.packages.push(Package {
            licenses: list(entry, "license").filter_map(Value::as_str).map(str::to_owned).collect(),
            paths: vec![path.to_owned()],
            layer: origin::layer(tree, past.since(&(name.to_owned(), version.to_owned()))),
            ..Packagist.named(name, version)
        });
    }
    if wrong {
        let why = "a name or version is missing, or holds white space or control characters";
        out.gaps.push(not_parsed("packagist", path, why));
    }
}

/// Without the `v` that tags have.
pub(super) fn version(entry: &Value) -> &str {
    let version = text(entry, "version");
    version.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(version)
}
