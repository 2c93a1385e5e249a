//! Where the public feeds are.

use url::Url;

use crate::Error;

/// One public feed.
#[derive(Debug)]
pub struct Source {
    /// Its id, as in `FeedInfo`.
    pub id: &'static str,
    /// Its files.
    pub files: &'static [File],
    /// Who publishes it, under which terms; for attribution.
    pub terms: &'static str,
    /// Where its format and address are documented.
    pub documented: &'static str,
    /// It may not exist yet: branches that will be released one day.
    pub optional: bool,
    /// Fetched only when it is asked for by name, because it is very large.
    pub on_request: bool,
}

/// One file of a feed.
#[derive(Debug)]
pub struct File {
    /// Where the publisher has it, or what leads there.
    pub url: &'static str,
    /// How to get from that address to the file.
    pub lead: Lead,
    /// Where a mirror has it, below the mirror's address.
    pub path: &'static str,
}

/// What the address of a file leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// The file itself.
    File,
    /// A text whose first line names the file, which lies beside it.
    Line,
    /// `repodata/repomd.xml` of a repository, which names its `updateinfo`.
    Repository,
    /// A list of mirrors of such a repository.
    Mirrors,
}

impl File {
    /// Where to fetch it.
    pub(super) fn address(&self, mirror: Option<&Url>) -> String {
        mirror.map_or_else(
            || self.url.to_owned(),
            |mirror| format!("{}/{}", mirror.as_str().trim_end_matches('/'), self.path),
        )
    }
}

impl Source {
    /// What follows the format in its id.
    pub(super) fn group(&self) -> &'static str {
        self.id.split_once(':').map_or(self.id, |(_, group)| group)
    }

    /// Where a mirror has its files, below the mirror's address.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.files.iter().map(|file| file.path)
    }
}

/// The sources called `only`, or all.
pub(super) fn choose(only: &[String]) -> Result<Vec<&'static Source>, Error> {
    let named = |name: &str, source: &Source| {
        source.id == name || source.id.split_once(':').is_some_and(|(format, _)| format == name)
    };
    for name in only {
        if !SOURCES.iter().any(|source| named(name, source)) {
            let known: Vec<&str> = SOURCES.iter().map(|source| source.id).collect();
            return Err(Error::Unknown { id: name.clone(), known: known.join(", ") });
        }
    }
    Ok(SOURCES
        .iter()
        .filter(|source| {
            (only.is_empty() && !source.on_request) || only.iter().any(|name| named(name, source))
        })
        .collect())
}

macro_rules! osv {
    ($name:literal, $terms:literal) => {
        osv!($name, $name, $terms)
    };
    ($name:literal, $place:literal, $terms:literal) => {
        Source {
            id: concat!("osv:", $name),
            files: &[File {
                url: concat!("https://storage.googleapis.com/osv-vulnerabilities/", $place, "/all.zip"),
                lead: Lead::File,
                path: concat!("osv/", $place, "/all.zip"),
            }],
            terms: $terms,
            documented: "https://google.github.io/osv.dev/data/",
            optional: false,
            on_request: false,
        }
    };
}

macro_rules! alpine {
    ($branch:literal, $optional:literal) => {
        Source {
            id: concat!("alpine-secdb:", $branch),
            files: &[
                File {
                    url: concat!("https://secdb.alpinelinux.org/", $branch, "/main.json"),
                    lead: Lead::File,
                    path: concat!("alpine/", $branch, "/main.json"),
                },
                File {
                    url: concat!("https://secdb.alpinelinux.org/", $branch, "/community.json"),
                    lead: Lead::File,
                    path: concat!("alpine/", $branch, "/community.json"),
                },
            ],
            terms: "Alpine Linux, https://secdb.alpinelinux.org/license.txt",
            documented: "https://secdb.alpinelinux.org/",
            optional: $optional,
            on_request: false,
        }
    };
}

/// A feed of one file.
macro_rules! one {
    ($id:expr, $lead:ident, $url:expr, $path:expr, $terms:expr, $documented:expr) => {
        one!($id, $lead, $url, $path, $terms, $documented, false)
    };
    ($id:expr, $lead:ident, $url:expr, $path:expr, $terms:expr, $documented:expr, $optional:expr) => {
        Source {
            id: $id,
            files: &[File { url: $url, lead: Lead::$lead, path: $path }],
            terms: $terms,
            documented: $documented,
            optional: $optional,
            on_request: false,
        }
    };
}

macro_rules! suse {
    ($id:literal, $name:literal) => {
        one!(
            $id,
            File,
            concat!("https://ftp.suse.com/pub/projects/security/oval/", $name, ".xml.gz"),
            concat!("suse/", $name, ".xml.gz"),
            "SUSE, CC-BY-4.0",
            "https://www.suse.com/support/security/oval/"
        )
    };
}

macro_rules! photon {
    ($release:literal) => {
        one!(
            concat!("photon:", $release),
            File,
            concat!(
                "https://packages.broadcom.com/photon/photon_cve_metadata/cve_data_photon",
                $release,
                ".0.json"
            ),
            concat!("photon/cve_data_photon", $release, ".0.json"),
            "Broadcom",
            "https://github.com/vmware/photon/wiki/Security-Advisories"
        )
    };
}

macro_rules! fedora {
    ($release:literal) => {
        one!(
            concat!("updateinfo:fedora-", $release),
            Repository,
            concat!(
                "https://dl.fedoraproject.org/pub/fedora/linux/updates/",
                $release,
                "/Everything/x86_64/repodata/repomd.xml"
            ),
            concat!("fedora/", $release, "/updateinfo.xml"),
            "Fedora Project",
            "https://docs.fedoraproject.org/en-US/infra/",
            true
        )
    };
}

/// Every public feed that [`update`](crate::update) knows, in the order of fetching: small and telling ones first.
pub const SOURCES: &[Source] = &[
    Source {
        id: "kev",
        files: &[File {
            url: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
            lead: Lead::File,
            path: "kev/known_exploited_vulnerabilities.json",
        }],
        terms: "CISA, CC0",
        documented: "https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
        optional: false,
        on_request: false,
    },
    Source {
        id: "epss",
        files: &[File {
            url: "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
            lead: Lead::File,
            path: "epss/epss_scores-current.csv.gz",
        }],
        terms: "FIRST, free with attribution, https://www.first.org/epss/",
        documented: "https://www.first.org/epss/data_stats",
        optional: false,
        on_request: false,
    },
    Source {
        id: "debian-tracker",
        files: &[File {
            url: "https://security-tracker.debian.org/tracker/data/json",
            lead: Lead::File,
            path: "debian/tracker.json",
        }],
        terms: "Debian security team",
        documented: "https://security-team.debian.org/security_tracker.html",
        optional: false,
        on_request: false,
    },
    alpine!("v3.10", false),
    alpine!("v3.11", false),
    alpine!("v3.12", false),
    alpine!("v3.13", false),
    alpine!("v3.14", false),
    alpine!("v3.15", false),
    alpine!("v3.16", false),
    alpine!("v3.17", false),
    alpine!("v3.18", false),
    alpine!("v3.19", false),
    alpine!("v3.20", false),
    alpine!("v3.21", false),
    alpine!("v3.22", false),
    alpine!("v3.23", false),
    alpine!("v3.24", false),
    alpine!("v3.25", true),
    alpine!("v3.26", true),
    alpine!("edge", false),
    osv!("Bitnami", "Bitnami, Apache-2.0"),
    osv!("ConanCenter", "GitHub, CC-BY-4.0"),
    osv!("CRAN", "R Consortium, Apache-2.0"),
    osv!("crates.io", "RustSec, CC0 and CC-BY-4.0; GitHub, CC-BY-4.0"),
    osv!("Go", "The Go vulnerability database, CC-BY-4.0; GitHub, CC-BY-4.0"),
    osv!("Hackage", "Haskell Security Response Team, CC0"),
    osv!("Hex", "Erlang Ecosystem Foundation, CC-BY-4.0; GitHub, CC-BY-4.0"),
    osv!("Julia", "JuliaLang, CC-BY-4.0"),
    osv!("Maven", "GitHub, CC-BY-4.0"),
    osv!("NuGet", "GitHub, CC-BY-4.0; OpenSSF malicious packages, Apache-2.0"),
    osv!("Packagist", "GitHub, CC-BY-4.0; Drupal Security Team, MIT"),
    osv!("Pub", "GitHub, CC-BY-4.0"),
    osv!("PyPI", "PyPA, CC-BY-4.0; GitHub, CC-BY-4.0; OpenSSF malicious packages, Apache-2.0"),
    osv!("RubyGems", "GitHub, CC-BY-4.0; OpenSSF malicious packages, Apache-2.0"),
    osv!("SwiftURL", "GitHub, CC-BY-4.0"),
    osv!("npm", "GitHub, CC-BY-4.0; OpenSSF malicious packages, Apache-2.0"),
    osv!("Ubuntu", "Canonical, CC-BY-SA-4.0"),
    osv!("AlmaLinux", "AlmaLinux OS Foundation, MIT"),
    osv!("Rocky Linux", "Rocky%20Linux", "Rocky Enterprise Software Foundation"),
    osv!("Red Hat", "Red%20Hat", "Red Hat, CC-BY-4.0"),
    one!(
        "oval:oracle",
        File,
        "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2",
        "oracle/com.oracle.elsa-all.xml.bz2",
        "Oracle",
        "https://linux.oracle.com/security/"
    ),
    suse!("oval:suse-12", "suse.linux.enterprise.server.12"),
    suse!("oval:suse-15", "suse.linux.enterprise.server.15"),
    suse!("oval:opensuse-15.6", "opensuse.leap.15.6"),
    suse!("oval:opensuse-16.0", "opensuse.leap.16.0"),
    suse!("oval:opensuse-tumbleweed", "opensuse.tumbleweed"),
    one!(
        "oval:azurelinux-3",
        File,
        "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/azurelinux-3.0-oval.xml",
        "azurelinux/azurelinux-3.0-oval.xml",
        "Microsoft, MIT",
        "https://github.com/microsoft/AzureLinuxVulnerabilityData"
    ),
    one!(
        "oval:azurelinux-2",
        File,
        "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/cbl-mariner-2.0-oval.xml",
        "azurelinux/cbl-mariner-2.0-oval.xml",
        "Microsoft, MIT",
        "https://github.com/microsoft/AzureLinuxVulnerabilityData"
    ),
    photon!("4"),
    photon!("5"),
    one!(
        "updateinfo:amazon-2",
        Mirrors,
        "https://cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list",
        "amazon/2/updateinfo.xml.gz",
        "Amazon",
        "https://alas.aws.amazon.com/"
    ),
    one!(
        "updateinfo:amazon-2023",
        Mirrors,
        "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list",
        "amazon/2023/updateinfo.xml.gz",
        "Amazon",
        "https://alas.aws.amazon.com/alas2023.html"
    ),
    one!(
        "updateinfo:bottlerocket",
        File,
        "https://advisories.bottlerocket.aws/updateinfo.xml.gz",
        "bottlerocket/updateinfo.xml.gz",
        "Amazon, Apache-2.0 or MIT",
        "https://github.com/bottlerocket-os/bottlerocket/blob/develop/SECURITY_FEATURES.md"
    ),
    fedora!("42"),
    fedora!("43"),
    fedora!("44"),
    one!(
        "arch-tracker",
        File,
        "https://security.archlinux.org/all.json",
        "arch/all.json",
        "Arch Linux",
        "https://wiki.archlinux.org/title/Arch_Security_Team"
    ),
    Source {
        id: "csaf:redhat",
        files: &[File {
            url: "https://security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt",
            lead: Lead::Line,
            path: "redhat/csaf_vex.tar.zst",
        }],
        terms: "Red Hat, CC-BY-4.0",
        documented: "https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/",
        optional: false,
        on_request: true,
    },
];
