//! Go modules, as the Go linker writes them into every executable.
//!
//! | what | where |
//! |---|---|
//! | packages | build information in ELF, PE and Mach-O files (Go package `debug/buildinfo`): main module, dependencies, replacements; the Go release itself is package `stdlib` |
//! | lock files | `go.mod`, `vendor/modules.txt` |
//! | advisories | by module path: `golang` |
//! | order | semantic versions with a `v`; pseudo-versions are pre-releases (go.dev/ref/mod) |
//!
//! A main module built outside a release calls its version `(devel)`, and so do we: it cannot be ordered, and a
//! matcher says so instead of calling it safe.

mod build_info;
mod installed;
mod locks;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, executable, lock, shell};

/// See the [module](self).
pub struct Golang;

impl Ecosystem for Golang {
    fn id(&self) -> &'static str {
        "golang"
    }

    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        if executable::plausible(path, meta) { Want::Distilled } else { Want::Skip }
    }

    /// The release of Go, a line feed, and the module text.
    fn distill(&self, _path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let found = build_info::read(bytes)?;
        Ok(found.map(|info| [info.go, b"\n", info.modules].concat()))
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
        Some("golang".to_owned())
    }

    /// Module paths differ by case.
    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Go").then(|| "golang".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        let fixed = fixed.trim_start_matches('v');
        if package.name == installed::STDLIB {
            return format!("go get {} && go mod tidy", shell::quote(&format!("toolchain@go{fixed}")));
        }
        format!("go get {} && go mod tidy", shell::quote(&format!("{}@v{fixed}", package.name)))
    }
}
