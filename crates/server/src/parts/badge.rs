//! Decisions and severities as a glyph, a word and a colour, never a colour alone.

use boltseal_model::{Decision, Severity};
use boltseal_store::{ImageRow, State};
use maud::{Markup, html};

/// What a gate answers about an image, including "not yet".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is a verdict.
    Decided(Decision),
    /// Waiting for its first scan.
    Pending,
    /// It could not be read.
    Failed,
    /// Nothing a runtime would run, so nothing to judge.
    NotJudged,
}

impl Standing {
    /// What the store says about `row`.
    pub(crate) fn of(row: &ImageRow) -> Self {
        match (row.state, row.decision) {
            (Some(State::Failed), _) => Self::Failed,
            (Some(State::Pending), _) => Self::Pending,
            (_, Some(decision)) => Self::Decided(decision),
            (Some(State::Judged) | None, None) => Self::NotJudged,
        }
    }

    /// The word on the badge: the same as in the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Decided(decision) => decision.word(),
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::NotJudged => "not judged",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Decided(decision) => decision.word(),
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::NotJudged => "plain",
        }
    }
}

/// The badge of a standing.
pub(crate) fn standing(standing: Standing) -> Markup {
    html! { span class={ "badge is-" (standing.class()) } { (glyph(standing.class())) (standing.word()) } }
}

/// The same, for the head of a page.
pub(crate) fn large(standing: Standing) -> Markup {
    html! { span class={ "badge large is-" (standing.class()) } { (glyph(standing.class())) (standing.word()) } }
}

/// The badge of a decision.
pub(crate) fn decision(decision: Decision) -> Markup {
    standing(Standing::Decided(decision))
}

/// A severity: a square of its colour and its word.
pub(crate) fn severity(severity: Severity) -> Markup {
    html! { span class={ "severity s-" (severity.word()) } { (severity.word()) } }
}

/// The glyph of a class of badge; hidden from screen readers, which read the word.
pub(crate) fn glyph(class: &str) -> Markup {
    let path = match class {
        "allow" => "M3 8.6l3.2 3.2L13 5",
        "warn" => "M8 3v6.2M8 12.2v.6",
        "deny" => "M4 4l8 8M12 4l-8 8",
        "pending" => "M8 4v4.200l2.800 1.800M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 1 0 0-13z",
        "plain" => "M4 8h8",
        _ => "M5.6 6a2.500 2.500 0 1 1 3.700 2.300c-.9.5-1.300 1-1.300 1.900M8 12.800v.4",
    };
    html! {
        svg viewBox="0 0 16 16" aria-hidden="true" {
            path d=(path) fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"
                stroke-linejoin="round" {}
        }
    }
}
