//! Packages of Conda environments.
//!
//! | what | where |
//! |---|---|
//! | packages | `conda-meta/*.json`, one for each installed package |
//! | advisories | none: no feed speaks about builds of Conda, and matching says so. Python packages among them describe themselves a second time, as `pip` does, and are matched as such |
//! | order | PEP 440, which is what most of them follow |

mod installed;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, pypi::Pypi, shell};

/// See the [module](self).
pub struct Conda;

impl Ecosystem for Conda {
    fn id(&self) -> &'static str {
        "conda"
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if installed::is_one(path) { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Pypi.compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        Pypi.order_name()
    }

    fn osv_space(&self, _osv_ecosystem: &str) -> Option<String> {
        None
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("conda install {}", shell::quote(&format!("{}>={fixed}", package.name)))
    }
}
