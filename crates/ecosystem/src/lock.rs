//! Lock files: what a project means to install, name by name and version by version.
//!
//! In an image only what is installed counts, and every installer leaves records of that: a lock file that was copied
//! along says nothing about the image, and reading it would report what is not there. A folder of source code is the
//! other way round: nothing is installed, and lock files are all there is. So they are read from plain folders that
//! hold no operating system, and nowhere else.
//!
//! ```
//! # use boltseal_ecosystem::lock::pins;
//! # use boltseal_model::{File, FileMeta, Tree};
//! let mut tree = Tree::default();
//! let content = b"lodash==4.17.20 # not npm\nrequests==2.31.0\n"[..].into();
//! tree.files.insert("requirements.txt".into(), File { layer: 0, meta: FileMeta::default(), content, earlier: vec![] });
//! let (found, problem) = pins(&tree, "requirements.txt").unwrap();
//! assert_eq!((found[1].name.as_str(), found[1].version.as_str(), problem), ("requests", "2.31.0", None));
//! ```
//!
//! What is needed only to develop or to test is marked, and left out of catalogs: it does not run where the product
//! runs. A version that a file does not tell is empty, and matching says that it cannot be compared.

use boltseal_model::{Catalog, Package, Tree};
use serde_json::{Map, Value};

use crate::{ALL, Ecosystem, catalog::not_parsed, word::is_word};

/// One line of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// As advisories of the ecosystem write it, or as the file does where that is the same.
    pub name: String,
    /// Empty where the file does not say, as for a commit of a repository.
    pub version: String,
    /// Whether only development or tests need it.
    pub development: bool,
    /// What its package URL needs beside name and version: `uuid` of Julia.
    pub qualifier: Option<(&'static str, String)>,
}

impl Pin {
    /// `name` in `version`, needed to run.
    pub(crate) fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), development: false, qualifier: None }
    }

    /// The same, needed to develop only if `development`.
    #[must_use]
    pub(crate) fn only_for(mut self, development: bool) -> Self {
        self.development = development;
        self
    }

    /// The package that it stands for, as far as it tells.
    pub(crate) fn package(&self, ecosystem: &dyn Ecosystem) -> Package {
        let mut package = ecosystem.named(&self.name, &self.version);
        if let Some((key, value)) = &self.qualifier {
            package.purl.extend(["?", key, "=", value]);
        }
        package
    }

    /// Whether name and version, if there is one, are words.
    fn is_sane(&self) -> bool {
        is_word(&self.name) && (self.version.is_empty() || is_word(&self.version))
    }
}

/// A lock file, and the tree around it for those that refer to others.
#[derive(Clone, Copy)]
pub struct Lock<'a> {
    tree: &'a Tree,
    /// Where it lies.
    pub path: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
}

impl<'a> Lock<'a> {
    /// `content` at `path` of `tree`.
    pub(crate) const fn of(tree: &'a Tree, path: &'a str, content: &'a [u8]) -> Self {
        Self { tree, path, content }
    }

    /// As text; bytes that are none become question marks. A byte order mark is no part of it.
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.content))
    }

    /// As a JSON object.
    pub(crate) fn json(&self) -> Result<Value, String> {
        let content = self.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.content);
        let fields: Map<String, Value> =
            serde_json::from_slice(content).map_err(|error| error.to_string())?;
        Ok(Value::Object(fields))
    }

    /// As a TOML document.
    ///
    /// Dates become texts, so that one set of accessors reads both.
    pub(crate) fn toml(&self) -> Result<Value, String> {
        toml::from_str(&self.text()).map_err(|error| error.message().to_owned())
    }

    /// The file at `relative` to this one's folder, if it lies in the tree.
    pub fn beside(&self, relative: &str) -> Option<Lock<'a>> {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop()?,
                name => parts.push(name),
            }
        }
        let (path, file) = self.tree.files.get_key_value(parts.join("/").as_str())?;
        Some(Lock { tree: self.tree, path, content: &file.content })
    }
}

/// Reads a lock file: pushes what it says, and answers with a sentence for people where something is wrong.
pub type Reader = fn(&Lock<'_>, &mut Vec<Pin>) -> Result<(), String>;

/// Who reads the lock file at `path`.
pub(crate) fn reader(path: &str) -> Option<(&'static dyn Ecosystem, Reader)> {
    ALL.iter().find_map(|ecosystem| Some((*ecosystem, ecosystem.lock(path)?)))
}

/// What the lock file at `path` says, development included, and what is wrong with it; `None` where it is no lock file
/// or not in `tree`.
pub fn pins(tree: &Tree, path: &str) -> Option<(Vec<Pin>, Option<String>)> {
    let (path, file) = tree.files.get_key_value(path)?;
    let (_, read) = reader(path)?;
    let mut found = Vec::new();
    let problem = read(&Lock { tree, path, content: &file.content }, &mut found).err();
    Some(sane((found, problem)))
}

/// Without what is no word, which is a problem then.
pub(crate) fn sane((mut found, mut problem): (Vec<Pin>, Option<String>)) -> (Vec<Pin>, Option<String>) {
    let before = found.len();
    found.retain(Pin::is_sane);
    if found.len() < before {
        problem.get_or_insert_with(|| {
            "a name or version is empty, or holds white space or control characters".to_owned()
        });
    }
    (found, problem)
}

/// The text at `key` of a JSON object; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of the list at `key` of a JSON object.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The members of the object at `key` of a JSON object.
pub(crate) fn members<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What stands behind the last dot.
pub(crate) fn file_end(path: &str) -> Option<&str> {
    file_name(path).rsplit_once('.').map(|(_, end)| end)
}

/// Whether lock files of `tree` speak for it: see the [module](self).
pub(crate) fn counts(tree: &Tree) -> bool {
    tree.layers.iter().all(|layer| layer.digest.is_none() && layer.diff_id.is_none())
}

/// Pushes what the lock files of a folder say.
pub(crate) fn catalog(tree: &Tree, out: &mut Catalog) {
    for path in tree.files.keys() {
        let Some((ecosystem, _)) = reader(path) else { continue };
        let Some((pins, problem)) = pins(tree, path) else { continue };
        out.gaps.extend(problem.map(|problem| not_parsed(ecosystem.id(), path, problem)));
        let needed = pins.iter().filter(|pin| !pin.development);
        out.packages
            .extend(needed.map(|pin| Package { paths: vec![path.to_string()], ..pin.package(ecosystem) }));
    }
}
