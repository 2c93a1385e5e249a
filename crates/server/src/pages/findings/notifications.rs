//! Rules about who is told of what became newly vulnerable, and what became of their messages.

use boltseal_api::{
    notifications::{Rule, RuleStatus, Target},
    webhooks::Delivery,
};
use boltseal_model::Severity;
use maud::{Markup, html};

use crate::{
    pages::frame::{Part, Viewer},
    parts::{badge, link, words},
};

/// What the page shows.
pub(crate) struct Shown<'a> {
    /// Each with its last messages, the newest first.
    pub rules: &'a [(RuleStatus, Vec<Delivery>)],
    /// Whether the viewer may change any of it.
    pub may_change: bool,
}

/// The body of `/notifications`.
pub(crate) fn notifications(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        div.title {
            h1 { "Notifications" }
            p.lead { "Who is told when something becomes newly vulnerable: one message for an update of feeds, not one for each image." }
        }
        (super::tabs(viewer, Part::Notifications))
        section.card aria-labelledby="rules" {
            header { h2 id="rules" { "Rules" } span.quiet.small { "all conditions of a rule must hold" } }
            @if shown.rules.is_empty() { p.none { "None: nobody is told." } }
            @else { ul.lines { @for (status, deliveries) in shown.rules { (rule(viewer, status, deliveries, shown.may_change)) } } }
        }
        @if shown.may_change { (new_rule()) }
    }
}

fn rule(viewer: &Viewer, status: &RuleStatus, deliveries: &[Delivery], may_change: bool) -> Markup {
    let one = &status.rule;
    let address = format!("/notifications/{}", link::encode(&one.name));
    let failing = deliveries.first().is_some_and(|last| last.error.is_some());
    let (class, word) = match (one.disabled, failing) {
        (true, _) => ("plain", "off"),
        (_, true) => ("deny", "failing"),
        _ => ("allow", "on"),
    };
    html! {
        li.stack.tight {
            div.row.spread {
                span.row { b { (one.name) } span class={ "badge is-" (class) } { (badge::glyph(class)) (word) } }
                @if may_change {
                    div.row {
                        form method="post" action={ (address) "/test" } { button.slight type="submit" { "Send a test" } }
                        form method="post" action={ (address) "/remove" } { button.slight type="submit" { "Remove" } }
                    }
                }
            }
            p { (conditions(one)) " → " (kind(&one.to)) " " code { (one.to.who()) } }
            p.quiet.small {
                "At most one message every " (span(one.every)) ", of " (words::count(u64::from(one.lines), "line"))
                @if let Some(told) = status.told { ", the last " (words::ago(told, viewer.now)) } @else { ", none so far" }
            }
            @if !deliveries.is_empty() { ul.plain.small { @for one in deliveries { (message(viewer, &address, one, may_change)) } } }
        }
    }
}

fn message(viewer: &Viewer, rule: &str, one: &Delivery, may_change: bool) -> Markup {
    let class = match one.state.as_str() {
        "delivered" => "allow",
        "dead" => "deny",
        _ => "pending",
    };
    let word = if one.state == "dead" { "given up" } else { one.state.as_str() };
    html! {
        li.row.spread {
            span {
                span class={ "badge is-" (class) } { (badge::glyph(class)) (word) }
                " " (if one.event == "test" { "a test" } else { "a message" }) " of " (words::ago(one.created, viewer.now))
                @if let Some(error) = &one.error { ": " (error) }
                @if one.attempts > 1 { span.quiet { ", tried " (one.attempts) " times" } }
                @if let Some(due) = one.due.filter(|due| *due > viewer.now) { span.quiet { ", again " (words::ago(due, viewer.now)) } }
            }
            @if may_change && one.state != "delivered" {
                form method="post" action={ (rule) "/redeliver" } { input type="hidden" name="id" value=(one.id); button.slight type="submit" { "Send again" } }
            }
        }
    }
}

/// What a rule is about, in words.
fn conditions(rule: &Rule) -> Markup {
    html! {
        @if let Some(word) = &rule.severity { "At least " (word) } @else { "Any severity" }
        @if rule.exploited { ", known to be exploited" }
        @if let Some(score) = rule.epss { ", EPSS at least " (words::percent(score)) }
        @if rule.fixable { ", with a fix" }
        @if rule.repositories != "*" { ", in " code { (rule.repositories) } }
        @if rule.tagged { ", tagged" }
        @if let Some(days) = rule.pulled_within_days { ", pulled within " (words::count(u64::from(days), "day")) }
    }
}

const fn kind(target: &Target) -> &'static str {
    match target {
        Target::Webhook { .. } => "webhook",
        Target::Slack { .. } => "Slack",
        Target::Teams { .. } => "Teams",
        Target::Email { .. } => "mail to",
    }
}

fn span(seconds: u64) -> String {
    words::span(seconds).unwrap_or_else(|| words::count(seconds, "second"))
}

/// The usual rules; everything else is said on the command line.
fn new_rule() -> Markup {
    html! {
        details.card.group {
            summary { "Add a rule" }
            form.grid method="post" action="/notifications" {
                label.field { "Name" input type="text" name="name" placeholder="critical" required autocomplete="off" spellcheck="false" autocapitalize="none"; }
                label.field { "At least" select name="severity" { option value="" { "any severity" } @for severity in Severity::WORST_FIRST.into_iter().filter(|severity| *severity != Severity::Unknown) { option value=(severity.word()) selected[severity == Severity::High] { (severity.word()) } } } }
                label.field { "Repositories" input type="text" name="repositories" placeholder="*" autocomplete="off" spellcheck="false" autocapitalize="none"; }
                label.field { "Told by" select name="kind" { option value="slack" { "Slack" } option value="teams" { "Teams" } } }
                label.field { "Address of the incoming webhook" input type="password" name="secret" required autocomplete="off"; }
                label.check { input type="checkbox" name="fixable" value="yes"; "only with a fix" }
                label.check { input type="checkbox" name="exploited" value="yes"; "only known exploited" }
                button.primary type="submit" { "Add" }
            }
            p.quiet.small.body { "Mail, signed webhooks and other conditions: " code { "boltseal notify add --help" } }
        }
    }
}
