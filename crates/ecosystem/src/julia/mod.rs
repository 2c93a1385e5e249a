//! Julia packages.
//!
//! | what | where |
//! |---|---|
//! | packages | `environments/*/Manifest.toml` of a depot: what is installed to be used from anywhere |
//! | lock files | `Manifest.toml` of a project |
//! | advisories | by name: `julia` |
//! | order | semantic versions |

mod installed;
mod locks;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, semver, shell};

/// See the [module](self).
pub struct Julia;

const ORDER: semver::Dialect = semver::Dialect { name: "Julia semver order", prefix: &['v'], short: true };

impl Ecosystem for Julia {
    fn id(&self) -> &'static str {
        "julia"
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
        semver::compare(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Julia").then(|| "julia".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let expression = format!("using Pkg; Pkg.add(name=\"{}\", version=\"{fixed}\")", package.name);
        format!("julia -e {}", shell::quote(&expression))
    }
}
