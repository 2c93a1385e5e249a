//! Distributions of rpm packages: what feeds call their releases, and whose packages are their own.

use boltseal_model::Distro;

/// A distribution.
struct Vendor {
    /// `ID` of os-release(5).
    id: &'static str,
    /// First part of its name spaces.
    family: &'static str,
    /// Namespace of its package URLs.
    purl: &'static str,
    /// How much of `VERSION_ID` names a release.
    release: Release,
    /// How the vendor tag of its own packages begins.
    own: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Release {
    /// `9` of 9.3.
    Major,
    /// All of it.
    Whole,
    /// All of it, of a product line beside the main one.
    Micro,
    /// There is only one.
    Rolling,
}

const SUSE: &[&str] = &["SUSE", "openSUSE"];

const fn vendor(
    id: &'static str,
    family: &'static str,
    purl: &'static str,
    release: Release,
    own: &'static [&'static str],
) -> Vendor {
    Vendor { id, family, purl, release, own }
}

/// Every distribution that we know. `CentOS` publishes no advisories; it is built from the sources of Red Hat.
const VENDORS: &[Vendor] = &[
    vendor("rhel", "redhat", "redhat", Release::Major, &["Red Hat"]),
    vendor("centos", "redhat", "centos", Release::Major, &["CentOS", "Red Hat"]),
    vendor("almalinux", "almalinux", "almalinux", Release::Major, &["AlmaLinux", "CloudLinux"]),
    vendor("rocky", "rocky", "rocky", Release::Major, &["Rocky"]),
    vendor("ol", "oracle", "oracle", Release::Major, &["Oracle"]),
    vendor("fedora", "fedora", "fedora", Release::Whole, &["Fedora"]),
    vendor("amzn", "amazon", "amazon", Release::Major, &["Amazon"]),
    vendor("photon", "photon", "photon", Release::Major, &["VMware", "Broadcom"]),
    vendor("azurelinux", "azurelinux", "azurelinux", Release::Major, &["Microsoft"]),
    vendor("mariner", "azurelinux", "mariner", Release::Major, &["Microsoft"]),
    vendor("sles", "suse", "suse", Release::Whole, SUSE),
    vendor("sled", "suse", "suse", Release::Whole, SUSE),
    vendor("sles_sap", "suse", "suse", Release::Whole, SUSE),
    vendor("sle_hpc", "suse", "suse", Release::Whole, SUSE),
    vendor("sle-micro", "suse", "suse", Release::Micro, SUSE),
    vendor("sl-micro", "suse", "suse", Release::Micro, SUSE),
    vendor("suse-microos", "suse", "suse", Release::Micro, SUSE),
    vendor("opensuse", "opensuse", "opensuse", Release::Whole, SUSE),
    vendor("opensuse-leap", "opensuse", "opensuse", Release::Whole, SUSE),
    vendor("opensuse-leap-micro", "opensuse", "opensuse", Release::Micro, SUSE),
    vendor("opensuse-tumbleweed", "opensuse", "opensuse", Release::Rolling, SUSE),
    vendor("opensuse-microos", "opensuse", "opensuse", Release::Rolling, SUSE),
    vendor("bottlerocket", "bottlerocket", "bottlerocket", Release::Rolling, &[]),
    vendor("mageia", "mageia", "mageia", Release::Major, &["Mageia"]),
];

/// First parts of name spaces, for those who look for the ecosystem of a space.
pub(super) const FAMILIES: &[&str] = &[
    "bottlerocket",
    "redhat",
    "almalinux",
    "rocky",
    "oracle",
    "fedora",
    "amazon",
    "photon",
    "azurelinux",
    "suse",
    "opensuse",
    "mageia",
    "epel",
];

fn of(id: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.id == id)
}

/// Whether feeds may know the distribution called `id` in os-release.
pub(crate) fn is_known(id: &str) -> bool {
    of(id).is_some()
}

/// Whether the distribution called `id` has no releases.
pub(crate) fn is_rolling(id: &str) -> bool {
    of(id).is_some_and(|vendor| matches!(vendor.release, Release::Rolling))
}

/// The namespace of package URLs.
pub(super) fn purl_namespace(distro: Option<&Distro>) -> &str {
    distro.map_or("", |distro| of(&distro.id).map_or(&*distro.id, |vendor| vendor.purl))
}

/// Whether package URLs in `namespace` are the distribution's own. Other tools write its id, or its family.
pub(super) fn is_namespace(namespace: &str, distro: &Distro) -> bool {
    let family = of(&distro.id).map(|vendor| vendor.family);
    namespace == purl_namespace(Some(distro)) || namespace == distro.id || Some(namespace) == family
}

/// Whether a package whose vendor tag is `tag` was made by the distribution; one without a tag counts as its own.
pub(super) fn is_own(tag: &str, distro: Option<&Distro>) -> bool {
    let Some(vendor) = distro.and_then(|distro| of(&distro.id)) else { return true };
    let begins = |own: &&str| tag.get(..own.len()).is_some_and(|start| start.eq_ignore_ascii_case(own));
    tag.is_empty() || vendor.own.iter().any(begins)
}

/// `redhat:9`, `amazon:2023`, `suse:15.5`, `suse:micro-5.5`, `opensuse:tumbleweed`.
pub(super) fn space(distro: &Distro) -> Option<String> {
    let vendor = of(&distro.id)?;
    let release = match vendor.release {
        Release::Rolling if vendor.family == "opensuse" => "tumbleweed".to_owned(),
        Release::Rolling => return Some(vendor.family.to_owned()),
        _ if distro.version.is_empty() => return None,
        Release::Whole => distro.version.clone(),
        Release::Micro => format!("micro-{}", distro.version),
        Release::Major => match major(&distro.version) {
            // The first Amazon Linux counted years, when there was no second one to tell it from.
            "2015" | "2016" | "2017" | "2018" if vendor.id == "amzn" => "1".to_owned(),
            major => major.to_owned(),
        },
    };
    Some(format!("{}:{release}", vendor.family))
}

/// Where Fedora's packages for enterprise Linux have their advisories.
pub(super) fn epel(distro: &Distro) -> Option<String> {
    let enterprise = matches!(distro.id.as_str(), "rhel" | "centos" | "almalinux" | "rocky" | "ol");
    (enterprise && !distro.version.is_empty()).then(|| format!("epel:{}", major(&distro.version)))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Our name space for an ecosystem of the OSV schema.
///
/// Support that has a price (Red Hat's EUS, AUS, E4S, TUS, SUSE's LTSS and ESPOS) and products beside the
/// distribution live in spaces of their own, so that a system without them is neither praised nor blamed.
pub(super) fn osv_space(osv: &str) -> Option<String> {
    let (vendor, release) = osv.split_once(':')?;
    let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | ' ');
    if release.is_empty() || !release.chars().all(sane) {
        return None;
    }
    let family = match vendor {
        "AlmaLinux" => "almalinux",
        "Rocky Linux" => "rocky",
        "Oracle Linux" => "oracle",
        "Photon OS" => "photon",
        "Azure Linux" => "azurelinux",
        "Mageia" => "mageia",
        "Red Hat" => return redhat(release),
        "SUSE" => return suse(release),
        "openSUSE" => return opensuse(release),
        _ => return None,
    };
    Some(format!("{family}:{}", major(release)))
}

/// The tail of a CPE name: `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`, `openshift:4.12::el8`.
fn redhat(cpe: &str) -> Option<String> {
    let mut parts = cpe.split(':');
    let (product, version) = (parts.next()?, parts.next().filter(|version| !version.is_empty())?);
    Some(match product.strip_prefix("rhel_").unwrap_or(product) {
        "enterprise_linux" => format!("redhat:{}", major(version)),
        other => format!("redhat:{other}:{version}"),
    })
}

/// A product: `Linux Enterprise Server 15 SP5`, `Linux Enterprise Module for Basesystem 15 SP5`,
/// `Linux Enterprise Server 15 SP3-LTSS`, `Linux Enterprise Micro 5.5`, `Linux Micro 6.0`.
fn suse(product: &str) -> Option<String> {
    let product = product.strip_prefix("SUSE ").unwrap_or(product);
    let rest = product.strip_prefix("Linux ")?;
    let (product, support) = match rest.rsplit_once('-') {
        Some((product, support @ ("LTSS" | "ESPOS" | "TERADATA" | "BCL"))) => (product, support),
        _ => (rest, ""),
    };
    let mut words = product.rsplit(' ');
    let last = words.next()?;
    let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let version = match last.strip_prefix("SP") {
        Some(pack) => format!("{}.{pack}", words.next().filter(|word| number(word))?),
        None => last.to_owned(),
    };
    let micro = if product.split(' ').any(|word| word == "Micro") { "micro-" } else { "" };
    let support =
        if support.is_empty() { String::new() } else { format!("{}:", support.to_ascii_lowercase()) };
    number(&version).then(|| format!("suse:{support}{micro}{version}"))
}

/// `Leap 15.5`, `Leap Micro 5.5`, `Tumbleweed`.
fn opensuse(product: &str) -> Option<String> {
    let release = match product.rsplit_once(' ') {
        None => product.to_ascii_lowercase(),
        Some(("Leap", version)) => version.to_owned(),
        Some(("Leap Micro", version)) => format!("micro-{version}"),
        Some(_) => return None,
    };
    Some(format!("opensuse:{release}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_of_osv() {
        for (osv, space) in [
            ("AlmaLinux:9", Some("almalinux:9")),
            ("Rocky Linux:8", Some("rocky:8")),
            ("Red Hat:enterprise_linux:9::baseos", Some("redhat:9")),
            ("Red Hat:enterprise_linux:8.6", Some("redhat:8")),
            ("Red Hat:rhel_aus:8.6::appstream", Some("redhat:aus:8.6")),
            ("Red Hat:openshift:4.12::el8", Some("redhat:openshift:4.12")),
            ("Red Hat:enterprise_linux", None),
            ("SUSE:Linux Enterprise Server 15 SP5", Some("suse:15.5")),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP6", Some("suse:15.6")),
            ("SUSE:Linux Enterprise Server 15 SP3-LTSS", Some("suse:ltss:15.3")),
            ("SUSE:Linux Enterprise Server 12", Some("suse:12")),
            ("SUSE:Linux Enterprise Server 16.0", Some("suse:16.0")),
            ("SUSE:Linux Enterprise Micro 5.5", Some("suse:micro-5.5")),
            ("SUSE:Linux Micro 6.0", Some("suse:micro-6.0")),
            ("SUSE:Manager Server 4.3", None),
            ("openSUSE:Leap 15.5", Some("opensuse:15.5")),
            ("openSUSE:Tumbleweed", Some("opensuse:tumbleweed")),
            ("Photon OS:5.0", Some("photon:5")),
            ("Azure Linux:3", Some("azurelinux:3")),
            ("AlmaLinux", None),
            ("AlmaLinux:", None),
            ("Debian:12", None),
        ] {
            assert_eq!(osv_space(osv).as_deref(), space, "{osv}");
        }
    }

    #[test]
    fn every_family_is_listed() {
        assert!(VENDORS.iter().all(|vendor| FAMILIES.contains(&vendor.family)));
    }
}
