//! Which name spaces a feed may speak for.

use boltseal_ecosystem::space_of_osv;

use super::Stored;
use crate::format::Tally;

/// The ecosystems of the OSV schema 1.7. An export named after one holds all there is about it, and stray records of
/// others: a Maven export mentions a few Go modules, but says nothing about Go.
const OSV_ECOSYSTEMS: [&str; 46] = [
    "AlmaLinux",
    "Alpaquita",
    "Alpine",
    "Android",
    "BellSoft Hardened Containers",
    "Bioconductor",
    "Bitnami",
    "Chainguard",
    "CleanStart",
    "ConanCenter",
    "CRAN",
    "crates.io",
    "Debian",
    "Docker Hardened Images",
    "Echo",
    "FreeBSD",
    "GHC",
    "GIT",
    "GitHub Actions",
    "Go",
    "Hackage",
    "Hex",
    "Julia",
    "Kubernetes",
    "Linux",
    "Mageia",
    "Maven",
    "MinimOS",
    "npm",
    "NuGet",
    "opam",
    "openEuler",
    "openSUSE",
    "OSS-Fuzz",
    "Packagist",
    "Photon OS",
    "Pub",
    "PyPI",
    "Red Hat",
    "Rocky Linux",
    "RubyGems",
    "SUSE",
    "SwiftURL",
    "Ubuntu",
    "VSCode",
    "Wolfi",
];

/// The spaces of `tally` that the feed covers.
pub(super) fn spaces(stored: &Stored, tally: &Tally) -> Vec<String> {
    let all = || tally.spaces.iter().cloned();
    let Some(name) = stored.id.strip_prefix("osv:") else { return all().collect() };
    if !OSV_ECOSYSTEMS.contains(&name) {
        // Somebody's own collection: it is about what it is about.
        return all().collect();
    }
    // Distributions have releases behind their names, each vendor in its own way.
    let releases = ["", ":1", ":enterprise_linux:9", ":Linux Enterprise Server 15", ":Leap 15.0"];
    let own = releases.iter().find_map(|release| space_of_osv(&format!("{name}{release}")));
    let own = own.unwrap_or_else(|| name.to_lowercase());
    let family = |space: &str| space.split(':').next().unwrap_or_default().to_owned();
    let own = family(&own);
    all().filter(|space| family(space) == own).collect()
}
