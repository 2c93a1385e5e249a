//! What it was built from: every step in order, with the layer that it made and what that brought in.

use boltseal_flow::history::Step;
use boltseal_model::{Digest, Finding, Report};
use boltseal_store::Counts;
use maud::{Markup, html};

use crate::parts::{bar, words};

/// The view, bottom layer first, as a build goes.
///
/// The lowest `theirs` layers are those of the base.
pub(super) fn view(report: &Report, steps: &[Step], theirs: u64) -> Markup {
    let made: Vec<u64> = steps.iter().filter_map(|step| step.size).collect();
    let pieces: Vec<(String, u64)> =
        made.iter().zip(1..).map(|(size, number)| (format!("layer {number}"), *size)).collect();
    let total = made.iter().copied().fold(0, u64::saturating_add);
    html! {
        section.stack aria-label="Sizes" {
            p {
                b { (words::bytes(total)) } " in " (words::count(made.len() as u64, "layer"))
                @if steps.len() > made.len() { ", made by " (words::count(steps.len() as u64, "step")) }
                ", from the bottom up. "
                span.quiet { "A finding counts where its package came in." }
            }
            @if pieces.len() > 1 { (bar::sizes(&pieces)) }
        }
        section.card {
            @if steps.is_empty() { p.none { "This image has no layers, and does not say how it was built." } }
            ol.layers {
                @for (step, number) in numbered(steps) {
                    @match (number, step.size) {
                        (Some(number), Some(size)) => (layer(report, step, (number, theirs), size, total)),
                        _ => (setting(step)),
                    }
                }
            }
        }
    }
}

/// Steps, and the number of the layer that each made.
fn numbered(steps: &[Step]) -> impl Iterator<Item = (&Step, Option<u64>)> {
    let mut layers = 0;
    steps.iter().map(move |step| {
        layers += u64::from(step.size.is_some());
        (step, step.size.is_some().then_some(layers))
    })
}

/// A step that made no layer: it set something, as `ENV` does.
fn setting(step: &Step) -> Markup {
    html! {
        li.setting {
            div.row.spread { (said(step)) span.quiet.small.nowrap { "no layer" } }
        }
    }
}

fn said(step: &Step) -> Markup {
    html! {
        @if let Some(text) = step.step.as_ref().or(step.comment.as_ref()) { p.step { (text) } }
        @else { p.quiet { "The image does not say which step made it." } }
    }
}

fn layer(report: &Report, step: &Step, (number, theirs): (u64, u64), size: u64, total: u64) -> Markup {
    let of_step = |layer: &&boltseal_model::Layer| {
        step.layer.is_some() && (layer.digest == step.layer || layer.diff_id == step.layer)
    };
    // A package names the layer as stored, or its archive.
    let layer = report.layers.iter().find(of_step);
    let here = |digest: Option<&Digest>| {
        layer.is_some_and(|layer| {
            digest.is_some() && (digest == layer.digest.as_ref() || digest == layer.diff_id.as_ref())
        })
    };
    let findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| here(finding.proof.layer.as_ref())).collect();
    let packages = report.packages.iter().filter(|package| here(package.layer.as_ref())).count() as u64;
    let shares = bar::severities(&Counts::of(findings.iter().copied()));
    html! {
        li {
            div.row.spread {
                h3 { "Layer " (number) @if theirs > 0 { " " span.tag { @if number <= theirs { "theirs" } @else { "yours" } } } }
                span.quiet.small { (words::bytes(size)) @if total > 0 { ", " (share(size, total)) } " · " (words::count(packages, "package")) " · " (words::count(findings.len() as u64, "finding")) }
            }
            (said(step))
            @if !findings.is_empty() {
                (bar::bar(&shares, false))
                ul.counts { @for share in shares.iter().filter(|share| share.count > 0) { li class={ "severity " (share.class) } { b { (share.count) } " " (share.word) } } }
            }
            @if let Some(digest) = &step.layer { code.digest.small { (digest) } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn share(part: u64, whole: u64) -> String {
    words::percent(part as f64 / whole as f64)
}
