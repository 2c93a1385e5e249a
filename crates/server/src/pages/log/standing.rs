//! How the log stands: quietly when all is well, loudly when not.

use boltseal_api::audit::{Status, Verified};
use maud::{Markup, html};

use crate::{
    pages::frame::Viewer,
    parts::{badge, command, words},
};

/// The head of the log's page.
pub(super) fn head(viewer: &Viewer, status: &Status) -> Markup {
    html! {
        div.title {
            div.row { h1 { "Audit log" } (standing(&status.verified)) }
            p.lead {
                (words::count(status.size, "record")) " sealed"
                @if let Some(signed) = status.signed { ", the newest " (words::ago(signed, viewer.now)) }
                @if status.waiting > 0 { "; " (words::thousands(status.waiting)) " about to be" }
                ". "
                (verified(viewer, status))
                " "
                (witnesses(status))
            }
        }
        (trouble(status))
    }
}

fn standing(verified: &Verified) -> Markup {
    let (class, word) = match verified {
        Verified::Good { .. } => ("allow", "verified"),
        Verified::Running { .. } => ("pending", "being verified"),
        Verified::Broken { .. } => ("deny", "broken"),
    };
    html! { span class={ "badge large is-" (class) } { (badge::glyph(class)) (word) } }
}

fn verified(viewer: &Viewer, status: &Status) -> Markup {
    html! {
        @match &status.verified {
            Verified::Good { checked, at } => {
                "Verified from its beginning " (words::ago(*at, viewer.now)) ": " (words::count(*checked, "record")) ", every hash and signature."
                @if status.size > *checked { " " (words::thousands(status.size - checked)) " came since." }
            }
            Verified::Running { checked } => { "It is being verified: " (words::count(*checked, "record")) " so far." }
            Verified::Broken { .. } => "It was verified, and is not what was signed.",
        }
    }
}

fn witnesses(status: &Status) -> Markup {
    let current = status.witnesses.iter().filter(|witness| witness.error.is_none()).count() as u64;
    html! {
        @if status.witnesses.is_empty() { "No other server cosigns it." }
        @else { (current) " of " (words::count(status.witnesses.len() as u64, "witness")) " cosigned it." }
    }
}

fn trouble(status: &Status) -> Markup {
    html! {
        @if let Verified::Broken { why } = &status.verified {
            div.notice.v-deny role="alert" {
                h2 { "The log is not what was signed" }
                p { (why) }
                p { "Somebody changed it, or the disk did. Nothing is recorded any more, and so nothing that must be recorded is done: no pushes, no changes, no secrets. Keep the " code { "audit" } " folder as evidence, restore it from a copy, and look at the whole of it with:" }
                (command::shell("boltseal audit verify"))
            }
        } @else if let Some(why) = &status.closed {
            div.notice.v-deny role="alert" {
                h2 { "The log is closed" }
                p { (why) ". Nothing is changed until it can be written again." }
            }
        } @else if let Some(why) = &status.failing {
            div.notice.v-warn role="alert" {
                h2 { "Records are not being sealed" }
                p { (why) ". They are durable, and are sealed as soon as it works again." }
            }
        }
        @for witness in &status.witnesses {
            @if let Some(error) = &witness.error { p.notice.v-warn { "Witness " b { (witness.name) } " did not cosign: " (error) } }
        }
    }
}
