//! Alpine.
use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError};

/// See the module.
pub struct Alpine;

impl Ecosystem for Alpine {
    fn id(&self) -> &'static str {
        "alpine"
    }

    fn want(&self, _path: &str, _meta: &FileMeta) -> Want {
        Want::Skip
    }

    fn catalog(&self, _tree: &Tree, _distro: Option<&Distro>, _out: &mut Catalog) {}

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(a.cmp(b))
    }

    fn order_name(&self) -> &'static str {
        "alpine order"
    }

    fn space(&self, _package: &Package, _distro: Option<&Distro>) -> Option<String> {
        Some("alpine".to_owned())
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
