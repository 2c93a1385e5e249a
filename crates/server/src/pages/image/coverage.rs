//! What was not looked at.

use boltseal_model::Report;
use maud::{Markup, html};

use crate::parts::words;

/// The view.
pub(super) fn view(report: &Report) -> Markup {
    let gaps = &report.coverage.gaps;
    html! {
        @if report.coverage.complete {
            section.card { div.empty { h2 { "No gaps" } p { "Every layer was read, every package list parsed, and a feed covers every package." } } }
        } @else {
            section.card aria-labelledby="gaps" {
                header { h2 id="gaps" { (words::count(gaps.len() as u64, "gap")) } span.quiet.small { "silence about these proves nothing" } }
                table.cards {
                    caption.unseen { "What the report does not cover" }
                    thead { tr { th scope="col" { "About" } th scope="col" { "Kind" } th scope="col" { "What it means" } } }
                    tbody { @for gap in gaps { tr { th scope="row" { code { (gap.subject) } } td data-label="Kind" { span.tag { (gap.kind.word()) } } td { (gap.detail) } } } }
                }
            }
        }
        @if let Some(snapshot) = &report.snapshot { p.quiet { "Matched with snapshot " code { (snapshot.id) } " of " (words::count(snapshot.feeds.len() as u64, "feed")) "." } }
    }
}
