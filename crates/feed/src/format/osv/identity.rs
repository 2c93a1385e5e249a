//! Which ids name the same vulnerability.
//!
//! `aliases` do by definition and `related` do not. `upstream` names what a distribution's record is about: the same
//! vulnerability when it is one CVE, a bundle of several when a DSA or USN fixes many. Taking a bundle for one
//! vulnerability would merge all its CVEs into one finding, so it becomes one advisory per CVE instead.

use boltseal_model::Advisory;

use super::record::Record;
use crate::format::is_cve;

/// Prefixes of records in which distributions write about CVEs.
const DISTRIBUTION: [&str; 8] =
    ["DEBIAN-CVE-", "UBUNTU-CVE-", "ALPINE-CVE-", "DSA-", "DLA-", "DTSA-", "USN-", "LSN-"];

/// Prefixes of errata, whose writers put the CVEs they fix into `related` or `upstream`. They keep their own ids: a
/// snapshot takes an advisory with several CVEs for one about each.
const ERRATA: [&str; 10] =
    ["ALSA-", "ALBA-", "ALEA-", "RLSA-", "RLBA-", "RXSA-", "RHSA-", "RHBA-", "SUSE-", "openSUSE-"];

/// Other ids of the vulnerability of `record`, if it is about one.
pub(super) fn aliases(record: &Record) -> Vec<String> {
    let mut aliases: Vec<String> =
        record.aliases.iter().filter(|id| !id.is_empty() && **id != record.id).cloned().collect();
    if is_erratum(record) {
        let fixed = record.related.iter().chain(&record.upstream);
        aliases.extend(fixed.filter(|id| is_cve(id)).cloned());
    }
    if of_distribution(record) {
        aliases.extend(record.upstream.iter().filter(|id| !id.is_empty() && **id != record.id).cloned());
        aliases.extend(own_cve(&record.id).map(str::to_owned));
    }
    aliases.sort();
    aliases.dedup();
    aliases
}

/// `advisory` itself, or one for each CVE where it is a bundle of several.
pub(super) fn split(record: &Record, advisory: Advisory) -> Vec<Advisory> {
    if !of_distribution(record) {
        return vec![advisory];
    }
    let mut cves: Vec<&str> = advisory
        .aliases
        .iter()
        .filter_map(|id| if is_cve(id) { Some(id.as_str()) } else { own_cve(id) })
        .collect();
    cves.sort_unstable();
    cves.dedup();
    if cves.len() < 2 {
        return vec![advisory];
    }
    let one = |cve: &&str| {
        let same = |id: &&String| own_cve(id) == Some(*cve);
        Advisory {
            id: (*cve).to_owned(),
            aliases: advisory.aliases.iter().filter(same).cloned().collect(),
            summary: format!("{}: {}", advisory.id, advisory.summary),
            // Another bundle about the same CVE is about another release: both count, whichever is newer.
            modified: None,
            ..advisory.clone()
        }
    };
    cves.iter().map(one).collect()
}

fn of_distribution(record: &Record) -> bool {
    DISTRIBUTION.iter().any(|prefix| record.id.starts_with(prefix))
}

fn is_erratum(record: &Record) -> bool {
    ERRATA.iter().any(|prefix| record.id.starts_with(prefix))
}

/// `UBUNTU-CVE-2024-1` is about `CVE-2024-1`.
fn own_cve(id: &str) -> Option<&str> {
    let at = id.find("-CVE-")? + 1;
    id.get(at..).filter(|cve| is_cve(cve))
}
