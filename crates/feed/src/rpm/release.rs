//! Vendors' names of releases as our name spaces.

use boltseal_ecosystem::space_of_osv;

use super::number;

/// Names of releases: the vendor's words, then our family. Those of SUSE are written as in OSV records.
const RELEASES: [(&str, &str); 9] = [
    ("Red Hat Enterprise Linux", "redhat"),
    ("Oracle Linux", "oracle"),
    ("AlmaLinux", "almalinux"),
    ("Rocky Linux", "rocky"),
    ("Amazon Linux", "amazon"),
    ("VMware Photon OS", "photon"),
    ("Photon OS", "photon"),
    ("Photon", "photon"),
    ("Fedora", "fedora"),
];

/// The name space of a release as its vendor calls it: `Oracle Linux 8` is `oracle:8`, `SUSE Linux Enterprise Server 15 SP4` is
/// `suse:15.4`.
pub(crate) fn release_space(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("SUSE ") {
        return space_of_osv(&format!("SUSE:{rest}"));
    }
    if let Some(rest) = text.strip_prefix("openSUSE ") {
        let old = rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        return if old {
            Some(format!("opensuse:{rest}"))
        } else {
            space_of_osv(&format!("openSUSE:{rest}"))
        };
    }
    let (rest, family) =
        RELEASES.iter().find_map(|(words, family)| Some((text.strip_prefix(words)?, *family)))?;
    let version = rest.strip_prefix(' ')?;
    let sane = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && version.len() < 12;
    sane.then(|| format!("{family}:{}", version.split('.').next().unwrap_or(version)))
}

/// The name space of a product by its CPE: `cpe:/a:redhat:enterprise_linux:9::appstream` is `redhat:9`,
/// `cpe:/a:redhat:rhel_eus:9.2::appstream` is `redhat:eus:9.2`. Products beside the distribution have none.
pub(crate) fn cpe_space(cpe: &str) -> Option<String> {
    let rest = cpe.strip_prefix("cpe:/").or_else(|| cpe.strip_prefix("cpe:2.3:"))?;
    let (_, rest) = rest.split_once(':')?;
    let (vendor, product) = rest.split_once(':')?;
    let mut parts = product.split(':');
    let (name, version) = (parts.next()?, parts.next()?);
    let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let sane = version.len() < 12 && version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if !number(version) || !sane {
        return None;
    }
    let major = version.split('.').next().unwrap_or(version);
    Some(match (vendor, name) {
        ("redhat", "enterprise_linux" | "rhel_eus" | "rhel_aus" | "rhel_tus" | "rhel_e4s" | "rhel_els") => {
            return space_of_osv(&format!("Red Hat:{product}"));
        }
        ("suse", "sles" | "sle-module-basesystem" | "sle-module-server-applications") => {
            let pack = parts.next().and_then(|update| update.strip_prefix("sp"));
            match pack.filter(|pack| number(pack) && pack.len() < 3) {
                Some(pack) => format!("suse:{version}.{pack}"),
                None => format!("suse:{version}"),
            }
        }
        ("suse", "sle-micro" | "sl-micro") => format!("suse:micro-{version}"),
        ("opensuse", "leap") => format!("opensuse:{version}"),
        ("oracle", "linux") => format!("oracle:{major}"),
        ("almalinux", "almalinux") => format!("almalinux:{major}"),
        ("rocky", "rocky" | "rocky_linux") => format!("rocky:{major}"),
        _ => return None,
    })
}

/// The distribution in the tag of a release: `1.azl3` is `azurelinux:3`, `2.cm2` is `azurelinux:2`, `4.ph4` is `photon:4`.
pub(crate) fn tag_space(evr: &str) -> Option<String> {
    let tag = evr.rsplit('.').next()?;
    let families = [("azl", "azurelinux"), ("cm", "azurelinux"), ("ph", "photon")];
    let (family, version) =
        families.iter().find_map(|(word, family)| Some((family, tag.strip_prefix(word)?)))?;
    (number(version) && version.len() < 3).then(|| format!("{family}:{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (text, space) in [
            ("Oracle Linux 8", Some("oracle:8")),
            ("Red Hat Enterprise Linux 8", Some("redhat:8")),
            ("Red Hat Enterprise Linux BaseOS (v. 9)", None),
            ("SUSE Linux Enterprise Server 15 SP4", Some("suse:15.4")),
            ("SUSE Linux Enterprise Server 15-LTSS", Some("suse:ltss:15")),
            ("SUSE Linux Enterprise Module for Basesystem 15 SP4", Some("suse:15.4")),
            ("openSUSE Leap 15.5", Some("opensuse:15.5")),
            ("openSUSE 13.1", Some("opensuse:13.1")),
            ("openSUSE Tumbleweed", Some("opensuse:tumbleweed")),
            ("Photon OS 4.0", Some("photon:4")),
            ("Windows 11", None),
        ] {
            assert_eq!(release_space(text).as_deref(), space, "{text}");
        }
        for (cpe, space) in [
            ("cpe:/a:redhat:enterprise_linux:9::appstream", Some("redhat:9")),
            ("cpe:/o:redhat:enterprise_linux:8.2::baseos", Some("redhat:8")),
            ("cpe:/a:redhat:rhel_eus:9.2::appstream", Some("redhat:eus:9.2")),
            ("cpe:/a:redhat:openshift:4.16::el9", None),
            ("cpe:/o:suse:sles:15:sp3", Some("suse:15.3")),
            ("cpe:/o:opensuse:leap:15.5", Some("opensuse:15.5")),
            ("nonsense", None),
        ] {
            assert_eq!(cpe_space(cpe).as_deref(), space, "{cpe}");
        }
        for (evr, space) in [
            ("0:3.2.8-1.azl3", Some("azurelinux:3")),
            ("1-2.cm2", Some("azurelinux:2")),
            ("7.88.1-4.ph4", Some("photon:4")),
            ("1-2.el8", None),
        ] {
            assert_eq!(tag_space(evr).as_deref(), space, "{evr}");
        }
    }
}
