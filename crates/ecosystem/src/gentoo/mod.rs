//! Gentoo: packages that portage built.
//!
//! | what | where |
//! |---|---|
//! | packages | `var/db/pkg/CATEGORY/NAME-VERSION/PF` (Package Manager Specification 8, "Names and versions") |
//! | who owns a file | `CONTENTS` in the same folder |
//! | advisories | by category and name; there is one release: `gentoo` |
//! | order | Package Manager Specification 8, "Version comparison" |

mod installed;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, Owners, VersionError, shell};

/// See the [module](self).
pub struct Gentoo;

const ID: &str = "gentoo";
const DATABASE: &str = "var/db/pkg/";
const NAME: &str = "/PF";
const LICENSE: &str = "/LICENSE";
const CONTENTS: &str = "/CONTENTS";

/// Whether `path` lists packages.
pub(crate) fn is_database(path: &str) -> bool {
    is_record(path, NAME)
}

/// `name` in the folder of one package.
fn is_record(path: &str, name: &str) -> bool {
    let folder = path.strip_prefix(DATABASE).and_then(|rest| rest.strip_suffix(name));
    folder.is_some_and(|folder| folder.matches('/').count() == 1)
}

impl Ecosystem for Gentoo {
    fn id(&self) -> &'static str {
        ID
    }

    fn is_system(&self) -> bool {
        true
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if [NAME, LICENSE, CONTENTS].iter().any(|name| is_record(path, name)) {
            Want::Whole
        } else {
            Want::Skip
        }
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

    fn space(&self, _package: &Package, distro: Option<&Distro>) -> Option<String> {
        distro.filter(|distro| distro.id == ID).map(|_| ID.to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn osv_space(&self, _osv_ecosystem: &str) -> Option<String> {
        None
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!(
            "emerge --sync && emerge --oneshot {}",
            shell::quote(&format!(">={}-{fixed}", package.source_name()))
        )
    }
}
