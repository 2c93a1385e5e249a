//! The rules in words, and the text they were read from.

use boltseal_api::exceptions::Exception;
use boltseal_policy::RuleDoc;
use maud::{Markup, html};

use super::frame::Viewer;
use crate::parts::{badge, command, words};

/// A policy as it is shown.
pub(crate) struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// Of its text.
    pub digest: String,
    /// Its rules in words.
    pub rules: &'a [RuleDoc],
    /// Pardons from them.
    pub exceptions: &'a [Exception],
    /// Whether the viewer may approve them.
    pub may_approve: bool,
    /// The text itself.
    pub text: &'a str,
}

/// The body of `/policy`.
pub(crate) fn policy(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        div.title {
            h1 { "Policy " em { (shown.name) } }
            p.lead {
                "Every gate asks these rules: the registry before it hands an image out, the command line in CI. The worst "
                "answer wins, and what cannot be decided is never allowed."
            }
        }
        section.card aria-labelledby="rules" {
            header { h2 id="rules" { "Rules" } span.quiet.small { (shown.rules.len()) " in order of the file" } }
            @if shown.rules.is_empty() { p.none { "This policy has no rules: it allows everything." } }
            ul.rules { @for rule in shown.rules { (row(rule)) } }
        }
        @if !shown.exceptions.is_empty() { (exceptions(viewer, shown)) }
        @if !shown.text.is_empty() {
            section.card aria-labelledby="text" {
                header { h2 id="text" { "Text" } code.quiet.digest { (shown.digest) } }
                pre.text tabindex="0" aria-label="Text of the policy" { (shown.text) }
            }
        }
        section.stack {
            h2 { "Try it before you push" }
            (command::shell("boltseal gate IMAGE --policy policy.yaml"))
        }
    }
}

fn row(rule: &RuleDoc) -> Markup {
    html! {
        li {
            div { (badge::decision(rule.effect)) }
            div {
                p { b { (rule.name) } " " span.tag { (rule.kind) } }
                p.wants { (rule.wants) }
                @if let Some(why) = &rule.why { p.quiet.small { (why) } }
            }
        }
    }
}

fn exceptions(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let exceptions = shown.exceptions;
    html! {
        section.card aria-labelledby="exceptions" {
            header { h2 id="exceptions" { "Exceptions" } span.quiet.small { (words::count(exceptions.len() as u64, "pardon")) ", each with an end" } }
            table.cards {
                caption.unseen { "Exceptions, who answers for them and until when" }
                thead { tr { th scope="col" { "Exception" } th scope="col" { "Owner" } th scope="col" { "Last day" } th scope="col" { "Reason" } } }
                tbody {
                    @for exception in exceptions {
                        tr {
                            th scope="row" {
                                span.name { (exception.name) }
                                div.quiet.small { (exception.scope) }
                            }
                            td data-label="Owner" { (exception.owner) }
                            td.nowrap data-label="Last day" {
                                (exception.expires)
                                @if exception.ended { " " span.badge.is-warn { (badge::glyph("warn")) "ended" } }
                            }
                            td data-label="Reason" {
                                (exception.reason)
                                (approvals(viewer, exception, shown.may_approve))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who approved it, what is missing, and what the viewer may do about that.
fn approvals(viewer: &Viewer, exception: &Exception, may_approve: bool) -> Markup {
    let missing = exception.needed.saturating_sub(exception.approvals.len());
    let names: Vec<&str> = exception.approvals.iter().map(|one| one.by.as_str()).collect();
    let own = viewer
        .caller
        .as_ref()
        .and_then(|caller| names.iter().find(|name| name.eq_ignore_ascii_case(&caller.name)).copied());
    let action = |what: &str| format!("/policy/exceptions/{}/{what}", exception.name);
    html! {
        @if missing > 0 {
            " " span.badge.is-warn {
                (badge::glyph("warn"))
                "does not count: " (words::count(missing as u64, "approval")) " missing"
            }
        }
        @if !names.is_empty() { div.quiet.small { "approved by " (names.join(", ")) } }
        @if may_approve && exception.needed > 0 && !exception.ended {
            @if let Some(own) = own {
                form method="post" action=(action("take-back")) {
                    input type="hidden" name="who" value=(own);
                    button type="submit" { "Take my approval back" }
                }
            } @else {
                form method="post" action=(action("approve")) {
                    input type="hidden" name="digest" value=(exception.digest);
                    button type="submit" { "Approve" }
                }
            }
        }
    }
}
