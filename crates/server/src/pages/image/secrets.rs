//! Credentials that lie in it.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Fingerprint, Leak, Report};
use maud::{Markup, html};

use crate::{
    pages::registry::credentials::{address, sure},
    parts::words,
};

/// The view. `images` says in how many images each lies.
pub(super) fn view(report: &Report, images: &BTreeMap<Fingerprint, u64>) -> Markup {
    let Some(leaks) = &report.leaks else {
        return html! { section.card { div.empty { h2 { "Nobody looked" } p { "An older version scanned this image. Push it again to have it looked at." } } } };
    };
    let (own, others): (Vec<&Leak>, Vec<&Leak>) = leaks.iter().partition(|leak| leak.counts());
    html! {
        @if own.is_empty() {
            section.card { div.empty { h2 { "No credentials" } p { "None was found in any layer, deleted files included, in variables, labels or build steps." } } }
        } @else {
            section.card aria-labelledby="secrets" {
                header { h2 id="secrets" { (words::count(different(&own), "credential")) } span.quiet.small { "whoever can pull the image can read them" } }
                (table(report, images, &own, "Credentials that lie in the image"))
                footer.quiet { "Revoke each where it was issued, keep it out of the build, and build the image anew." }
            }
        }
        @if !others.is_empty() {
            details.card.group {
                summary { (words::count(others.len() as u64, "place")) " of published packages, or doubtful" }
                (table(report, images, &others, "Doubtful places, and those of published packages"))
            }
        }
    }
}

/// How many different ones.
pub(super) fn different(leaks: &[&Leak]) -> u64 {
    let mut numbers: Vec<u32> = leaks.iter().filter_map(|leak| leak.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    (numbers.len() + leaks.iter().filter(|leak| leak.number.is_none()).count()) as u64
}

fn table(report: &Report, images: &BTreeMap<Fingerprint, u64>, leaks: &[&Leak], caption: &str) -> Markup {
    html! {
        table.cards {
            caption.unseen { (caption) }
            thead { tr { th scope="col" { "Credential" } th scope="col" { "Confidence" } th scope="col" { "Place" } th scope="col" { "Layer" } th scope="col" { "Elsewhere" } } }
            tbody { @for leak in leaks { (row(report, images, leak)) } }
        }
    }
}

fn row(report: &Report, images: &BTreeMap<Fingerprint, u64>, leak: &Leak) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match &leak.fingerprint {
                    Some(fingerprint) => { a.name href=(address(&fingerprint.to_string())) { (leak.title) } div.quiet.small.mono { (fingerprint.short()) } },
                    None => span.name { (leak.title) },
                }
            }
            td data-label="Confidence" { (sure(leak.confidence.word())) }
            td data-label="Place" {
                div {
                    code.path { (leak.place) }
                    @if leak.hidden { " " span.tag.hot { "deleted later, still there" } }
                    @if let Some(package) = &leak.package { div.quiet.small { "of the published package " (package) } }
                }
            }
            td data-label="Layer" { (layer(report, leak.layer.as_ref())) }
            td data-label="Elsewhere" { (elsewhere(images, leak)) }
        }
    }
}

/// The number of a layer, from the bottom.
pub(super) fn layer(report: &Report, digest: Option<&Digest>) -> Markup {
    let number = digest.and_then(|digest| {
        let same = |layer: &boltseal_model::Layer| layer.digest.as_ref() == Some(digest);
        report.layers.iter().position(same)
    });
    html! {
        @match (number, digest) {
            (Some(number), _) => span { (number + 1) span.quiet { " of " (report.layers.len()) } },
            (None, Some(digest)) => span.mono.small { (digest.short()) },
            (None, None) => span.quiet { "configuration" },
        }
    }
}

fn elsewhere(images: &BTreeMap<Fingerprint, u64>, leak: &Leak) -> Markup {
    let others = leak.fingerprint.map(|one| images.get(&one).copied().unwrap_or(1).saturating_sub(1));
    html! {
        @match (others, &leak.fingerprint) {
            (Some(0), _) => span.quiet { "only here" },
            (Some(others), Some(fingerprint)) => a href=(address(&fingerprint.to_string())) { "in " (words::count(others, "other image")) },
            _ => span.quiet { "not known" },
        }
    }
}
