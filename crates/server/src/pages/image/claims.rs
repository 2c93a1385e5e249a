//! Whose signatures there are, which VEX documents count, and which findings somebody set aside, as the verdict was made with
//! them.

use boltseal_model::{Ignored, Report, Signature, VexDocument};
use maud::{Markup, html};

use crate::parts::{badge, words};

/// Findings shown at once.
const SHOWN: usize = 100;

/// Signatures and VEX documents, where the policy asks for any.
pub(super) fn trust(report: &Report) -> Markup {
    html! {
        @if let Some(signatures) = &report.signatures { (table("Signatures", "whose they are, by the policy", signatures.iter().map(signature))) }
        @if !report.vex.is_empty() { (table("VEX documents", "which of them count, by the policy", report.vex.iter().map(document))) }
    }
}

/// What is attached, what the policy makes of it, and whether it counts.
struct Row {
    what: String,
    place: String,
    counts: bool,
    why: String,
}

fn signature(one: &Signature) -> Row {
    let what = one.predicate_type.clone().unwrap_or_else(|| "signature".to_owned());
    let place = one.place.clone();
    if let Some(fault) = &one.fault {
        return Row { what, place, counts: false, why: fault.why.clone() };
    }
    let signer = one.signer.as_deref().unwrap_or_default();
    let logged = if one.logged { ", proven to be in the log" } else { "" };
    Row { what, place, counts: true, why: format!("by {}: {signer}{logged}", one.by.join(", ")) }
}

fn document(one: &VexDocument) -> Row {
    let place = one.place.clone();
    let what = "VEX document".to_owned();
    match (&one.accepted, &one.refused) {
        (Some(accepted), None) => Row { what, place, counts: true, why: accepted.clone() },
        (Some(accepted), Some(but)) => Row { what, place, counts: true, why: format!("{accepted}; {but}") },
        (None, why) => Row { what, place, counts: false, why: why.clone().unwrap_or_default() },
    }
}

fn table(title: &str, note: &str, rows: impl Iterator<Item = Row>) -> Markup {
    let rows: Vec<Row> = rows.collect();
    let id = title.to_ascii_lowercase().replace(' ', "-");
    html! {
        section.card aria-labelledby=(id) {
            header { h2 id=(id) { (title) } span.quiet.small { (note) } }
            @if rows.is_empty() { p.none { "There is none." } } @else {
                table.cards {
                    caption.unseen { (title) ", and whether they count" }
                    thead { tr { th scope="col" { "What" } th scope="col" { "Counts" } th scope="col" { "Why" } th scope="col" { "Where" } } }
                    tbody {
                        @for row in &rows {
                            tr {
                                th scope="row" { span.name { (row.what) } }
                                td.nowrap data-label="Counts" { @if row.counts { span.badge.is-allow { (badge::glyph("allow")) "counts" } } @else { span.badge.is-warn { (badge::glyph("warn")) "not counted" } } }
                                td data-label="Why" { (row.why) }
                                td.quiet data-label="Where" { (row.place) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Findings that do no harm, says somebody who is believed; each with the statement.
pub(super) fn set_aside(report: &Report) -> Markup {
    let ignored = &report.omitted.ignored;
    html! {
        @if !ignored.is_empty() {
            section.card aria-labelledby="aside" {
                header { h2 id="aside" { "Set aside" } span.quiet.small { (words::count(ignored.len() as u64, "finding")) " that somebody answers for; no rule sees them" } }
                table.cards {
                    caption.unseen { "Findings that were set aside, and who says why" }
                    thead { tr { th scope="col" { "Finding" } th scope="col" { "Package" } th scope="col" { "Statement" } } }
                    tbody { @for one in ignored.iter().take(SHOWN) { (aside(one)) } }
                }
                @if ignored.len() > SHOWN { footer.quiet { "The report has all of them." } }
            }
        }
    }
}

fn aside(one: &Ignored) -> Markup {
    let said = one.statement.as_ref().map(boltseal_model::Statement::sentence);
    html! {
        tr {
            th scope="row" { span.name { (one.finding.id) } }
            td data-label="Package" { (one.finding.package) " " (one.finding.installed) }
            td data-label="Statement" { (said.or_else(|| one.reason.clone()).unwrap_or_default()) }
        }
    }
}
