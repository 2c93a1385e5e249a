//! PHP packages of Composer.
//!
//! | what | where |
//! |---|---|
//! | packages | `vendor/composer/installed.json` of Composer 1 (a list) and 2 (an object) |
//! | lock files | `composer.lock`; and an `installed.json` of any other place that has Composer's form |
//! | advisories | by name in lower case: `packagist` |
//! | order | PHP's `version_compare` |
//!
//! Drupal's own packages have advisories in Packagist's space, by the name of their repository there.

mod installed;
mod locks;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, shell};

/// See the [module](self).
pub struct Packagist;

impl Ecosystem for Packagist {
    fn id(&self) -> &'static str {
        "packagist"
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
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    fn normalise(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        let family = osv_ecosystem.split(':').next();
        (family == Some("Packagist")).then(|| "packagist".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!(
            "composer require {} --with-all-dependencies",
            shell::quote(&format!("{}:^{fixed}", package.name))
        )
    }
}
