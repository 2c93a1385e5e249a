//! What became newly vulnerable, and who is told of it.

pub(crate) mod news;
pub(crate) mod notifications;

use maud::{Markup, html};

use super::frame::{Part, Viewer};

/// The pages beside that of all vulnerabilities, in the order of their tabs: address, name.
const TABS: [(Part, &str, &str); 3] = [
    (Part::Vulnerabilities, "/vulnerabilities", "All"),
    (Part::News, "/findings/new", "Newly vulnerable"),
    (Part::Notifications, "/notifications", "Notifications"),
];

/// From one of these pages to the others, as far as the viewer may open them.
pub(crate) fn tabs(viewer: &Viewer, current: Part) -> Markup {
    let open: Vec<_> = TABS.into_iter().filter(|(part, ..)| viewer.parts.contains(part)).collect();
    html! {
        @if open.len() > 1 {
            nav.tabs aria-label="Vulnerabilities" {
                ul {
                    @for (part, address, name) in open {
                        li { a href=(address) aria-current=[(part == current).then_some("page")] { (name) } }
                    }
                }
            }
        }
    }
}
