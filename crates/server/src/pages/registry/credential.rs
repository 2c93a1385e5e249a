//! One credential and where it lies.

use boltseal_api::credentials::{Located, Place};
use maud::{Markup, html};

use super::credentials::{short, sure};
use crate::{
    pages::frame::{Part, Viewer},
    parts::{command, link, words},
};

/// The body of `/credentials/{fingerprint}`.
pub(crate) fn credential(viewer: &Viewer, found: &Located) -> Markup {
    let one = &found.credential;
    html! {
        div.title {
            p.crumb { a href="/credentials" { "Credentials" } " / " (one.kind) }
            div.row { h1 { (one.title) } (sure(&one.confidence)) }
            p.lead {
                @if one.images == 0 { "In no image any more; whoever pulled one before still has it." }
                @else { "In " (words::count(one.images, "image")) ", for everybody who can pull " @if one.images == 1 { "it" } @else { "one of them" } "." }
            }
        }
        (super::shelves(viewer, Part::Credentials))
        section.card aria-labelledby="facts" {
            header { h2 id="facts" { "What is known" } }
            div.body {
                dl.facts {
                    dt { "Fingerprint" } dd { code.digest { (one.fingerprint) } }
                    dt { "Found by rule" } dd { code { (one.kind) } }
                    dt { "First seen" } dd { (words::ago(one.first_seen, viewer.now)) }
                    dt { "Last seen" } dd { (words::ago(one.last_seen, viewer.now)) }
                    @if one.published { dt { "Published" } dd { "it belongs to published packages wherever it lies: it was public before" } }
                }
                p { b { "What to do: " } "revoke it where it was issued, keep it out of the build, and build the images anew. Deleting the file in a later layer does not help." }
                p.quiet.small { "A policy pardons it everywhere by its fingerprint:" }
                (command::plain(&format!("findings: [{}]", one.fingerprint)))
            }
        }
        @if !found.places.is_empty() { (places(found)) }
    }
}

fn places(found: &Located) -> Markup {
    html! {
        section.card aria-labelledby="places" {
            header { h2 id="places" { "Where it lies" } span.quiet.small { (words::count(found.places.len() as u64, "place")) } }
            table.cards {
                caption.unseen { "Places of the credential " (short(&found.credential.fingerprint)) }
                thead { tr { th scope="col" { "Image" } th scope="col" { "Place" } th scope="col" { "Layer" } th scope="col" { "State" } } }
                tbody { @for place in &found.places { (row(place)) } }
            }
            @if found.more { footer.quiet { "There are more places." } }
        }
    }
}

fn row(place: &Place) -> Markup {
    let name = match place.tags.first() {
        Some(tag) => format!("{}:{tag}", place.repository),
        None => place.repository.clone(),
    };
    html! {
        tr {
            th scope="row" {
                a.name href={ "/images/" (link::encode(&place.digest)) "?view=secrets" } { (name) }
                @if place.tags.len() > 1 { div.quiet.small { "also " (place.tags.get(1..).unwrap_or_default().join(", ")) } }
            }
            td data-label="Place" { code { (place.place) } }
            td.mono.small data-label="Layer" { @if let Some(layer) = &place.layer { (layer.chars().take(19).collect::<String>()) } @else { span.quiet { "configuration" } } }
            td data-label="State" {
                div {
                    @if place.hidden { span.tag.hot { "deleted later, still in the image" } } @else { span.quiet { "in the image" } }
                    @if let Some(package) = &place.package { " " span.quiet.small { "of " (package) } }
                }
            }
        }
    }
}
