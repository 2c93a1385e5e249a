//! What it was built from, and what each step brought in.

use boltseal_model::{Finding, Layer, Report};
use maud::{Markup, html};

use boltseal_store::Counts;

use crate::parts::{bar, words};

/// The view, bottom layer first, as a build goes.
pub(super) fn view(report: &Report) -> Markup {
    let pieces: Vec<(String, u64)> = report
        .layers
        .iter()
        .zip(1..)
        .map(|(layer, number)| (format!("layer {number}"), layer.size))
        .collect();
    let total = pieces.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
    html! {
        section.stack aria-label="Sizes" {
            p { b { (words::bytes(total)) } " in " (words::count(pieces.len() as u64, "layer")) ", from the bottom up. " span.quiet { "A finding counts where its package came in." } }
            @if pieces.len() > 1 { (bar::sizes(&pieces)) }
        }
        section.card {
            ol.layers {
                @for (index, layer) in report.layers.iter().enumerate() { (item(report, index, layer, total)) }
            }
        }
    }
}

fn item(report: &Report, index: usize, layer: &Layer, total: u64) -> Markup {
    let here = |digest: Option<&boltseal_model::Digest>| {
        digest.is_some() && (digest == layer.digest.as_ref() || digest == layer.diff_id.as_ref())
    };
    let findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| here(finding.proof.layer.as_ref())).collect();
    let packages = report.packages.iter().filter(|package| here(package.layer.as_ref())).count() as u64;
    let shares = bar::severities(&Counts::of(findings.iter().copied()));
    html! {
        li {
            div.row.spread {
                h3 { "Layer " (index + 1) }
                span.quiet.small { (words::bytes(layer.size)) @if total > 0 { ", " (share(layer.size, total)) } " · " (words::count(packages, "package")) " · " (words::count(findings.len() as u64, "finding")) }
            }
            @if let Some(step) = &layer.created_by { p.step { (step) } } @else { p.quiet { "The image does not say which step made it." } }
            @if !findings.is_empty() {
                (bar::bar(&shares, false))
                ul.counts { @for share in shares.iter().filter(|share| share.count > 0) { li class={ "severity " (share.class) } { b { (share.count) } " " (share.word) } } }
            }
            @if let Some(digest) = &layer.digest { code.digest.small { (digest) } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn share(part: u64, whole: u64) -> String {
    words::percent(part as f64 / whole as f64)
}
