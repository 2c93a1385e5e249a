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
    /// All of it, and the service pack that only the system's name tells: `22.03-LTS-SP1`.
    Pack,
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
    vendor("fedora", "fedora", "fedora", Release::Whole, &["Fedora Project"]),
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
    vendor("openeuler", "openeuler", "openeuler", Release::Pack, &["openEuler", "http://openeuler.org"]),
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
    "openeuler",
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
        Release::Pack => match distro.name.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) {
            Some(pack) => format!("{}-{}", distro.version, pack.to_ascii_lowercase()),
            None => distro.version.clone(),
        },
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

pub(super) fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_listed() {
        assert!(VENDORS.iter().all(|vendor| FAMILIES.contains(&vendor.family)));
    }
}
