//! How bad a record says it is: vectors with their scores, and vendors' words.

use boltseal_model::{Cvss, Severity};

use super::record::{Affected, Record, Score, Specific};

/// Every vector of the record and its packages, each once.
pub(super) fn vectors(record: &Record) -> Vec<Cvss> {
    let listed = record.severity.iter().chain(record.affected.iter().flat_map(|one| &one.severity));
    let specific = std::iter::once(&record.database_specific)
        .chain(record.affected.iter().flat_map(|one| [&one.database_specific, &one.ecosystem_specific]));
    let mut vectors: Vec<Cvss> = Vec::new();
    let texts = listed
        .filter(|score| score.kind.starts_with("CVSS"))
        .map(|score| score.score.as_str())
        .chain(specific.filter_map(|specific| specific.cvss.as_str()));
    for text in texts {
        let known = vectors.iter().any(|known| known.vector == text);
        if let Some(vector) = (!known).then(|| vector(text)).flatten() {
            vectors.push(vector);
        }
    }
    vectors
}

/// A CVSS 2, 3.0, 3.1 or 4.0 vector with its base score; `None` where it is none.
pub(in crate::format) fn vector(text: &str) -> Option<Cvss> {
    let text = text.trim();
    // Version 2 vectors have no prefix by their grammar; some sources add one, or brackets.
    let plain = text.trim_start_matches("CVSS:2.0/").trim_matches(['(', ')']);
    let parsed: cvss::Cvss = plain.parse().ok()?;
    Some(Cvss { vector: text.to_owned(), score: parsed.score() })
}

/// The vendor's word for the whole record.
pub(super) fn word(record: &Record) -> Option<Severity> {
    // A package that was published to do harm (OpenSSF Malicious Packages) has no vector, and needs none.
    if record.id.starts_with("MAL-") {
        return Some(Severity::Critical);
    }
    of_scores(&record.severity).or_else(|| of_specific(&record.database_specific))
}

/// The vendor's word for one package.
pub(super) fn package_word(affected: &Affected) -> Option<Severity> {
    of_specific(&affected.ecosystem_specific)
        .or_else(|| of_specific(&affected.database_specific))
        .or_else(|| of_scores(&affected.severity))
}

fn of_specific(specific: &Specific) -> Option<Severity> {
    let word = |value: &serde_json::Value| Severity::of_vendor_word(value.as_str()?);
    let notice = |value: &serde_json::Value| {
        // RustSec tells of crates that nobody maintains; that is a hint, not a vulnerability.
        matches!(value.as_str()?, "unmaintained" | "notice").then_some(Severity::Negligible)
    };
    word(&specific.severity).or_else(|| word(&specific.urgency)).or_else(|| notice(&specific.informational))
}

/// Ubuntu writes its priority as a score of type `Ubuntu`.
fn of_scores(scores: &[Score]) -> Option<Severity> {
    scores
        .iter()
        .filter(|score| !score.kind.starts_with("CVSS"))
        .find_map(|score| Severity::of_vendor_word(&score.score))
}
