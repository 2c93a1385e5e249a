//! Alpine Linux, Wolfi and Chainguard OS, and other distributions that use apk.
//!
//! | what | where |
//! |---|---|
//! | packages | `lib/apk/db/installed`, since apk 3 `usr/lib/apk/db/installed` (apk-package(5), the installed database) |
//! | who owns a file | `F:` and `R:` lines of the same file |
//! | advisories | by origin (the APKBUILD), per branch: `alpine:v3.19`, `alpine:edge`; `wolfi`, `chainguard`, which have one |
//! | order | apk-tools, `doc/apk-package.5.scd` and the test data of `version.c` |

mod installed;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, Owners, VersionError, shell};

/// See the [module](self).
pub struct Alpine;

/// Distributions of apk packages without releases, by their id in os-release, which is also their name space.
const ROLLING: [&str; 3] = ["wolfi", "chainguard", "minimos"];

/// Whether the distribution called `id` has no releases.
pub(crate) fn is_rolling(id: &str) -> bool {
    ROLLING.contains(&id)
}

const DATABASES: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// Whether `path` lists packages.
pub(crate) fn is_database(path: &str) -> bool {
    DATABASES.contains(&path)
}

impl Ecosystem for Alpine {
    fn id(&self) -> &'static str {
        "alpine"
    }

    fn families(&self) -> &'static [&'static str] {
        &ROLLING
    }

    fn is_system(&self) -> bool {
        true
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if is_database(path) { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, distro, out);
    }

    fn owners(&self, tree: &Tree, out: &mut Owners) {
        installed::owners(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    /// `alpine:v3.19` of 3.19.1.
    fn space(&self, _package: &Package, distro: Option<&Distro>) -> Option<String> {
        let distro = distro?;
        if is_rolling(&distro.id) {
            return Some(distro.id.clone());
        }
        if distro.id != "alpine" {
            return None;
        }
        if distro.version == "edge" {
            return Some("alpine:edge".to_owned());
        }
        let mut numbers = distro.version.split('.');
        let (major, minor) = (numbers.next()?, numbers.next()?);
        Some(format!("alpine:v{major}.{minor}"))
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    /// `Alpine:v3.19`, `Wolfi`; a bare `Alpine` speaks about no branch.
    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        if matches!(osv_ecosystem, "Wolfi" | "Chainguard" | "MinimOS") {
            return Some(osv_ecosystem.to_ascii_lowercase());
        }
        let branch = osv_ecosystem.strip_prefix("Alpine:")?;
        let sane = |c: char| c.is_ascii_alphanumeric() || c == '.';
        (!branch.is_empty() && branch.chars().all(sane)).then(|| format!("alpine:{branch}"))
    }

    /// Fails where the repositories hold no version that is new enough, instead of pretending.
    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("apk add --no-cache --upgrade {}", shell::quote(&format!("{}>={fixed}", package.name)))
    }
}
