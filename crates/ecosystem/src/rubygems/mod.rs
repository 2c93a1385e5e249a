//! Ruby gems.
//!
//! | what | where |
//! |---|---|
//! | packages | `specifications/*.gemspec`, as `gem install` writes them: Ruby of a fixed form, in which texts stand as they are |
//! | lock files | `Gemfile.lock`, `gems.locked`, and a project's own `*.gemspec` |
//! | advisories | by name: `rubygems` |
//! | order | `Gem::Version` |

mod gemspec;
mod installed;
mod locks;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, shell};

pub(crate) use version::{NAME as ORDER, compare as order};

/// See the [module](self).
pub struct Rubygems;

impl Ecosystem for Rubygems {
    fn id(&self) -> &'static str {
        "rubygems"
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
        order(a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "RubyGems").then(|| "rubygems".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!("gem install {} --version {}", shell::quote(&package.name), shell::quote(fixed))
    }
}
