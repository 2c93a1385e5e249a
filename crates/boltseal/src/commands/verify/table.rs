//! What was found, for people.

use std::fmt::Write as _;

use boltseal_trust::predicate::{Predicate, name_of};

use super::{Row, Verified};
use crate::output::{
    packages::grid,
    paint::{Paint, clean, count},
};

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
                row.predicate_type.as_deref().map_or("signature", name_of).to_owned(),
                shortened(row.signer.as_deref().unwrap_or_default()),
                at.unwrap_or_else(|| "not proven".to_owned()),
                if row.logged { "yes" } else { "not asked" }.to_owned(),
                row.place.clone(),
            ]
        });
        out.push_str(&grid(&["what", "signed by", "when", "in the log", "where"], rows, paint));
        out.push_str(&said(&good));
    }
    let bad: Vec<&Row> = verified.evidence.iter().filter(|row| row.refused.is_some()).collect();
    if !bad.is_empty() {
        let counts = if bad.len() == 1 { "counts" } else { "count" };
        let _ = writeln!(out, "\n{} {counts} for nothing:", bad.len());
        for row in bad {
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

/// What the statements say, and what there is to remark about the signatures, a line each.
fn said(good: &[&Row]) -> String {
    let mut out = String::new();
    for row in good {
        let lines = row.said.iter().filter_map(told).chain(row.remarks.iter().cloned());
        for line in lines {
            let _ = writeln!(out, "  {}: {}", row.place, clean(&line));
        }
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

fn told(predicate: &Predicate) -> Option<String> {
    Some(match predicate {
        Predicate::Provenance(how) => {
            let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "something unsaid".to_owned());
            let materials = count(how.materials, "material");
            format!(
                "built by {} from {}, as {}, of {materials}",
                or(&how.builder),
                or(&how.source),
                or(&how.build_type)
            )
        }
        Predicate::Sbom { format, packages } => format!("{format} with {}", count(*packages, "package")),
        Predicate::Vex { author, statements } => {
            let by = author.as_ref().map(|author| format!(" by {author}")).unwrap_or_default();
            format!("VEX{by} with {}", count(*statements, "statement"))
        }
        Predicate::Scan { scanner, finished } => {
            let by = scanner.as_deref().unwrap_or("an unnamed scanner");
            let at = finished.as_ref().map(|at| format!(", done {at}")).unwrap_or_default();
            format!("scanned by {by}{at}")
        }
        Predicate::Other => return None,
    })
}
