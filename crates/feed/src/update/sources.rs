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
}

/// One file of a feed.
#[derive(Debug)]
pub struct File {
    /// Where the publisher has it.
    pub url: &'static str,
    /// Where a mirror has it, below the mirror's address.
    pub path: &'static str,
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
        .filter(|source| only.is_empty() || only.iter().any(|name| named(name, source)))
        .collect())
}

macro_rules! osv {
    ($name:literal, $terms:literal) => {
        Source {
            id: concat!("osv:", $name),
            files: &[File {
                url: concat!("https://storage.googleapis.com/osv-vulnerabilities/", $name, "/all.zip"),
                path: concat!("osv/", $name, "/all.zip"),
            }],
            terms: $terms,
            documented: "https://google.github.io/osv.dev/data/",
            optional: false,
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
                    path: concat!("alpine/", $branch, "/main.json"),
                },
                File {
                    url: concat!("https://secdb.alpinelinux.org/", $branch, "/community.json"),
                    path: concat!("alpine/", $branch, "/community.json"),
                },
            ],
            terms: "Alpine Linux, https://secdb.alpinelinux.org/license.txt",
            documented: "https://secdb.alpinelinux.org/",
            optional: $optional,
        }
    };
}

/// Every public feed that [`update`](crate::update) knows, in the order of fetching: small and telling ones first.
pub const SOURCES: &[Source] = &[
    Source {
        id: "kev",
        files: &[File {
            url: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
            path: "kev/known_exploited_vulnerabilities.json",
        }],
        terms: "CISA, CC0",
        documented: "https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
        optional: false,
    },
    Source {
        id: "epss",
        files: &[File {
            url: "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
            path: "epss/epss_scores-current.csv.gz",
        }],
        terms: "FIRST, free with attribution, https://www.first.org/epss/",
        documented: "https://www.first.org/epss/data_stats",
        optional: false,
    },
    Source {
        id: "debian-tracker",
        files: &[File {
            url: "https://security-tracker.debian.org/tracker/data/json",
            path: "debian/tracker.json",
        }],
        terms: "Debian security team",
        documented: "https://security-team.debian.org/security_tracker.html",
        optional: false,
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
];
