//! `*.deps.json` to packages.

use boltseal_model::{Catalog, File, Package, Tree};
use serde_json::Value;

use super::Nuget;
use crate::{
    Ecosystem as _,
    catalog::not_parsed,
    lock::members,
    origin::{self, Past},
    word::is_word,
};

/// Whether the file at `path` lists what a published program is made of.
pub(super) fn is_one(path: &str) -> bool {
    path.ends_with(".deps.json")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        match read(&file.content) {
            Ok(libraries) => packages(tree, path, file, &libraries, out),
            Err(why) => out.gaps.push(not_parsed("nuget", path, why)),
        }
    }
}

/// `name/1.0.0` of every library that is a package; the program itself and parts of its project have no advisories, and
/// what only compiles (`compileOnly`) is not there.
fn read(content: &[u8]) -> Result<Vec<(String, String)>, String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let file: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    if file.get("runtimeTarget").is_none() && file.get("libraries").is_none() {
        return Err("it names neither target nor libraries".to_owned());
    }
    let absent = |key: &str| {
        members(&file, "targets").any(|(_, target)| {
            target.get(key).and_then(|entry| entry.get("compileOnly")).and_then(Value::as_bool) == Some(true)
        })
    };
    let libraries = members(&file, "libraries").filter(|(key, _)| !absent(key));
    Ok(libraries
        .filter_map(|(key, _)| key.split_once('/'))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect())
}

fn packages(tree: &Tree, path: &str, file: &File, libraries: &[(String, String)], out: &mut Catalog) {
    let past = Past::of(file, |content| read(content).unwrap_or_default().into_iter().collect());
    for pair in libraries {
        let (name, version) = pair;
        if !is_word(name) || !is_word(version) {
            let why = "a name or version is empty, or holds white space or control characters";
            out.gaps.push(not_parsed("nuget", path, why));
            continue;
        }
        out.packages.push(Package {
            paths: vec![path.to_owned()],
            layer: origin::layer(tree, past.since(pair)),
            ..Nuget.named(name, version)
        });
    }
}
