//! Pods: packages of `CocoaPods`.
//!
//! | what | where |
//! |---|---|
//! | lock files | `Podfile.lock` |
//! | advisories | none in OSV; those of Swift name repositories, not pods: `cocoapods` |
//! | order | that of `RubyGems`, which `CocoaPods` is written in |

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, lock, purl::Purl, rubygems, shell};

/// See the [module](self).
pub struct Cocoapods;

impl Ecosystem for Cocoapods {
    fn id(&self) -> &'static str {
        "cocoapods"
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    /// A part of a pod (`Pod/Part`) is a subpath in package URLs.
    fn named(&self, name: &str, version: &str) -> Package {
        let pod = name.split('/').next().unwrap_or(name);
        Package {
            ecosystem: "cocoapods".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: Purl::new("cocoapods", pod).version(version).to_string(),
            ..Package::default()
        }
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        rubygems::order(a, b)
    }

    fn order_name(&self) -> &'static str {
        rubygems::ORDER
    }

    fn osv_space(&self, _osv_ecosystem: &str) -> Option<String> {
        None
    }

    fn fix_command(&self, package: &Package, _fixed: &str) -> String {
        let pod = package.name.split('/').next().unwrap_or(&package.name);
        format!("pod update {}", shell::quote(pod))
    }
}
