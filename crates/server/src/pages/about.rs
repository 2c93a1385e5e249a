//! What is running here.

use boltseal_model::SnapshotInfo;
use maud::{Markup, html};

use super::frame::Viewer;
use crate::{Site, parts::words};

/// The body of `/about`.
pub(crate) fn about(viewer: &Viewer, site: &Site, snapshot: Option<&SnapshotInfo>, policy: &str) -> Markup {
    html! {
        div.title {
            h1 { "About this installation" }
            p.lead { "Boltseal stores images, scans them, and refuses to hand out what your policy does not allow." }
        }
        section.card {
            div.body {
                dl.facts {
                    dt { "Version" } dd { (site.version) }
                    dt { "Registry" } dd { code { (site.registry) } }
                    dt { "Policy" } dd { a href="/policy" { (policy) } }
                    dt { "Advisories" }
                    dd {
                        @if let Some(snapshot) = snapshot {
                            "snapshot " code { (snapshot.id) } ", built " (words::ago(snapshot.built, viewer.now))
                        } @else { "none yet: " a href="/feeds" { "import feeds" } }
                    }
                    @if let Some(caller) = &viewer.caller { dt { "Signed in as" } dd { (caller.name) } }
                    dt { "For programs" }
                    dd { a href="/api/v1/openapi.json" { "OpenAPI document" } " of the JSON API under " code { "/api/v1" } }
                    dt { "Health" } dd { a href="/healthz" { "/healthz" } ", " a href="/readyz" { "/readyz" } }
                    dt { "Licence" } dd { "Apache-2.0" }
                }
            }
        }
    }
}
