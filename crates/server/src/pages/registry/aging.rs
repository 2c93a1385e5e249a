//! Images that should be built again: which, how old, on what, and whether anybody still pulls them.

use boltseal_api::aging::{Aged, Aging, Base, KnownBy};
use maud::{Markup, html};

use crate::{
    aging::Wanted,
    pages::frame::{Part, Viewer},
    parts::{link, words},
};

/// What can be chosen of ages, in days.
const AGES: [u64; 5] = [30, 90, 180, 365, 730];
/// What can be chosen of "pulled within", in days.
const USES: [u64; 3] = [7, 30, 90];
/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// The body of `/aging`.
pub(crate) fn aging(viewer: &Viewer, wanted: Wanted, part: &Aging) -> Markup {
    html! {
        div.title {
            h1 { "Images to build again" }
            p.lead { "Built long ago, or on a base that has a newer one by now. In use is what was pulled lately; where images run is not known." }
        }
        (super::shelves(viewer, Part::Aging))
        (form(wanted))
        div.stack id="results" aria-live="polite" {
            @if part.images.is_empty() { (none(wanted, part)) }
            @else {
                p.quiet { (words::count(part.images.len() as u64, "image")) " of " (words::thousands(part.looked_at)) " looked at, the oldest first" }
                section.card { (table(viewer, part)) }
            }
            (more(wanted, part))
        }
    }
}

fn form(wanted: Wanted) -> Markup {
    let choice = |days: u64, current: Option<u64>| html! { option value=(days) selected[current == Some(days)] { (words::count(days, "day")) } };
    html! {
        form.filter method="get" action="/aging" aria-label="Filter images" {
            label {
                "Built longer ago than"
                select name="older" {
                    @if !AGES.contains(&wanted.older_than) { (choice(wanted.older_than, Some(wanted.older_than))) }
                    @for days in AGES { (choice(days, Some(wanted.older_than))) }
                }
            }
            label {
                "Pulled within"
                select name="in_use" {
                    option value="" { "any time, or never" }
                    @if let Some(days) = wanted.in_use.filter(|days| !USES.contains(days)) { (choice(days, wanted.in_use)) }
                    @for days in USES { (choice(days, wanted.in_use)) }
                }
            }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, part: &Aging) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Images to build again" }
            thead { tr { th scope="col" { "Image" } th scope="col" { "Built" } th scope="col" { "Last pull" } th scope="col" { "Base" } th scope="col" { "Newer base" } } }
            tbody { @for image in &part.images { (item(viewer, image)) } }
        }
    }
}

fn item(viewer: &Viewer, image: &Aged) -> Markup {
    let newer = image.base.as_ref().and_then(|base| base.newer.as_ref());
    html! {
        tr {
            th scope="row" {
                a.name href={ "/images/" (image.digest) } { (image.names.first().map_or("without a tag", String::as_str)) }
                @if image.names.len() > 1 { div.quiet.small { "also " (image.names.get(1..).unwrap_or_default().join(", ")) } }
                div.quiet.small.mono { (short(&image.digest)) }
            }
            td.nowrap data-label="Built" { (words::ago(image.built, viewer.now)) }
            td.nowrap data-label="Last pull" { @if let Some(last) = image.last_pull { (words::ago(last, viewer.now)) } @else { span.quiet { "never" } } }
            td data-label="Base" { @if let Some(base) = &image.base { (known(base)) } @else { span.quiet { "not known" } } }
            td data-label="Newer base" {
                @match newer {
                    Some(newer) => div { a href={ "/images/" (newer.digest) } { (newer.name) } div.quiet.small { "since " (words::ago(newer.since, viewer.now)) } },
                    None => span.quiet { "none" },
                }
            }
        }
    }
}

fn known(base: &Base) -> Markup {
    let how = match base.known_by {
        KnownBy::Annotation => "as the image says",
        KnownBy::Layers => "by its layers",
    };
    html! { div { (base.name) div.quiet.small { (how) } } }
}

fn short(digest: &str) -> String {
    digest.chars().take(SHORT).collect()
}

fn none(wanted: Wanted, part: &Aging) -> Markup {
    html! {
        section.card { div.empty {
            @if part.looked_at == 0 && part.next.is_none() {
                h2 { "No images to look at" }
                p { "What is pushed here is listed once it is old, or once its base has a newer one." }
            } @else {
                h2 { "Nothing has grown old" }
                p {
                    "Of " (words::count(part.looked_at, "image")) " looked at, none was built more than " (words::count(wanted.older_than, "day")) " ago or stands on an old base"
                    @if let Some(days) = wanted.in_use { " and was pulled within " (words::count(days, "day")) }
                    "."
                }
            }
        } }
    }
}

/// The next part of a long list.
fn more(wanted: Wanted, part: &Aging) -> Markup {
    let (older, in_use) = (wanted.older_than.to_string(), wanted.in_use.map(|days| days.to_string()));
    html! {
        @if let Some(next) = &part.next {
            @let pairs = [("older", older.as_str()), ("in_use", in_use.as_deref().unwrap_or_default()), ("after", next)];
            nav.pages aria-label="Pages" { span {} a.button rel="next" href=(link::query("/aging", &pairs)) { "Look at more images →" } }
        }
    }
}
