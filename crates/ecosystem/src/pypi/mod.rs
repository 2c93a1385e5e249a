//! Python packages as `pip`, `setuptools` and distributions install them.
//!
//! | what | where |
//! |---|---|
//! | packages | `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, `*.egg-info`, `EGG-INFO/PKG-INFO`, inside `*.egg` archives (PyPA specifications "Core metadata" and "Recording installed projects") |
//! | lock files | `requirements*.txt`, `Pipfile.lock`, `poetry.lock`, `pdm.lock`, `uv.lock`, `pylock*.toml` (PEP 751) |
//! | advisories | by normalised name (PEP 503): `pypi` |
//! | order | PEP 440, and what `setuptools` did before it |

mod egg;
mod installed;
mod locks;
mod requirements;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, purl::Purl, shell};

/// See the [module](self).
pub struct Pypi;

impl Ecosystem for Pypi {
    fn id(&self) -> &'static str {
        "pypi"
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if installed::Kind::of(path).is_some() { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn named(&self, name: &str, version: &str) -> Package {
        let purl = Purl::new("pypi", &self.normalise(name)).version(version).to_string();
        Package {
            ecosystem: "pypi".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            purl,
            ..Package::default()
        }
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    fn space(&self, _package: &Package, _distro: Option<&Distro>) -> Option<String> {
        Some("pypi".to_owned())
    }

    /// PEP 503: lower case, and any run of `-`, `_` and `.` is one hyphen.
    fn normalise(&self, name: &str) -> String {
        let mut normal = String::with_capacity(name.len());
        for character in name.chars() {
            match character {
                '-' | '_' | '.' if normal.ends_with('-') => {}
                '-' | '_' | '.' => normal.push('-'),
                other => normal.extend(other.to_lowercase()),
            }
        }
        normal
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "PyPI").then(|| "pypi".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("pip install --upgrade {}", shell::quote(&format!("{}>={fixed}", package.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_pip_does() {
        for (name, expected) in [("Django", "django"), ("zope.interface", "zope-interface"), ("a-_.b", "a-b")]
        {
            assert_eq!(Pypi.normalise(name), expected);
        }
    }
}
