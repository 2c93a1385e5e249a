//! Which operating system distribution a tree is, and until when it is supported.
//!
//! After os-release(5). `etc/os-release` wins over `usr/lib/os-release`, as there; images so old or so small that they
//! have neither are recognised by `etc/alpine-release`, `etc/debian_version`, `etc/redhat-release` and the like.

mod os_release;
mod pro;
mod support;

use boltseal_model::{Distro, Gap, GapKind, Tree};

use crate::{alpine, arch, debian, executable, gentoo, rpm};
use os_release::OsRelease;

pub use support::end_of_life;
pub(crate) use support::{codename_of, number_of};

/// Id of the record that shells and C libraries leave behind.
pub(crate) const USERLAND: &str = "userland";

/// Distributions that feeds of ours may cover. Others are named in a gap.
fn is_covered(id: &str) -> bool {
    matches!(id, "debian" | "ubuntu" | PRO | "alpine") || rpm::is_known(id)
}

/// Distributions that feeds of ours may cover and that have no releases to choose a feed by.
fn is_rolling(id: &str) -> bool {
    matches!(id, "arch" | "gentoo") || alpine::is_rolling(id) || rpm::is_rolling(id)
}

/// [`Distro::id`] of an Ubuntu with a contract.
const PRO: &str = "ubuntu-pro";

/// `ID` of os-release: who made the system, whether there is a contract or not.
pub(crate) fn vendor(distro: &Distro) -> &str {
    if distro.id == PRO { "ubuntu" } else { &distro.id }
}

/// Files whose bytes say which distribution it is.
pub(crate) fn wants(path: &str) -> bool {
    let named = ["etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/alpine-release"];
    named.contains(&path) || RELEASES.contains(&path) || pro::wants(path)
}

/// One line each, from before there was os-release. `system-release` of Fedora and its children leads to one of them.
const RELEASES: [&str; 3] = ["etc/centos-release", "etc/redhat-release", "etc/system-release"];

/// Whether `path` is a shell or C library: what a distribution has, and an image with one static binary has not.
pub(crate) fn is_userland(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let first = folder.strip_prefix("usr/").unwrap_or(folder);
    match first.split('/').next() {
        Some("bin" | "sbin") => matches!(name, "sh" | "bash" | "dash" | "busybox"),
        Some(lib) if lib.starts_with("lib") => {
            name.starts_with("ld-linux") || name.starts_with("ld-musl-") || name.starts_with("libc.so")
        }
        _ => false,
    }
}

/// The distribution of `tree`, and a gap when it has one that no feed covers.
///
/// An image without any trace of a distribution (one static binary, as Go makes them) has neither.
pub fn distro(tree: &Tree) -> (Option<Distro>, Vec<Gap>) {
    let distro = named(tree)
        .or_else(|| alpine_release(tree))
        .or_else(|| debian_version(tree))
        .or_else(|| one_line(tree));
    let gap = match &distro {
        Some(distro) if is_rolling(&distro.id) => None,
        Some(distro) if distro.version.is_empty() && is_covered(&distro.id) => Some(Gap::new(
            GapKind::UnknownDistribution,
            distro.id.clone(),
            "os-release names no version, so no feed can be chosen for the system packages: set VERSION_ID",
        )),
        Some(distro) if is_covered(&distro.id) => None,
        Some(distro) => Some(Gap::new(
            GapKind::UnknownDistribution,
            format!("{} {}", distro.id, distro.version).trim_end().to_owned(),
            "no feed covers this distribution, so its system packages are not judged: base the image on one \
             that is (Debian, Alpine, Fedora, …), or judge them by other means",
        )),
        None => trace(tree).map(|path| {
            Gap::new(
                GapKind::UnknownDistribution,
                path,
                "the image holds parts of an operating system but no os-release that names it, so its system \
                 packages are not judged: keep etc/os-release in the image",
            )
        }),
    };
    (distro, gap.into_iter().collect())
}

/// From the os-release files.
fn named(tree: &Tree) -> Option<Distro> {
    let release = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|path| {
        let release = OsRelease::parse(tree.content(path)?);
        (!release.id.is_empty()).then_some(release)
    })?;
    let version = match release.id.as_str() {
        "debian" => debian_number(tree, &release),
        "alpine" if is_edge(&release) => "edge".to_owned(),
        _ => release.version_id.clone(),
    };
    let name = if release.pretty_name.is_empty() { release.id.clone() } else { release.pretty_name.clone() };
    let id = if release.id == "ubuntu" && pro::is_attached(tree) { PRO } else { &release.id };
    Some(known(id, version, name))
}

fn known(id: &str, version: String, name: String) -> Distro {
    Distro { end_of_life: end_of_life(id, &version), id: id.to_owned(), version, name }
}

/// `12` of `VERSION_ID="12"`; testing and sid have none, but a code name. The point release is left out, because
/// feeds speak about the release.
fn debian_number(tree: &Tree, release: &OsRelease) -> String {
    if !release.version_id.is_empty() {
        return major(&release.version_id);
    }
    let codename = [release.codename.as_str(), release.pretty_name.rsplit(' ').next().unwrap_or_default()]
        .iter()
        .find_map(|text| number_of(text.split('/').next()?));
    codename
        .map(str::to_owned)
        .or_else(|| debian_version(tree).map(|distro| distro.version))
        .unwrap_or_default()
}

fn major(version: &str) -> String {
    version.split('.').next().unwrap_or_default().to_owned()
}

/// `VERSION_ID=3.21_alpha20240923` and `PRETTY_NAME="Alpine Linux edge"` mark the rolling branch.
fn is_edge(release: &OsRelease) -> bool {
    release.version_id.contains("_alpha") || release.pretty_name.ends_with(" edge")
}

fn alpine_release(tree: &Tree) -> Option<Distro> {
    let text = first_line(tree.content("etc/alpine-release")?)?;
    let version = if text.contains("_alpha") { "edge".to_owned() } else { text.clone() };
    Some(known("alpine", version, format!("Alpine Linux {text}")))
}

/// `12.5`, or `trixie/sid` before a release.
fn debian_version(tree: &Tree) -> Option<Distro> {
    let text = first_line(tree.content("etc/debian_version")?)?;
    let version = match text.split('/').next().and_then(number_of) {
        Some(number) => number.to_owned(),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => major(&text),
        None => String::new(),
    };
    Some(known("debian", version, format!("Debian GNU/Linux {text}")))
}

/// `CentOS release 6.10 (Final)`, `Red Hat Enterprise Linux Server release 6.10 (Santiago)`.
fn one_line(tree: &Tree) -> Option<Distro> {
    let text = RELEASES.iter().find_map(|path| first_line(tree.content(path)?))?;
    let (name, version) = text.split_once(" release ")?;
    let id = match name.split(' ').next()? {
        "CentOS" => "centos",
        "Red" => "rhel",
        "Fedora" => "fedora",
        "Rocky" => "rocky",
        "AlmaLinux" => "almalinux",
        "Oracle" => "ol",
        "Amazon" => "amzn",
        _ => return None,
    };
    Some(known(id, version.split(' ').next()?.to_owned(), text.clone()))
}

fn first_line(content: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(content).lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Whether the file at `path` lists packages of an operating system.
pub(crate) fn is_database(path: &str) -> bool {
    [debian::is_database, alpine::is_database, rpm::is_database, arch::is_database, gentoo::is_database]
        .iter()
        .any(|is_database| is_database(path))
}

/// The gap of a system that says what it is, and whose list of packages was taken out.
///
/// An image with one static binary and an os-release beside it has no packages and no gap.
pub(crate) fn unlisted(tree: &Tree, distro: &Distro) -> Option<Gap> {
    if tree.files.keys().any(|path| is_database(path)) {
        return None;
    }
    let detail = format!(
        "the image holds parts of {}, but no package manager's database, so nobody can say which packages are \
         installed: keep the database in the image",
        distro.name
    );
    Some(Gap::new(GapKind::FileNotParsed, trace(tree)?, detail))
}

/// Something that only an operating system has.
fn trace(tree: &Tree) -> Option<&str> {
    let file = tree.files.iter().find(|(path, file)| {
        is_database(path) || (is_userland(path) && executable::record(&file.content, USERLAND).is_some())
    });
    let link = || tree.links.keys().find(|path| is_userland(path));
    file.map(|(path, _)| &**path).or_else(|| link().map(AsRef::as_ref))
}
