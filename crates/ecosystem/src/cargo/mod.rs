//! Rust crates, as `cargo auditable` writes them into executables.
//!
//! | what | where |
//! |---|---|
//! | packages | section `.dep-v0` of ELF, PE and Mach-O files: JSON, deflated in a zlib stream (rust-secure-code/cargo-auditable, `PARSING.md`) |
//! | lock files | `Cargo.lock` |
//! | advisories | by crate name: `cargo` |
//! | order | semantic versions |
//!
//! Crates that only ran while building (procedural macros, build scripts) are left out: they are not in the file.

mod auditable;
mod installed;
mod locks;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, executable, lock, shell};

pub use auditable::MAX_INFLATED;

/// See the [module](self).
pub struct Cargo;

impl Ecosystem for Cargo {
    fn id(&self) -> &'static str {
        "cargo"
    }

    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        if executable::plausible(path, meta) { Want::Distilled } else { Want::Skip }
    }

    /// Lines of name, tab, version.
    fn distill(&self, _path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        auditable::distill(bytes)
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
        version::ORDER.name
    }

    fn space(&self, _package: &Package, _distro: Option<&Distro>) -> Option<String> {
        Some("cargo".to_owned())
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "crates.io").then(|| "cargo".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let which = shell::quote(&format!("{}@{}", package.name, package.version));
        format!("cargo update {which} --precise {}", shell::quote(fixed))
    }
}
