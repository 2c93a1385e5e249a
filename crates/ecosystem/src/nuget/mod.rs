//! .NET packages of `NuGet`.
//!
//! | what | where |
//! |---|---|
//! | packages | `*.deps.json` beside published programs; what a library of the framework is called there |
//! | lock files | `packages.lock.json`, `packages.config`, `project.assets.json`, `paket.lock` |
//! | advisories | by name in lower case: `nuget` |
//! | order | semantic versions with a fourth number |
//!
//! Assemblies that no `*.deps.json` lists are not looked into: the version in them is the assembly's, not the package's.

mod installed;
mod locks;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, shell};

/// See the [module](self).
pub struct Nuget;

impl Ecosystem for Nuget {
    fn id(&self) -> &'static str {
        "nuget"
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if installed::is_one(path) { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    fn normalise(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "NuGet").then(|| "nuget".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("dotnet add package {} --version {}", shell::quote(&package.name), shell::quote(fixed))
    }
}
