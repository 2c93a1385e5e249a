//! Arch Linux, and other distributions that use pacman.
//!
//! | what | where |
//! |---|---|
//! | packages | `var/lib/pacman/local/*/desc` (libalpm, `be_local.c`) |
//! | who owns a file | `var/lib/pacman/local/*/files` |
//! | advisories | by package, or by the base it was built from; there is one release: `arch` |
//! | order | vercmp(8) |

mod installed;
mod version;

use std::{borrow::Cow, cmp::Ordering};

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, Owners, VersionError, shell};

/// See the [module](self).
pub struct Arch;

const ID: &str = "arch";
const DATABASE: &str = "var/lib/pacman/local/";
const DESCRIPTION: &str = "/desc";
const LIST: &str = "/files";

/// Whether `path` lists packages.
pub(crate) fn is_database(path: &str) -> bool {
    is_record(path, DESCRIPTION)
}

/// `name` in the folder of one package.
fn is_record(path: &str, name: &str) -> bool {
    let folder = path.strip_prefix(DATABASE).and_then(|rest| rest.strip_suffix(name));
    folder.is_some_and(|folder| !folder.is_empty() && !folder.contains('/'))
}

impl Ecosystem for Arch {
    fn id(&self) -> &'static str {
        ID
    }

    fn is_system(&self) -> bool {
        true
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if is_database(path) || is_record(path, LIST) { Want::Whole } else { Want::Skip }
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

    /// Arch itself only: its children freeze and rebuild packages.
    fn space(&self, _package: &Package, distro: Option<&Distro>) -> Option<String> {
        distro.filter(|distro| distro.id == ID).map(|_| ID.to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn known_as<'p>(&self, package: &'p Package) -> Vec<(Cow<'p, str>, &'p str)> {
        let mut names = vec![(Cow::from(&package.name), package.version.as_str())];
        if let Some(base) = package.source.as_ref().filter(|base| base.name != package.name) {
            names.push(((&base.name).into(), &base.version));
        }
        names
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Arch Linux").then(|| ID.to_owned())
    }

    /// The whole system: pacman supports no partial upgrades.
    fn fix_command(&self, package: &Package, _fixed: &str) -> String {
        format!("pacman -Syu --noconfirm {}", shell::quote(&package.name))
    }
}
