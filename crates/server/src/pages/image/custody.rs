//! Where the image comes from: a card for each step of its life, and which of them are missing.

use boltseal_api::custody::{Chain, Link, Step};
use maud::{Markup, html};

use crate::parts::{badge, command, words};

/// The view; `name` is what a client would call the image.
pub(super) fn view(chain: &Chain, name: &str) -> Markup {
    html! {
        section.card aria-labelledby="custody" {
            header { h2 id="custody" { "Chain of custody" } span.quiet.small { (summary(chain)) } }
            ol.chain { @for link in &chain.links { (card(link)) } }
            footer {
                p.quiet { "One file with the records and their proofs, which anybody can check without this server:" }
                (command::shell(&format!("boltseal explain {name} --proof custody.json")))
            }
        }
    }
}

fn card(link: &Link) -> Markup {
    let class = if link.known { "allow" } else { "warn" };
    html! {
        li.missing[!link.known] {
            h3 { span class={ "mark is-" (class) } { (badge::glyph(class)) } (title(link.step)) @if !link.known { " " span.tag { "missing" } } }
            @for fact in &link.facts { p { (fact) } }
            @if !link.records.is_empty() {
                p.quiet.small { "Audit log: " @for (place, index) in link.records.iter().enumerate() { @if place > 0 { ", " } a href={ "/log/" (index) } { "record " (index) } } }
            }
        }
    }
}

/// How many links hold, and the names of those that are missing.
fn summary(chain: &Chain) -> String {
    let missing: Vec<&str> =
        chain.links.iter().filter(|link| !link.known).map(|link| link.step.word()).collect();
    let known = words::count((chain.links.len() - missing.len()) as u64, "link");
    if missing.is_empty() { known } else { format!("{known}; missing: {}", missing.join(", ")) }
}

const fn title(step: Step) -> &'static str {
    match step {
        Step::Pushed => "Pushed",
        Step::Built => "Built",
        Step::Signed => "Signed",
        Step::Scanned => "Scanned",
        Step::Judged => "Judged",
        Step::Running => "Running",
    }
}
