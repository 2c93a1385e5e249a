//! What was found, for people.

use std::fmt::Write as _;

use super::{KINDS, Row, Verified};
use crate::output::{
    packages::grid,
    paint::{Paint, clean, count},
};

/// cosign's name for a type, where it has one.
fn known(uri: &str) -> &str {
    KINDS.iter().find(|(_, known)| *known == uri).map_or(uri, |(name, _)| name)
}

/// A key by the beginning of its digest; all of it stands in JSON.
fn shortened(signer: &str) -> String {
    match signer.strip_prefix("key sha256:").and_then(|hex| hex.get(..12)) {
        Some(hex) => format!("key {hex}"),
        None => signer.to_owned(),
    }
}

pub(super) fn people(verified: &Verified, paint: Paint) -> String {
    let mut out = format!("{}\n{}\n\n", clean(&verified.reference), verified.digest);
    let good: Vec<&Row> = verified.evidence.iter().filter(|row| row.refused.is_none()).collect();
    if !good.is_empty() {
        let rows = good.iter().map(|row| {
            let at = row.at.first().map(|at| at.strftime("%Y-%m-%d %H:%M").to_string());
            [
                row.predicate_type.as_deref().map_or("signature", known).to_owned(),
                shortened(row.signer.as_deref().unwrap_or_default()),
                at.unwrap_or_else(|| "not proven".to_owned()),
                if row.logged { "yes" } else { "not asked" }.to_owned(),
                row.place.clone(),
            ]
        });
        out.push_str(&grid(&["what", "signed by", "when", "in the log", "where"], rows, paint));
    }
    let bad: Vec<&Row> = verified.evidence.iter().filter(|row| row.refused.is_some()).collect();
    if let Some((first, rest)) = bad.split_first() {
        let counts = if rest.is_empty() { "counts" } else { "count" };
        let _ = writeln!(out, "\n{} {counts} for nothing:", bad.len());
        for row in std::iter::once(first).chain(rest) {
            let _ = writeln!(out, "  {}: {}", row.place, clean(row.refused.as_deref().unwrap_or_default()));
        }
    }
    if verified.evidence.is_empty() {
        out.push_str("no signature and no attestation is attached\n");
    }
    let counting = verified.evidence.iter().filter(|row| row.counts).count();
    if counting > 0 {
        let said = format!("verified: {}", count(counting, verified.wanted()));
        let _ = writeln!(out, "\n{}", paint.bold(&said));
    }
    out
}
