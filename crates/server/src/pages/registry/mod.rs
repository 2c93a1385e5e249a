//! What the registry holds, and what it does on its own.

pub(crate) mod aging;
pub(crate) mod credential;
pub(crate) mod credentials;
pub(crate) mod jobs;
pub(crate) mod repositories;
pub(crate) mod repository;
pub(crate) mod search;
pub(crate) mod storage;
pub(crate) mod upstreams;

use maud::{Markup, html};

use super::frame::{Part, Viewer};
use crate::parts::words;

/// The pages of this part, in the order of their tabs: address, name.
const SHELVES: [(Part, &str, &str); 6] = [
    (Part::Registry, "/repositories", "Repositories"),
    (Part::Search, "/search", "Search"),
    (Part::Aging, "/aging", "Aging"),
    (Part::Credentials, "/credentials", "Credentials"),
    (Part::Upstreams, "/upstreams", "Upstreams"),
    (Part::Storage, "/storage", "Storage"),
];

/// From one page of this part to the others, as far as the viewer may open them.
pub(super) fn shelves(viewer: &Viewer, current: Part) -> Markup {
    let open: Vec<_> = SHELVES.into_iter().filter(|(part, ..)| viewer.parts.contains(part)).collect();
    html! {
        @if open.len() > 1 {
            nav.tabs aria-label="Registry" {
                ul {
                    @for (part, address, name) in open {
                        li { a href=(address) aria-current=[(part == current).then_some("page")] { (name) } }
                    }
                }
            }
        }
    }
}

/// Seconds after “every” and “the last”: `hour`, `2 hours`.
fn every(seconds: u64) -> String {
    let span = words::span(seconds).unwrap_or_else(|| words::count(seconds, "second"));
    span.strip_prefix("1 ").map(str::to_owned).unwrap_or(span)
}
