//! R packages of CRAN.
//!
//! | what | where |
//! |---|---|
//! | packages | `DESCRIPTION` of a package in a library: header lines with `Package`, `Version` and `Built` (Writing R Extensions, 1.1.1) |
//! | lock files | `renv.lock` |
//! | advisories | by name: `cran`; packages of Bioconductor have none there |
//! | order | lists of numbers (R's `package_version`) |

mod installed;
mod locks;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, dotted, lock, shell};

/// See the [module](self).
pub struct Cran;

const ORDER: dotted::Dialect = dotted::Dialect { name: "R package version order", pre_releases: false };

impl Ecosystem for Cran {
    fn id(&self) -> &'static str {
        "cran"
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
        dotted::numbers(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "CRAN").then(|| "cran".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let expression = format!("remotes::install_version(\"{}\", \"{fixed}\")", package.name);
        format!("Rscript -e {}", shell::quote(&expression))
    }
}
