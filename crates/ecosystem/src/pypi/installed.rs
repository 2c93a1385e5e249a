//! Core metadata files: header lines as in an e-mail, up to the first empty line.

use boltseal_model::{Catalog, File, Package, Tree};

use super::Pypi;
use crate::{Ecosystem as _, catalog::not_parsed, origin, purl::Purl};

/// Which of the forms a file has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Headers.
    Metadata,
    /// A zip archive with `EGG-INFO/PKG-INFO` inside.
    Egg,
}

impl Kind {
    pub(super) fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let metadata = match name {
            "METADATA" => folder.ends_with(".dist-info"),
            "PKG-INFO" => folder.ends_with(".egg-info") || folder.ends_with("EGG-INFO"),
            other => other.ends_with(".egg-info"),
        };
        if metadata {
            return Some(Self::Metadata);
        }
        name.strip_suffix(".egg").map(|_| Self::Egg)
    }
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in &tree.files {
        let Some(kind) = Kind::of(path) else { continue };
        match read(kind, &file.content) {
            Ok(metadata) => out.packages.push(package(tree, path, file, kind, &metadata)),
            Err(why) => out.gaps.push(not_parsed("pypi", path, why)),
        }
    }
}

/// The fields that say what a package is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metadata {
    name: String,
    version: String,
    license: String,
    license_expression: String,
    classifiers: Vec<String>,
}

fn read(kind: Kind, content: &[u8]) -> Result<Metadata, String> {
    match kind {
        Kind::Metadata => Metadata::parse(content),
        Kind::Egg => Metadata::parse(&super::egg::pkg_info(content)?),
    }
}

impl Metadata {
    fn parse(content: &[u8]) -> Result<Self, String> {
        let mut metadata = Self::default();
        for line in String::from_utf8_lossy(content).lines().take_while(|line| !line.trim().is_empty()) {
            if line.starts_with([' ', '\t']) {
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let field = match key.to_ascii_lowercase().as_str() {
                "name" => &mut metadata.name,
                "version" => &mut metadata.version,
                "license" => &mut metadata.license,
                "license-expression" => &mut metadata.license_expression,
                "classifier" => {
                    metadata.classifiers.extend(value.strip_prefix("License :: ").map(last_part));
                    continue;
                }
                _ => continue,
            };
            // Of a field that may come once, the first counts, as in Python's own reader.
            if field.is_empty() {
                value.clone_into(field);
            }
        }
        metadata.check()
    }

    fn check(self) -> Result<Self, String> {
        let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        match &self {
            Self { name, .. } if name.is_empty() => Err("there is no Name field".to_owned()),
            Self { version, .. } if version.is_empty() => Err("there is no Version field".to_owned()),
            me if !me.name.bytes().all(name) || me.name.starts_with('-') => {
                Err("the Name holds other than letters, digits, . _ -".to_owned())
            }
            me if me.version.contains(char::is_control) => {
                Err("the Version holds control characters".to_owned())
            }
            _ => Ok(self),
        }
    }

    /// The best there is: an SPDX expression, else what classifiers say, else the first words of the free text.
    fn licenses(&self) -> Vec<String> {
        if !self.license_expression.is_empty() {
            return vec![self.license_expression.clone()];
        }
        let mut licenses = self.classifiers.clone();
        if licenses.is_empty() && !self.license.is_empty() && self.license != "UNKNOWN" {
            licenses.push(self.license.chars().take(100).collect());
        }
        licenses.sort();
        licenses.dedup();
        licenses
    }
}

/// `MIT License` of `OSI Approved :: MIT License`.
fn last_part(classifier: &str) -> String {
    classifier.rsplit(" :: ").next().unwrap_or(classifier).to_owned()
}

fn package(tree: &Tree, path: &str, file: &File, kind: Kind, metadata: &Metadata) -> Package {
    let same = |content: &[u8]| {
        read(kind, content).is_ok_and(|old| (&old.name, &old.version) == (&metadata.name, &metadata.version))
    };
    let normal = Pypi.normalise(&metadata.name);
    Package {
        ecosystem: "pypi".to_owned(),
        name: metadata.name.clone(),
        version: metadata.version.clone(),
        purl: Purl::new("pypi", &normal).version(&metadata.version).to_string(),
        source: None,
        architecture: None,
        licenses: metadata.licenses(),
        paths: vec![path.to_owned()],
        layer: origin::layer(tree, origin::since(file, same)),
        owner: None,
    }
}
