//! The verdict and why.

use boltseal_model::{Decision, Reason, Verdict};
use maud::{Markup, html};

use super::expiry;
use crate::{
    pages::frame::Viewer,
    parts::{badge, command, words},
};

/// Reasons shown at once; a bad image can have a thousand that say the same.
const SHOWN: usize = 4;

/// The card under the head of an image.
pub(super) fn card(viewer: &Viewer, verdict: &Verdict) -> Markup {
    // Reasons come worst first, so those that decided are at the front.
    let deciding = verdict.reasons.iter().filter(|reason| reason.decision == verdict.decision).count();
    let (shown, rest) = verdict.reasons.split_at(deciding.min(SHOWN));
    html! {
        section class={ "card verdict v-" (verdict.decision.word()) } aria-labelledby="verdict" {
            header {
                h2 id="verdict" { (sentence(verdict)) }
                span.quiet.small { "policy " a href="/policy" { (verdict.policy) } }
            }
            @if verdict.reasons.is_empty() {
                p.none { "Every rule is satisfied." (expiry(viewer, verdict)) }
            } @else {
                ul.reasons { @for reason in shown { (item(reason)) } }
                @if !rest.is_empty() {
                    details.group {
                        summary { (words::count(rest.len() as u64, "more reason")) }
                        ul.reasons { @for reason in rest { (item(reason)) } }
                    }
                }
                @if verdict.expires.is_some() { footer.quiet { (expiry(viewer, verdict)) } }
            }
        }
    }
}

fn sentence(verdict: &Verdict) -> String {
    let number =
        |decision| verdict.reasons.iter().filter(|reason| reason.decision == decision).count() as u64;
    match verdict.decision {
        Decision::Allow => "May be pulled".to_owned(),
        Decision::Warn => format!("May be pulled, with {}", words::count(number(Decision::Warn), "warning")),
        Decision::Unknown => {
            format!("Refused: cannot be decided, for {}", words::count(number(Decision::Unknown), "reason"))
        }
        Decision::Deny => format!("Refused for {}", words::count(number(Decision::Deny), "reason")),
    }
}

fn item(reason: &Reason) -> Markup {
    html! {
        li {
            div.row { (badge::decision(reason.decision)) span.found { (reason.found) } }
            p.quiet.small {
                "Rule " code { (reason.rule) } " wants: " (reason.wanted)
                @if let Some(exception) = &reason.exception { " · pardoned by exception " code { (exception) } }
            }
            @if let Some(fix) = &reason.fix { (command::shell(fix)) }
        }
    }
}
