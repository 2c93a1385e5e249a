//! Debian, Ubuntu and what descends from them: packages that dpkg installed.
//!
//! | what | where |
//! |---|---|
//! | packages | `var/lib/dpkg/status` (deb-control(5), dpkg(1) "Package states"), `var/lib/dpkg/status.d/*` of distroless images, opkg's `status`, chisel's manifest |
//! | who owns a file | `var/lib/dpkg/info/*.list`, `var/lib/dpkg/status.d/*.md5sums` |
//! | advisories | by *source* package and version, per release: `debian:12`, `ubuntu:24.04` |
//! | order | deb-version(7) |
//!
//! Fixes that only Ubuntu Pro customers get live in spaces of their own (`ubuntu:pro:18.04`), so that a machine
//! without a contract is neither praised nor blamed for them. A system with one is called `ubuntu-pro`.

mod chisel;
mod installed;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, Owners, VersionError, distro, shell};

/// See the [module](self).
pub struct Debian;

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_D: &str = "var/lib/dpkg/status.d/";
const INFO: &str = "var/lib/dpkg/info/";
/// dpkg's smaller sister on routers and other small systems, which writes the same paragraphs.
const OPKG: [&str; 3] = ["usr/lib/opkg/status", "var/lib/opkg/status", "opt/lib/opkg/status"];

/// Whether `path` lists packages.
pub(crate) fn is_database(path: &str) -> bool {
    path == STATUS
        || chisel::is(path)
        || OPKG.contains(&path)
        || (path.starts_with(STATUS_D) && !path.ends_with(".md5sums"))
}

/// The number of a Debian release, by code name: `bookworm` is `12`. `sid` has none.
pub fn release(codename: &str) -> Option<&'static str> {
    distro::number_of(codename)
}

/// The code name of a Debian release, by number: `12` is `bookworm`.
pub fn codename(number: &str) -> Option<&'static str> {
    distro::codename_of(number)
}

impl Ecosystem for Debian {
    fn id(&self) -> &'static str {
        "debian"
    }

    fn families(&self) -> &'static [&'static str] {
        &["ubuntu"]
    }

    fn is_system(&self) -> bool {
        true
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        let list = path.strip_prefix(INFO).and_then(|name| name.strip_suffix(".list")).is_some();
        if list || is_database(path) || path.starts_with(STATUS_D) { Want::Whole } else { Want::Skip }
    }

    fn catalog(&self, tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, distro, out);
        chisel::catalog(tree, distro, out);
    }

    fn owners(&self, tree: &Tree, out: &mut Owners) {
        installed::owners(tree, out);
        chisel::owners(tree, out);
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    fn space(&self, _package: &Package, distro: Option<&Distro>) -> Option<String> {
        let distro = distro?;
        let family = match distro.id.as_str() {
            "ubuntu-pro" => "ubuntu:pro",
            own @ ("debian" | "ubuntu") => own,
            _ => return None,
        };
        (!distro.version.is_empty()).then(|| format!("{family}:{}", distro.version))
    }

    /// Pro adds to what everybody gets: `ubuntu:18.04` below `ubuntu:pro:18.04`.
    fn space_below(&self, space: &str) -> Option<String> {
        space
            .strip_prefix("ubuntu:pro:")
            .filter(|rest| !rest.contains(':'))
            .map(|rest| format!("ubuntu:{rest}"))
    }

    fn normalise(&self, name: &str) -> String {
        name.to_owned()
    }

    /// `Debian:12`, `Ubuntu:22.04:LTS`, `Ubuntu:24.10`, `Ubuntu:Pro:16.04:LTS`, `Ubuntu:Pro:FIPS:18.04:LTS`.
    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        let (family, release) = osv_ecosystem.split_once(':')?;
        let release = release.strip_suffix(":LTS").unwrap_or(release);
        let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        let known = matches!(family, "Debian" | "Ubuntu") && !release.is_empty() && release.chars().all(sane);
        known.then(|| format!("{family}:{release}").to_ascii_lowercase())
    }

    /// Names no version: the fixed one is of the source package, and mirrors keep only the newest.
    fn fix_command(&self, package: &Package, _fixed: &str) -> String {
        format!("apt-get update && apt-get install --yes --only-upgrade {}", shell::quote(&package.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_of_osv() {
        for (osv, space) in [
            ("Debian:12", Some("debian:12")),
            ("Ubuntu:22.04:LTS", Some("ubuntu:22.04")),
            ("Ubuntu:24.10", Some("ubuntu:24.10")),
            ("Ubuntu:Pro:16.04:LTS", Some("ubuntu:pro:16.04")),
            ("Ubuntu:Pro:FIPS-updates:22.04:LTS", Some("ubuntu:pro:fips-updates:22.04")),
            ("Debian", None),
            ("Debian:", None),
            ("Alpine:v3.19", None),
        ] {
            assert_eq!(Debian.osv_space(osv).as_deref(), space, "{osv}");
        }
    }
}
