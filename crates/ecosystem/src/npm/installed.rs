//! `package.json` files.

use boltseal_model::{Catalog, File, Package, Tree};
use serde_json::{Map, Value};

use crate::{catalog::not_parsed, origin, purl::Purl};

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    let files = tree.files.iter().filter(|(path, _)| path.rsplit('/').next() == Some("package.json"));
    for (path, file) in files {
        match Manifest::parse(&file.content) {
            Ok(Some(manifest)) if manifest.is_package(Place::of(path)) => {
                out.packages.push(package(tree, path, file, manifest));
            }
            Ok(_) => {}
            // Packages ship broken files deep inside, to test their own readers with.
            Err(_) if Place::of(path) == Place::InsideModule => {}
            Err(why) => out.gaps.push(not_parsed("npm", path, why)),
        }
    }
}

/// Where a `package.json` lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `…/node_modules/name/` or `…/node_modules/@scope/name/`: an installed package.
    Module,
    /// Deeper in an installed package.
    InsideModule,
    /// In no `node_modules`.
    Application,
}

impl Place {
    fn of(path: &str) -> Self {
        let folders = path.strip_suffix("package.json").unwrap_or(path);
        let inside = match folders.rsplit_once("/node_modules/") {
            Some((_, inside)) => inside,
            None => match folders.strip_prefix("node_modules/") {
                Some(inside) => inside,
                None => return Self::Application,
            },
        };
        let depth = inside.trim_end_matches('/').split('/').count();
        if depth == if inside.starts_with('@') { 2 } else { 1 } { Self::Module } else { Self::InsideModule }
    }
}

/// The fields that say what a package is.
#[derive(Debug, PartialEq, Eq)]
struct Manifest {
    name: String,
    version: String,
    licenses: Vec<String>,
    /// Of an editor or a game engine: shares the file name with npm and nothing else.
    is_extension: bool,
    /// Never published: its name is free for others to take.
    is_private: bool,
}

impl Manifest {
    /// `None` where name or version is missing: npm itself allows that for what is never published.
    fn parse(content: &[u8]) -> Result<Option<Self>, String> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let fields: Map<String, Value> =
            serde_json::from_slice(content).map_err(|error| error.to_string())?;
        let text =
            |key: &str| fields.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default().to_owned();
        let (name, version) = (text("name"), text("version"));
        if name.is_empty() || version.is_empty() {
            return Ok(None);
        }
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !sane(&name) || !sane(&version) {
            return Err("the name or version holds white space or control characters".to_owned());
        }
        let editor = fields.get("engines").is_some_and(|engines| engines.get("vscode").is_some());
        let is_extension = editor || fields.contains_key("contributes") || fields.contains_key("unity");
        let is_private = fields.get("private").and_then(Value::as_bool).unwrap_or_default();
        Ok(Some(Self { name, version, licenses: licenses(&fields), is_extension, is_private }))
    }

    /// Whether it is one of npm's at `place`. Deep inside packages lie private ones called `dist` or `benchmark`, which are
    /// folders of that package and no packages of those names.
    const fn is_package(&self, place: Place) -> bool {
        match place {
            Place::Module => true,
            Place::InsideModule => !self.is_private,
            Place::Application => !self.is_extension,
        }
    }
}

/// `license: "MIT"`, and the older `license: {type}` and `licenses: [{type}]`.
fn licenses(fields: &Map<String, Value>) -> Vec<String> {
    let name = |value: &Value| value.as_str().or_else(|| value.get("type")?.as_str()).map(str::to_owned);
    let one = fields.get("license").and_then(name);
    let many = fields.get("licenses").and_then(Value::as_array).into_iter().flatten().filter_map(name);
    one.into_iter().chain(many).collect()
}

fn package(tree: &Tree, path: &str, file: &File, manifest: Manifest) -> Package {
    let same = |content: &[u8]| {
        let old = Manifest::parse(content).ok().flatten();
        old.is_some_and(|old| (old.name, old.version) == (manifest.name.clone(), manifest.version.clone()))
    };
    let layer = origin::layer(tree, origin::since(file, same));
    let (scope, name) = manifest.name.rsplit_once('/').unwrap_or(("", &manifest.name));
    let purl = Purl::new("npm", name).namespace(scope).version(&manifest.version).to_string();
    Package {
        ecosystem: "npm".to_owned(),
        purl,
        name: manifest.name,
        version: manifest.version,
        source: None,
        architecture: None,
        licenses: manifest.licenses,
        paths: vec![path.to_owned()],
        layer,
        owner: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_folders_of_packages_are_no_packages() {
        let found = |path: &str| {
            let mut tree = Tree::default();
            let content: &[u8] = br#"{"name": "dist", "version": "1.0.0", "private": true}"#;
            let meta = boltseal_model::FileMeta::default();
            let file = File { layer: 0, meta, content: content.into(), earlier: Vec::new() };
            tree.files.insert(path.into(), file);
            let mut out = Catalog::default();
            catalog(&tree, &mut out);
            out.packages.len()
        };
        assert_eq!(found("app/node_modules/terser/dist/package.json"), 0);
        assert_eq!(found("app/node_modules/dist/package.json"), 1);
        assert_eq!(found("app/package.json"), 1);
    }

    #[test]
    fn places() {
        for (path, expected) in [
            ("node_modules/a/package.json", Place::Module),
            ("app/node_modules/@s/a/package.json", Place::Module),
            ("app/node_modules/a/node_modules/b/package.json", Place::Module),
            ("app/node_modules/a/test/package.json", Place::InsideModule),
            ("app/node_modules/@s/a/test/package.json", Place::InsideModule),
            ("app/package.json", Place::Application),
            ("package.json", Place::Application),
        ] {
            assert_eq!(Place::of(path), expected, "{path}");
        }
    }
}
