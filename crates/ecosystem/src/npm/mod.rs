//! Node packages: what lies in `node_modules`, and applications that describe themselves.
//!
//! | what | where |
//! |---|---|
//! | packages | every `package.json` with a name and a version (npm documentation, "package.json") |
//! | copies in other packages | their `package.json` that names what runs and whose it is, mostly without a version |
//! | lock files | `package-lock.json` and `npm-shrinkwrap.json` 1–3, `yarn.lock` 1 and Berry, `pnpm-lock.yaml` 5–9, `bun.lock` |
//! | advisories | by name as written, scope included: `npm` |
//! | order | semantic versions, with the `v` and the missing numbers that node-semver forgives |

mod bun;
mod installed;
mod locks;
mod pnpm;
mod version;
mod yarn;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, shell};

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

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
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
