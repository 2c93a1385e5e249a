//! Swift packages, named by the address of their repository.
//!
//! | what | where |
//! |---|---|
//! | lock files | `Package.resolved` 1 to 3 |
//! | advisories | by address without scheme and `.git`: `swift` |
//! | order | semantic versions |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, lock, semver, shell};

/// See the [module](self).
pub struct Swift;

const ORDER: semver::Dialect = semver::Dialect { name: "Swift semver order", prefix: &['v'], short: true };

impl Ecosystem for Swift {
    fn id(&self) -> &'static str {
        "swift"
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

    /// Advisories write addresses with scheme, with `.git`, or without.
    fn normalise(&self, name: &str) -> String {
        locks::short(name).to_lowercase()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "SwiftURL").then(|| "swift".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let identity = package.name.rsplit('/').next().unwrap_or(&package.name);
        format!("swift package resolve --version {} {}", shell::quote(fixed), shell::quote(identity))
    }
}
