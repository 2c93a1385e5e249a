//! Who pulls an image, and what was said about it by people: locks, holding and releasing.

use boltseal_model::Timestamp;
use boltseal_store::{Lock, Pulls};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    pages::frame::Viewer,
    parts::{
        link, lock,
        timeline::{self, Day},
        words,
    },
};

/// What is known about how an image is used.
#[derive(Default)]
pub(crate) struct Used {
    /// By repository.
    pub pulls: Vec<Pulls>,
    /// Of all repositories together.
    pub days: Vec<Day>,
    /// What is locked of it, with the repository.
    pub locks: Vec<(String, Lock)>,
    /// What somebody decided against its verdict, with the repository.
    pub decisions: Vec<(String, Decision)>,
}

/// A decision of a person or a scanner about a manifest, as the registry writes it down.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Decision {
    /// `Passed`, `Failed` or `Quarantined`.
    pub state: String,
    /// Why.
    pub details: Option<String>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Used {
    /// How often it was pulled.
    pub(super) fn number(&self) -> u64 {
        self.pulls.iter().map(|of| of.number).fold(0, u64::saturating_add)
    }
}

/// What stands at the top of every view: somebody decided, whatever the verdict says.
pub(super) fn decided(viewer: &Viewer, used: &Used) -> Markup {
    html! {
        @for (repository, decision) in &used.decisions {
            @let (class, word) = match decision.state.as_str() {
                "Passed" => ("v-warn", "Released"),
                "Failed" => ("v-deny", "Held back"),
                _ => ("v-pending", "In quarantine"),
            };
            div class={ "notice " (class) } {
                p {
                    b { (word) " by " (decision.by) } " in " a href=(link::repository(repository)) { (repository) } ", "
                    (words::ago(decision.at, viewer.now)) ", whatever the verdict says."
                    @if let Some(details) = decision.details.as_deref().filter(|text| !text.is_empty()) { " “" (details) "”" }
                }
            }
        }
    }
}

/// The view.
pub(super) fn view(viewer: &Viewer, used: &Used) -> Markup {
    html! {
        (pulls(viewer, used))
        (locks(viewer, used))
    }
}

fn pulls(viewer: &Viewer, used: &Used) -> Markup {
    let last = used.pulls.iter().map(|of| of.last).max();
    html! {
        section.card aria-labelledby="pulls" {
            header {
                h2 id="pulls" { "Pulls" }
                span.quiet.small { @if let Some(last) = last { (words::count(used.number(), "pull")) ", the last " (words::ago(last, viewer.now)) } @else { "never" } }
            }
            @if last.is_none() { p.none { "Nobody pulled it yet. Looking it up without pulling does not count." } }
            @else {
                div.body { (timeline::timeline(&used.days, "Pulls each day", "a day")) }
                (names(viewer, used))
            }
        }
    }
}

fn names(viewer: &Viewer, used: &Used) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Pulls by name" }
            thead { tr { th scope="col" { "Pulled as" } th scope="col" { "Pulls" } th scope="col" { "Last" } } }
            tbody {
                @for of in &used.pulls {
                    @for (tag, sum) in &of.tags {
                        tr {
                            th scope="row" { (of.repository) ":" (tag) }
                            td data-label="Pulls" { (words::thousands(sum.number)) }
                            td.nowrap data-label="Last" { (words::ago(sum.last, viewer.now)) }
                        }
                    }
                    @let by_digest = of.tags.values().fold(of.number, |rest, sum| rest.saturating_sub(sum.number));
                    @if by_digest > 0 {
                        tr {
                            th scope="row" { (of.repository) span.quiet { " by its digest" } }
                            td data-label="Pulls" { (words::thousands(by_digest)) }
                            td.nowrap data-label="Last" { @if by_digest_last(of) { (words::ago(of.last, viewer.now)) } @else { span.quiet { "earlier" } } }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the last pull of all was one by the digest: those are not remembered by themselves.
fn by_digest_last(of: &Pulls) -> bool {
    of.tags.values().all(|sum| sum.last < of.last)
}

fn locks(viewer: &Viewer, used: &Used) -> Markup {
    html! {
        section.card aria-labelledby="locks" {
            header { h2 id="locks" { "Locks" } }
            @if used.locks.is_empty() { p.none { "Nothing is locked: it can be changed and deleted by whoever may." } }
            @else { ul.lines { @for (repository, lock) in &used.locks { li { code { (lock.target.shown(repository)) } " " (lock::sentence(lock, viewer.now)) } } } }
        }
    }
}
