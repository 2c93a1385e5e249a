//! Names of ecosystems in the OSV schema, and of products in vendors' own words, as name spaces.

use super::release::major;

/// Our name space for an ecosystem of the OSV schema.
///
/// Support that has a price (Red Hat's EUS, AUS, E4S, TUS, SUSE's LTSS and ESPOS) and products beside the
/// distribution live in spaces of their own, so that a system without them is neither praised nor blamed.
pub(super) fn space(osv: &str) -> Option<String> {
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
        "openEuler" => return Some(format!("openeuler:{}", release.to_ascii_lowercase())),
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
        for (osv, expected) in [
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
            ("openEuler:22.03-LTS-SP1", Some("openeuler:22.03-lts-sp1")),
            ("Azure Linux:3", Some("azurelinux:3")),
            ("AlmaLinux", None),
            ("AlmaLinux:", None),
            ("Debian:12", None),
        ] {
            assert_eq!(space(osv).as_deref(), expected, "{osv}");
        }
    }
}
