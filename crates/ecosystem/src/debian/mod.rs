//! Debian.
use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError};

/// See the module.
pub struct Debian;

impl Ecosystem for Debian {
    fn id(&self) -> &'static str {
        "debian"
    }

    fn want(&self, _path: &str, _meta: &FileMeta) -> Want {
        Want::Skip
    }

    fn catalog(&self, _tree: &Tree, _distro: Option<&Distro>, _out: &mut Catalog) {}

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(a.cmp(b))
    }

    fn order_name(&self) -> &'static str {
        "debian order"
    }

    fn space(&self, _package: &Package, _distro: Option<&Distro>) -> Option<String> {
        Some("debian".to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn osv_space(&self, _osv_ecosystem: &str) -> Option<String> {
        None
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("{}@{fixed}", package.name)
    }
}

/// The number of a Debian release, by code name: `bookworm` is `12`.
pub fn release(_codename: &str) -> Option<&'static str> {
    None
}
