//! Programs that no package manager brought: copied, unpacked or compiled into the image.
//!
//! | what | where |
//! |---|---|
//! | packages | executables and libraries of widespread programs, by a text in them that holds their version; `release` of Java runtimes; `/opt/bitnami/**/.spdx-*.spdx`, by which Bitnami's images say what is in them |
//! | advisories | by Bitnami's name, where Bitnami publishes some: `bitnami`; for the others nobody does: `binary` |
//! | order | semantic versions, with the `v` and the numbers that people leave out |
//!
//! A file is looked into only if it has the name of such a program, so what is renamed is not found; and only what no
//! operating system package owns is listed, because that package is listed already.

mod bitnami;
mod installed;
mod java;
mod signature;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, executable, semver, shell};

/// What [`Package::ecosystem`] says.
pub(crate) const ID: &str = "binary";

/// See the [module](self).
pub struct Binary;

const ORDER: semver::Dialect = semver::Dialect { name: "semver order", prefix: &['v'], short: true };

impl Ecosystem for Binary {
    fn id(&self) -> &'static str {
        ID
    }

    fn families(&self) -> &'static [&'static str] {
        &["bitnami"]
    }

    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        if java::is_one(path) || bitnami::is_one(path) {
            Want::Whole
        } else if executable::plausible(path, meta) && signature::is_known(path) {
            Want::Distilled
        } else {
            Want::Skip
        }
    }

    /// Name, tab, version.
    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let found = executable::is_one(bytes).then(|| signature::read(path, bytes)).flatten();
        Ok(found.map(|(name, version)| format!("{name}\t{version}").into_bytes()))
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
        java::catalog(tree, out);
        bitnami::catalog(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        semver::compare(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn space(&self, package: &Package, _distro: Option<&Distro>) -> Option<String> {
        let speaks = package.purl.starts_with("pkg:bitnami/") || signature::BITNAMI.contains(&&*package.name);
        Some(if speaks { "bitnami" } else { ID }.to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Bitnami").then(|| "bitnami".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let what = shell::quote(&format!("{} {fixed}", package.name));
        format!("# no package manager installed it: build the image with {what} or later")
    }
}
