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
    /// Says what runs and whose it is, as bundlers leave it beside a package that they compiled into another.
    is_copy: bool,
}

impl Manifest {
    /// `None` where there is no name of a package: npm itself allows that for what is never published.
    fn parse(content: &[u8]) -> Result<Option<Self>, String> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let fields: Map<String, Value> =
            serde_json::from_slice(content).map_err(|error| error.to_string())?;
        let text =
            |key: &str| fields.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default().to_owned();
        let (name, version) = (text("name"), text("version"));
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if name.is_empty() || version.is_empty() && !sane(&name) {
            return Ok(None);
        }
        if !sane(&name) || !sane(&version) {
            return Err("the name or version holds white space or control characters".to_owned());
        }
        let editor = fields.get("engines").is_some_and(|engines| engines.get("vscode").is_some());
        let is_extension = editor || fields.contains_key("contributes") || fields.contains_key("unity");
        let is_private = fields.get("private").and_then(Value::as_bool).unwrap_or_default();
        let whose = fields.contains_key("license") || fields.contains_key("author");
        let is_copy = whose && fields.contains_key("main") && is_published(&name);
        Ok(Some(Self { name, version, licenses: licenses(&fields), is_extension, is_private, is_copy }))
    }

    /// Whether it is one of npm's at `place`. Deep inside packages lie private ones called `dist` or `benchmark`, which are
    /// folders of that package and no packages of those names. What has no version is no package, except for copies inside
    /// others: what they may have is not known, and has to be told.
    const fn is_package(&self, place: Place) -> bool {
        let has_version = !self.version.is_empty();
        match place {
            Place::Module => has_version,
            Place::InsideModule => !self.is_private && (has_version || self.is_copy),
            Place::Application => has_version && !self.is_extension,
        }
    }
}

/// Whether npm takes packages called so: `name` or `@scope/name`, lower case. `rxjs/ajax` is the folder of a package.
fn is_published(name: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with(['.', '_'])
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'))
    };
    match name.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, name)) => word(scope) && word(name),
        None => word(name),
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

    /// Package URLs of what is found if only `content` is there.
    fn found(path: &str, content: &str) -> Vec<String> {
        let mut tree = Tree::default();
        let meta = boltseal_model::FileMeta::default();
        let file = File { layer: 0, meta, content: content.as_bytes().into(), earlier: Vec::new() };
        tree.files.insert(path.into(), file);
        let mut out = Catalog::default();
        catalog(&tree, &mut out);
        assert_eq!(out.gaps, []);
        out.packages.into_iter().map(|package| package.purl).collect()
    }

    #[test]
    fn private_folders_of_packages_are_no_packages() {
        let content = r#"{"name": "dist", "version": "1.0.0", "private": true}"#;
        let found = |path: &str| found(path, content).len();
        assert_eq!(found("app/node_modules/terser/dist/package.json"), 0);
        assert_eq!(found("app/node_modules/dist/package.json"), 1);
        assert_eq!(found("app/package.json"), 1);
    }

    /// As ncc writes them, which Next.js compiles its dependencies with; and what looks like it.
    #[test]
    fn copies_in_other_packages_have_no_version() {
        let (inside, module) =
            ("app/node_modules/next/dist/compiled/x/package.json", "node_modules/x/package.json");
        let ws = r#"{"name":"ws","main":"index.js","author":"Einar Otto Stangvik","license":"MIT"}"#;
        let scoped = r#"{"name":"@babel/core","main":"bundle.js","license":"MIT"}"#;
        for (path, content, expected) in [
            (inside, ws, Some("pkg:npm/ws")),
            (inside, scoped, Some("pkg:npm/%40babel/core")),
            (module, ws, None),
            ("app/package.json", ws, None),
            (inside, r#"{"name":"rxjs/ajax","main":"index.js","license":"MIT"}"#, None),
            (inside, r#"{"name":"hooks","main":"index.js","license":"MIT","private":true}"#, None),
            (inside, r#"{"name":"fixture","main":"index.js"}"#, None),
            (inside, r#"{"name":"esm","license":"MIT"}"#, None),
            (inside, r#"{"type":"module"}"#, None),
            (inside, r#"{"name":"of a test","main":"index.js","license":"MIT"}"#, None),
            ("app/package.json", r#"{"name":"My shop"}"#, None),
        ] {
            let found = found(path, content);
            assert_eq!(found.first().map(String::as_str), expected, "{path} {content}");
        }
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
