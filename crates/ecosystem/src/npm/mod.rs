//! Node packages: what lies in `node_modules`, and applications that describe themselves.
//!
//! | what | where |
//! |---|---|
//! | packages | every `package.json` with a name and a version (npm documentation, "package.json") |
//! | advisories | by name as written, scope included: `npm` |
//! | order | semantic versions, with the `v` and the missing numbers that node-semver forgives |
//!
//! Lock files are not read here: in an image they say what somebody meant to install.

mod installed;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, shell};

/// See the [module](self).
pub struct Npm;

impl Ecosystem for Npm {
    fn id(&self) -> &'static str {
        "npm"
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        let name = path.rsplit('/').next();
        if name == Some("package.json") { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::ORDER.name
    }

    fn space(&self, _package: &Package, _distro: Option<&Distro>) -> Option<String> {
        Some("npm".to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "npm").then(|| "npm".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("npm install {}", shell::quote(&format!("{}@{fixed}", package.name)))
    }
}
