//! C and C++ packages of Conan.
//!
//! | what | where |
//! |---|---|
//! | lock files | `conan.lock` of Conan 1 (graphs) and 2 (lists) |
//! | advisories | by name: `conan` |
//! | order | numbers and words between dots, hyphens and plus signs; close enough to Conan's own for what advisories write |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, dotted, lock, shell};

/// See the [module](self).
pub struct Conan;

const ORDER: dotted::Dialect = dotted::Dialect { name: "Conan order", pre_releases: true };

impl Ecosystem for Conan {
    fn id(&self) -> &'static str {
        "conan"
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        dotted::compare(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "ConanCenter").then(|| "conan".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("conan install --requires={}", shell::quote(&format!("{}/{fixed}", package.name)))
    }
}
