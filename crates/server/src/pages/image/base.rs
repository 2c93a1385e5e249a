//! Whose findings are whose: what the base brought, what was built on it, and what a newer base would change.

use boltseal_api::base::{Agreement, Bases, Claim};
use boltseal_flow::{base::Share, diff::Hit};
use boltseal_store::Counts;
use maud::{Markup, html};

use crate::{
    bases::{Rebasing, Split},
    pages::frame::Viewer,
    parts::{badge, bar, words},
};

/// Findings named in one list.
const SHOWN: usize = 8;

/// The card above the findings and the layers; nothing where no base is known.
pub(super) fn card(viewer: &Viewer, bases: &Bases, split: Option<&Split>) -> Markup {
    html! {
        @if bases.base.is_some() || bases.claim.is_some() {
            section.card aria-labelledby="base" {
                header {
                    h2 id="base" { "Base" }
                    span.quiet.small { @if split.is_some() { "your layers and theirs" } @else { "its layers are not known here" } }
                }
                div.body {
                    (named(viewer, bases))
                    @if let Some(split) = split {
                        div.columns.even { (share("Their layers", &split.parts.theirs)) (share("Your layers", &split.parts.yours)) }
                        (advice(split.rebasing.as_ref()))
                    }
                }
            }
        }
    }
}

fn named(viewer: &Viewer, bases: &Bases) -> Markup {
    html! {
        dl.facts {
            @if let Some(base) = &bases.base {
                dt { "Built on" }
                dd {
                    @if base.layers.is_some() { a href={ "/images/" (base.digest) } { (base.name) } } @else { code { (base.name) } }
                    @match &base.newer {
                        Some(newer) => { ", newer since " (words::ago(newer.since, viewer.now)) ": " a href={ "/images/" (newer.digest) } { (newer.name) } },
                        None => span.quiet.small { @if base.layers.is_some() { ", still what that name means here" } },
                    }
                }
            }
            @if let Some(claim) = &bases.claim { dt { "The image says" } dd { (said(claim)) } }
            @if bases.candidates.len() > 1 {
                dt { "Fits as well" }
                dd {
                    ul.plain.small {
                        @for other in bases.candidates.iter().filter(|one| bases.base.as_ref().is_none_or(|base| base.digest != one.digest)).take(SHOWN) {
                            li { a href={ "/images/" (other.digest) } { (other.names.first().map_or("an image without a name", String::as_str)) } span.quiet { ", " (words::count(other.layers, "layer")) } }
                        }
                    }
                }
            }
        }
    }
}

fn said(claim: &Claim) -> Markup {
    let (class, words) = match claim.layers {
        Agreement::Agree => ("allow", "the layers agree"),
        Agreement::Differ => ("deny", "the layers differ: it is built on something else"),
        Agreement::Unknown => ("plain", "cannot be checked: that image is not stored here"),
    };
    html! { code { (claim.name) } " " span class={ "badge is-" (class) } { (badge::glyph(class)) (words) } }
}

fn share(title: &str, share: &Share) -> Markup {
    let mut counts = Counts::default();
    for hit in &share.findings {
        counts.add(hit.severity);
    }
    let shares = bar::severities(&counts);
    html! {
        div.stack.tight {
            h3 { (title) }
            p.quiet.small { (words::count(share.layers as u64, "layer")) ", " (words::bytes(share.bytes)) ", " (words::count(share.packages as u64, "package")) }
            @if share.findings.is_empty() { p.quiet { "No finding." } }
            @else {
                p { b { (words::count(share.findings.len() as u64, "finding")) } }
                (bar::bar(&shares, false))
                ul.counts { @for one in shares.iter().filter(|one| one.count > 0) { li class={ "severity " (one.class) } { b { (words::thousands(one.count)) } " " (one.word) } } }
            }
        }
    }
}

fn advice(rebasing: Option<&Rebasing>) -> Markup {
    html! {
        @if let Some(Rebasing { onto, digest, rebase }) = rebasing {
            div.notice.v-warn {
                p {
                    b { "Rebasing on " (onto) } " (" a.mono.small href={ "/images/" (digest) } { (digest.short()) } ") removes "
                    b { (words::count(rebase.removes.len() as u64, "finding")) } ", adds " b { (rebase.brings.len()) } " and keeps " (rebase.keeps) " of its own."
                }
                (list("Goes", &rebase.removes))
                (list("Comes", &rebase.brings))
                p.quiet.small { "Whether your layers work on it, only a build tells." }
            }
        }
    }
}

fn list(title: &str, hits: &[Hit]) -> Markup {
    html! {
        @if !hits.is_empty() {
            details.folded {
                summary { (title) ": " (hits.len()) }
                ul.plain.small {
                    @for hit in hits.iter().take(SHOWN) { li { (badge::severity(hit.severity)) " " a href=(crate::parts::link::vulnerability(&hit.id)) { (hit.id) } " " span.quiet { (hit.package) " " (hit.installed) } } }
                    @if hits.len() > SHOWN { li.quiet { "and " (hits.len() - SHOWN) " more" } }
                }
            }
        }
    }
}
