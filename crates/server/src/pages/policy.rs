//! The rules in words, and the text they were read from.

use boltseal_policy::RuleDoc;
use maud::{Markup, html};

use crate::parts::{badge, command};

/// A policy as it is shown.
pub(crate) struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// Of its text.
    pub digest: String,
    /// Its rules in words.
    pub rules: &'a [RuleDoc],
    /// The text itself.
    pub text: &'a str,
}

/// The body of `/policy`.
pub(crate) fn policy(shown: &Shown<'_>) -> Markup {
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
                p { (rule.wants) }
                @if let Some(why) = &rule.why { p.quiet.small { (why) } }
            }
        }
    }
}
