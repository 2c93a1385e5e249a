//! Haskell packages.
//!
//! | what | where |
//! |---|---|
//! | lock files | `cabal.project.freeze`, `stack.yaml.lock` |
//! | advisories | by name: `hackage` |
//! | order | lists of numbers (Haskell package versioning policy) |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, dotted, lock, purl::Purl, shell};

/// See the [module](self).
pub struct Hackage;

const ORDER: dotted::Dialect = dotted::Dialect { name: "Hackage order", pre_releases: false };

impl Ecosystem for Hackage {
    fn id(&self) -> &'static str {
        "hackage"
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn named(&self, name: &str, version: &str) -> Package {
        Package {
            ecosystem: "hackage".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: Purl::new("hackage", name).version(version).to_string(),
            ..Package::default()
        }
    }

    /// A list that goes on is later: 1.0 comes before 1.0.0.
    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        dotted::numbers(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Hackage").then(|| "hackage".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("cabal freeze --constraint={}", shell::quote(&format!("{} >= {fixed}", package.name)))
    }
}
