//! Dart and Flutter packages.
//!
//! | what | where |
//! |---|---|
//! | lock files | `pubspec.lock` |
//! | advisories | by name: `pub` |
//! | order | semantic versions in which the build counts, and one that is a pre-release comes first (package `pub_semver`) |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, lock, semver, shell};

/// See the [module](self).
pub struct Dart;

const ORDER: semver::Dialect = semver::Dialect { name: "pub semver order", prefix: &['v'], short: true };

impl Ecosystem for Dart {
    fn id(&self) -> &'static str {
        "pub"
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        semver::compare_with_build(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Pub").then(|| "pub".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("dart pub add {}", shell::quote(&format!("{}:^{fixed}", package.name)))
    }
}
