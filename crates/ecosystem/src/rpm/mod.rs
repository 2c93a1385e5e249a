//! Distributions of rpm packages: Red Hat Enterprise Linux and what is built from its sources, Fedora, Amazon Linux,
//! SUSE and openSUSE, Photon OS, Azure Linux, Bottlerocket.
//!
//! | what | where |
//! |---|---|
//! | packages | `Packages` (Berkeley DB hash), `Packages.db` (ndb), `rpmdb.sqlite` and its write-ahead log in [`FOLDERS`]; `var/lib/rpmmanifest/` of distroless images; Bottlerocket's `application-inventory.json` |
//! | who owns a file | headers in the same files |
//! | advisories | by package or by source package, per release: `redhat:9`, `suse:15.5`; those of a module with its stream ([`in_module`]) |
//! | order | rpm-version(7) |
//!
//! `database` finds headers in files (`berkeley`, `ndb`, `sqlite`), `header` finds values in headers, `installed`
//! makes packages of them, `release` knows distributions, `osv` what others call them.
//!
//! Packages that another vendor built (its name is in their vendor tag) are named by that vendor in their package URL
//! and live in a space of its own (`rpm:docker`, `epel:9`): the distribution's advisories neither accuse nor excuse
//! them, and where no feed covers that space, the report says so.

mod berkeley;
mod bytes;
mod database;
mod header;
mod installed;
mod inventory;
mod manifest;
mod module;
mod ndb;
mod osv;
mod owners;
mod release;
mod sqlite;
mod version;
mod wal;

use std::{borrow::Cow, cmp::Ordering};

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, Owners, VersionError, purl, shell};

pub use module::{in_module, is_modular, stream_in, variant};
pub(crate) use release::{is_known, is_rolling};

/// See the [module](self).
pub struct Rpm;

/// [`Ecosystem::id`] of [`Rpm`].
pub const ID: &str = "rpm";

/// Folders of databases: the traditional one, where SUSE and Fedora moved it, where ostree keeps it.
pub const FOLDERS: [&str; 3] = ["var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"];
const FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// What SQLite appends to the name of a write-ahead log.
const WAL: &str = "-wal";

/// What waits in the log beside the database at `path`.
fn log<'t>(tree: &'t Tree, path: &str) -> &'t [u8] {
    tree.files.get(format!("{path}{WAL}").as_str()).map_or(&[], |file| &file.content)
}

/// Whether `path` lists packages, or is the log of such a file.
pub(crate) fn is_database(path: &str) -> bool {
    let name = FOLDERS.iter().find_map(|folder| path.strip_prefix(folder));
    name.is_some_and(|name| FILES.contains(&name.strip_suffix(WAL).unwrap_or(name)))
        || manifest::is(path)
        || inventory::is(path)
}

impl Ecosystem for Rpm {
    fn id(&self) -> &'static str {
        ID
    }

    fn families(&self) -> &'static [&'static str] {
        release::FAMILIES
    }

    fn is_system(&self) -> bool {
        true
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if is_database(path) { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, distro, out);
    }

    fn owners(&self, tree: &Tree, out: &mut Owners) {
        owners::owners(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    /// After the vendor in the package URL.
    fn space(&self, package: &Package, distro: Option<&Distro>) -> Option<String> {
        let distro = distro?;
        let vendor = package.purl.strip_prefix("pkg:rpm/").and_then(|rest| rest.split_once('/'))?.0;
        match vendor {
            own if release::is_namespace(own, distro) => release::space(distro),
            "fedora-project" => release::epel(distro).or_else(|| Some("rpm:fedora-project".to_owned())),
            other => Some(format!("rpm:{other}")),
        }
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Some vendors speak about packages, some about sources; both names are asked for.
    fn known_as<'p>(&self, package: &'p Package) -> Vec<(Cow<'p, str>, &'p str)> {
        let mut names = vec![(package.name.as_str(), package.version.as_str())];
        if let Some(source) = package.source.as_ref().filter(|source| source.name != package.name) {
            names.push((&source.name, &source.version));
        }
        let in_stream =
            |stream| names.iter().map(move |(name, version)| (in_module(stream, name).into(), *version));
        if let Some(label) = purl::qualifier(&package.purl, "rpmmod") {
            let streams = module::stream_of(&label).into_iter().map(Some).chain([None]);
            streams.flat_map(in_stream).collect()
        } else if let Some(variant) = variant(&package.version) {
            in_stream(Some(variant)).collect()
        } else {
            names.into_iter().map(|(name, version)| (name.into(), version)).collect()
        }
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        osv::space(osv_ecosystem)
    }

    /// Names no version: the fixed one may be of the source package, and repositories keep only the newest.
    fn fix_command(&self, package: &Package, _fixed: &str) -> String {
        let name = shell::quote(&package.name);
        match purl::qualifier(&package.purl, "distro").unwrap_or_default().split('-').next() {
            Some("sles" | "sled" | "sle" | "sl" | "suse" | "opensuse" | "sles_sap" | "sle_hpc") => {
                format!("zypper --non-interactive update {name}")
            }
            // Its packages cannot be changed one by one.
            Some("bottlerocket") => "apiclient update apply --check --reboot".to_owned(),
            Some("photon" | "azurelinux" | "mariner") => format!("tdnf update -y {name}"),
            Some("amzn") if !is_of(package, "amzn-2023") => format!("yum update -y {name}"),
            Some("rhel" | "centos" | "ol") if ["6", "7"].iter().any(|major| is_major(package, major)) => {
                format!("yum update -y {name}")
            }
            _ => format!("dnf upgrade -y {name}"),
        }
    }
}

fn is_of(package: &Package, distribution: &str) -> bool {
    purl::qualifier(&package.purl, "distro").is_some_and(|found| found.starts_with(distribution))
}

fn is_major(package: &Package, major: &str) -> bool {
    let version = purl::qualifier(&package.purl, "distro");
    version.and_then(|found| found.split('-').nth(1)?.split('.').next().map(|found| found == major))
        == Some(true)
}
