//! Julia packages.
//!
//! | what | where |
//! |---|---|
//! | packages, lock files | `Manifest.toml`, which Julia also writes where a project is installed |
//! | advisories | by name: `julia` |
//! | order | semantic versions |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, lock, semver, shell};

/// See the [module](self).
pub struct Julia;

const ORDER: semver::Dialect = semver::Dialect { name: "Julia semver order", prefix: &['v'], short: true };

impl Ecosystem for Julia {
    fn id(&self) -> &'static str {
        "julia"
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
