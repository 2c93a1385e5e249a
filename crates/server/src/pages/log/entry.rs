//! One record: everything it says, why it was allowed, and the proof that it is in the log.

use boltseal_audit::{
    Record,
    log::Proof,
    record::{Actor, Outcome, Severity, Source, Subject, Why},
};
use maud::{Markup, html};
use serde_json::Value;

use super::row;
use crate::{
    pages::frame::Viewer,
    parts::{badge, command, link, words},
};

/// Everything the page shows.
pub(crate) struct Shown<'a> {
    /// From 0.
    pub index: u64,
    /// As it was written.
    pub entry: &'a [u8],
    /// That it is in the log, or what is wrong; `None` as long as it is not sealed.
    pub proof: Option<Result<Proof, String>>,
    /// Entries of the log.
    pub entered: u64,
}

/// The body of `/log/{index}`.
pub(crate) fn entry(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let record = Record::parse(shown.entry).ok();
    html! {
        div.title {
            p.crumb { a href="/log" { "Audit log" } " / record " (shown.index) }
            @match &record {
                Some(record) => {
                    h1.path { (row::sentence(record)) }
                    div.row { (standing(record)) @if record.alert { span.tag.hot { "alert" } } @if record.severity > Severity::Informational { span.tag { (record.severity.name()) } } span.quiet { (words::ago(record.time, viewer.now)) } }
                }
                None => { h1 { "Entry " (shown.index) } p.lead { "This version cannot read it as a record." } }
            }
        }
        div.columns {
            div.stack.wide { @if let Some(record) = &record { (facts(record)) (why(record)) } (raw(shown.entry)) }
            div.stack { (proof(shown)) }
        }
        nav.pages aria-label="Records" {
            @if let Some(before) = shown.index.checked_sub(1) { a.button rel="prev" href={ "/log/" (before) } { "← Record " (before) } } @else { span {} }
            @if shown.index + 1 < shown.entered { a.button rel="next" href={ "/log/" (shown.index + 1) } { "Record " (shown.index + 1) " →" } } @else { span {} }
        }
    }
}

fn standing(record: &Record) -> Markup {
    let (class, word) = row::outcome(record.outcome);
    html! { span class={ "badge is-" (class) } { (badge::glyph(class)) (word) } }
}

fn facts(record: &Record) -> Markup {
    html! {
        section.card aria-labelledby="facts" {
            header { h2 id="facts" { "What happened" } }
            div.body {
                dl.facts {
                    dt { "Who" } dd { (who(&record.actor)) }
                    dt { "Did" } dd { (record.activity.name()) " " code.path { (record.action) } }
                    dt { "To" } dd { (subject(&record.subject)) }
                    dt { "When" } dd { (record.time.strftime("%-d %B %Y, %H:%M:%S%.3f UTC")) }
                    dt { "From" } dd { (source(&record.source)) }
                    @if let Some(status) = &record.status { dt { "Outcome" } dd { (status) } }
                    @for (name, value) in &record.detail { dt { (name) } dd { (detail(value)) } }
                    @if let Some(original) = &record.original { dt { "Reported as" } dd { code { (original) } } }
                    @for cut in &record.truncated { dt { "Cut" } dd { (cut.field) ", SHA-256 of the whole " code.path { (cut.digest) } } }
                }
            }
        }
    }
}

fn who(actor: &Actor) -> Markup {
    html! {
        a href=(link::query("/log", &[("who", &actor.name)])) { b { (actor.name) } }
        span.quiet { " · " (actor.kind.name()) @if actor.via.name() != "none" { ", by " (actor.via.name()) } }
        @if !actor.id.is_empty() { div.quiet.small.mono.path { (actor.id) } }
        @if let Some(session) = &actor.session { div.small { a href=(link::query("/log", &[("text", session)])) { "everything of this session" } } }
    }
}

fn subject(subject: &Subject) -> Markup {
    html! {
        @if let Some(name) = &subject.name { b.path { (name) } " " }
        @if !subject.scope.is_empty() { a.path href=(link::query("/log", &[("subject", &subject.scope)])) { (subject.scope) } }
        @if let Some(digest) = &subject.digest { div.small.mono.path { a href=(link::image(digest)) { (digest) } } }
        @if subject.scope.is_empty() && subject.name.is_none() && subject.digest.is_none() { span.quiet { "nothing in particular" } }
    }
}

fn source(source: &Source) -> Markup {
    html! {
        @match (source.address, source.port) {
            (Some(address), Some(port)) => { code { (address) } span.quiet { ", port " (port) } },
            (Some(address), None) => code { (address) },
            (None, _) => "this machine",
        }
        span.quiet { ", " (source.door.name()) }
        @if let Some(host) = &source.host { ", reported by " (host) }
        @if let Some(agent) = &source.agent { div.quiet.small.path { (agent) } }
    }
}

/// A fact of an activity; JSON stays JSON.
fn detail(value: &Value) -> Markup {
    html! {
        @match value {
            Value::String(text) => span.path { (text) },
            Value::Object(_) | Value::Array(_) => pre.text.inset { (pretty(value)) },
            other => (other),
        }
    }
}

fn why(record: &Record) -> Markup {
    let title = if record.outcome == Outcome::Denied { "Why not" } else { "Why it was allowed" };
    html! {
        section.card aria-labelledby="why" {
            header { h2 id="why" { (title) } }
            div.body {
                @match &record.why {
                    Why::Granted { assignment, role, scope } => {
                        p { "Role " b { (role) } " at " code.path { (scope) } "." }
                        p.quiet.small { "Assignment " code.path { (assignment) } " · " a href=(link::query("/log", &[("text", assignment)])) { "who gave it, and everything it allowed" } }
                    },
                    Why::Rule(words) => p.path { (words) },
                    Why::Missing(words) => p.path { "Nothing grants " (words) "." },
                    Why::Unstated => p.quiet { "No permission was asked for." },
                }
            }
        }
    }
}

fn proof(shown: &Shown<'_>) -> Markup {
    html! {
        section.card aria-labelledby="proof" {
            header { h2 id="proof" { "Proof" } }
            div.body {
                @match &shown.proof {
                    None => {
                        p { span.badge.is-pending { (badge::glyph("pending")) "not sealed yet" } }
                        p.quiet { "It is on disk; a signed checkpoint covers it within a second." }
                    },
                    Some(Err(wrong)) => {
                        p { span.badge.is-deny { (badge::glyph("deny")) "does not verify" } }
                        p role="alert" { (wrong) }
                    },
                    Some(Ok(proof)) => (good(shown, proof)),
                }
            }
        }
    }
}

fn good(shown: &Shown<'_>, proof: &Proof) -> Markup {
    let checkpoint = proof.checkpoint.checkpoint();
    html! {
        p { span.badge.is-allow { (badge::glyph("allow")) "verified just now" } }
        p { "A path of " (words::count(proof.path.len() as u64, "hash")) " leads from this record to the signed root over " (words::count(checkpoint.size, "record")) "." }
        dl.facts {
            dt { "Log" } dd.path { (checkpoint.origin) }
            dt { "Root" } dd.path { code { (checkpoint.root) } }
        }
        p { a.button href={ "/api/v1/audit/records/" (shown.index) "/proof" } download { "Download the proof" } }
        p.quiet.small { "A C2SP tlog-proof with the record in it: anybody can check it, offline and without this server." }
        (command::shell(&format!("boltseal audit prove {}", shown.index)))
    }
}

fn raw(entry: &[u8]) -> Markup {
    let text = serde_json::from_slice::<Value>(entry)
        .map_or_else(|_| String::from_utf8_lossy(entry).into_owned(), |value| pretty(&value));
    html! {
        section.card {
            details.group { summary { "As it stands in the log (OCSF, " (words::bytes(entry.len() as u64)) ")" } pre.text { (text) } }
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
