//! When something is not as it should be: what, and what to do next.

use maud::{Markup, html};

/// The body of an error page.
pub(crate) fn error(status: u16, problem: &str, next: &str) -> Markup {
    html! {
        div.title {
            p.crumb { "Error " (status) }
            h1 { (problem) }
            p.lead { (next) }
        }
        p { a.button href="/" { "Overview" } }
    }
}
