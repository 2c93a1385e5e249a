//! Package ecosystems: where a distribution or a language keeps its packages, how it orders versions, and what
//! vulnerability feeds call them.
//!
//! ```
//! use boltseal_ecosystem::{Everything, by_id, catalog};
//! use boltseal_model::{File, FileMeta, Selector, Tree, Want};
//!
//! // The image hop asks which files are worth keeping …
//! assert_eq!(Everything.want("var/lib/dpkg/status", &FileMeta::default()), Want::Whole);
//!
//! // … and what it kept becomes a catalog.
//! let status = b"Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\n\
//!                Source: openssl\nVersion: 3.0.11-1~deb12u2\n";
//! let mut tree = Tree::default();
//! for (path, content) in [("var/lib/dpkg/status", &status[..]), ("etc/os-release", b"ID=debian\nVERSION_ID=12\n")] {
//!     let file = File { layer: 0, meta: FileMeta::default(), content: content.into(), earlier: Vec::new() };
//!     tree.files.insert(path.into(), file);
//! }
//! let catalog = catalog(&tree);
//! let package = &catalog.packages[0];
//! assert_eq!(package.purl, "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12");
//!
//! // The scan hop asks under which name feeds know it, and which of two versions is older.
//! let debian = by_id(&package.ecosystem).unwrap();
//! assert_eq!(debian.space(package, catalog.distro.as_ref()).as_deref(), Some("debian:12"));
//! assert!(debian.compare("3.0.11-1~deb12u2", "3.0.11-1").unwrap().is_lt());
//! ```
//!
//! Start with the trait [`Ecosystem`] and the list [`ALL`]; [`catalog`] calls them all. Each ecosystem is one folder
//! with the same files: `mod.rs` (which files, which names), `installed.rs` (bytes to packages), `locks.rs` (what a
//! project means to install, see [`lock`]), `version.rs` (the order). A new one is one folder and one line in [`ALL`].
//! `distro` finds the operating system and knows when its support ends; `owner` knows which operating system package a
//! file belongs to; `purl` writes package URLs; `unzip` reads archives, `outline` indented lines.
//!
//! This crate must not know: archives and layers as bytes, the formats of feeds, findings, the clock, I/O.
//!
//! Everything read here is written by strangers. Parsers are linear in their input, never recurse deeper than
//! `serde_json` allows (128), inflate at most [`cargo::MAX_INFLATED`] from one executable and
//! [`maven::jar::MAX_INFLATED`] from one Java archive, and answer nonsense with a
//! [`GapKind::FileNotParsed`](boltseal_model::GapKind) that names the file, never with silence.

use std::{borrow::Cow, cmp::Ordering};

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

pub mod accounted;
pub mod alpine;
pub mod arch;
pub mod binary;
pub mod cargo;
mod catalog;
pub mod cocoapods;
pub mod conan;
pub mod conda;
pub mod cran;
pub mod dart;
pub mod debian;
mod distro;
mod dotted;
mod executable;
mod files;
pub mod gentoo;
pub mod golang;
pub mod hackage;
pub mod hex;
pub mod julia;
pub mod lock;
pub mod maven;
pub mod npm;
pub mod nuget;
mod origin;
mod outline;
pub mod owner;
pub mod packagist;
pub mod purl;
pub mod pypi;
pub mod rpm;
pub mod rubygems;
mod selector;
mod semver;
mod shell;
pub mod swift;
mod unzip;
mod word;

pub use catalog::catalog;
pub use debian::release as debian_release;
pub use distro::{distro, end_of_life};
pub use owner::Owners;
pub use selector::Everything;

/// One family of packages: its files, its order of versions, its names in feeds.
pub trait Ecosystem: Sync {
    /// `debian`, `alpine`, `pypi`, …: what [`Package::ecosystem`] says.
    fn id(&self) -> &'static str;

    /// First parts of its name spaces besides [`Ecosystem::id`]: `ubuntu` of `ubuntu:24.04`.
    fn families(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it installs operating systems, whose vendors publish advisories about their own builds.
    fn is_system(&self) -> bool {
        false
    }

    /// What to keep of the file at `path` (relative, clean, no leading slash). Sizes are the caller's business.
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        let _ = (path, meta);
        Want::Skip
    }

    /// Boils an executable down to the few bytes [`Ecosystem::catalog`] needs; asked for [`Want::Distilled`] only.
    ///
    /// `Err` is a sentence for people: the file is of this ecosystem, but cannot be read.
    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let _ = (path, bytes);
        Ok(None)
    }

    /// Pushes every package of `tree`, and a gap for every file that should name packages and does not.
    fn catalog(&self, tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
        let _ = (tree, distro, out);
    }

    /// How to read the lock file at `path`; `None` where it is none of this ecosystem. See [`lock`].
    fn lock(&self, path: &str) -> Option<lock::Reader> {
        let _ = path;
        None
    }

    /// The package `name` in `version`, as far as those two tell: ecosystem, name, version, package URL.
    fn named(&self, name: &str, version: &str) -> Package {
        Package {
            ecosystem: self.id().to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: purl::of_name(self.id(), name, version),
            ..Package::default()
        }
    }

    /// Which files of `tree` belong to which package; only operating systems know.
    fn owners(&self, tree: &Tree, out: &mut Owners) {
        let _ = (tree, out);
    }

    /// The order of versions. Strict: a text outside the grammar is an error, never an arbitrary answer.
    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError>;

    /// What proofs call [`Ecosystem::compare`]: `dpkg order`, `PEP 440`, …
    fn order_name(&self) -> &'static str;

    /// The name space in which advisories about `package` live; `None` where no feed speaks about it.
    fn space(&self, package: &Package, distro: Option<&Distro>) -> Option<String> {
        let _ = (package, distro);
        Some(self.id().to_owned())
    }

    /// The name space that `space` adds to, if there is one. What is said in `space` outweighs what is said there.
    fn space_below(&self, space: &str) -> Option<String> {
        let _ = space;
        None
    }

    /// `name` as advisories write it.
    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Every name under which advisories may speak about `package`, and the version that their ranges compare with.
    ///
    /// Names are normalised. The most specific comes first: what is said there about a vulnerability decides, and
    /// what the next name would say does not count.
    fn known_as<'p>(&self, package: &'p Package) -> Vec<(Cow<'p, str>, &'p str)> {
        vec![(self.normalise(package.source_name()).into(), package.source_version())]
    }

    /// Our name space for an ecosystem of the OSV schema, if it is one of ours: `Debian:12` is `debian:12`.
    fn osv_space(&self, osv_ecosystem: &str) -> Option<String>;

    /// What to type, or to put after `RUN` in a Dockerfile, to get from `package` to version `fixed`.
    fn fix_command(&self, package: &Package, fixed: &str) -> String;
}

/// Every ecosystem, in the order of reports.
pub const ALL: &[&dyn Ecosystem] = &[
    &debian::Debian,
    &alpine::Alpine,
    &rpm::Rpm,
    &arch::Arch,
    &gentoo::Gentoo,
    &pypi::Pypi,
    &npm::Npm,
    &golang::Golang,
    &cargo::Cargo,
    &maven::Maven,
    &nuget::Nuget,
    &rubygems::Rubygems,
    &packagist::Packagist,
    &conda::Conda,
    &cran::Cran,
    &dart::Dart,
    &hex::Hex,
    &swift::Swift,
    &cocoapods::Cocoapods,
    &conan::Conan,
    &julia::Julia,
    &hackage::Hackage,
    &binary::Binary,
];

/// The ecosystem called `id`.
pub fn by_id(id: &str) -> Option<&'static dyn Ecosystem> {
    ALL.iter().copied().find(|ecosystem| ecosystem.id() == id)
}

/// The ecosystem whose versions are compared in `space`: `ubuntu:24.04` is a `debian` one.
pub fn of_space(space: &str) -> Option<&'static dyn Ecosystem> {
    let family = space.split_once(':').map_or(space, |(family, _)| family);
    by_id(family).or_else(|| ALL.iter().copied().find(|ecosystem| ecosystem.families().contains(&family)))
}

/// Our name space for an ecosystem of the OSV schema; `None` for those we do not know.
pub fn space_of_osv(osv_ecosystem: &str) -> Option<String> {
    ALL.iter().find_map(|ecosystem| ecosystem.osv_space(osv_ecosystem))
}

/// Why two versions cannot be ordered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version in {order}: {reason}")]
pub struct VersionError {
    /// The text, shortened if it is very long.
    pub version: String,
    /// Which grammar.
    pub order: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl VersionError {
    /// `version` breaks the grammar `order`, because of `reason`.
    pub fn new(version: &str, order: &'static str, reason: &'static str) -> Self {
        Self { version: version.chars().take(120).collect(), order, reason }
    }
}
