//! When an image was built, on what, and what it says of itself.

use boltseal_api::{
    aging::{Base, KnownBy},
    base::Bases,
};
use boltseal_model::Timestamp;
use maud::{Markup, html};

use crate::{
    pages::frame::Viewer,
    parts::{link, words},
};

/// Labels shown at once; some builders write hundreds.
const SHOWN: usize = 12;

/// What an image says of how it was built.
#[derive(Default)]
pub(crate) struct Built {
    /// When, as its configuration says.
    pub created: Option<Timestamp>,
    /// Labels and annotations, by name.
    pub labels: Vec<(String, String)>,
}

/// What stands at the top of every view: it should be built again.
pub(super) fn outdated(viewer: &Viewer, base: Option<&Base>) -> Markup {
    html! {
        @if let Some((base, newer)) = base.and_then(|base| Some((base, base.newer.as_ref()?))) {
            div.notice.v-warn {
                p { b { "Its base is out of date." } " A newer " code { (base.name) } " came " (words::ago(newer.since, viewer.now)) ": " a href={ "/images/" (newer.digest) } { (newer.name) } ". Build this image again." }
            }
        }
    }
}

/// The card above the layers.
pub(super) fn card(viewer: &Viewer, built: &Built, bases: &Bases) -> Markup {
    html! {
        section.card aria-labelledby="built" {
            header { h2 id="built" { "Build" } }
            div.body {
                dl.facts {
                    dt { "Built" } dd { @if let Some(created) = built.created { (words::ago(created, viewer.now)) } @else { span.quiet { "not said, or pushed before this was kept" } } }
                    dt { "Base" } dd { (base(bases.base.as_ref())) }
                    dt { "Labels" } dd { (labels(&built.labels)) }
                }
            }
        }
    }
}

fn base(base: Option<&Base>) -> Markup {
    html! {
        @match base {
            Some(base) => {
                code { (base.name) } " "
                span.quiet.small { @match base.known_by { KnownBy::Annotation => "as the image says", KnownBy::Layers => "by its layers" } }
                @if base.newer.is_none() { span.quiet.small { ", still the newest here" } }
            },
            None => span.quiet { "not known" },
        }
    }
}

fn labels(labels: &[(String, String)]) -> Markup {
    html! {
        @if labels.is_empty() { span.quiet { "none" } }
        @else {
            (lines(labels.iter().take(SHOWN)))
            @if labels.len() > SHOWN { details { summary { (labels.len() - SHOWN) " more" } (lines(labels.iter().skip(SHOWN))) } }
        }
    }
}

fn lines<'a>(labels: impl Iterator<Item = &'a (String, String)>) -> Markup {
    html! { ul.plain.small { @for (name, value) in labels { li { code { (name) } " " (link::outside(value)) } } } }
}
