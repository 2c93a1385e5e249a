//! A mail: plain text, and the same as HTML without anything that is fetched.

use std::fmt::Write as _;

use maud::{DOCTYPE, html};

use super::{super::super::outbox::mail::Letter, News, Rule, list, page};

/// What [`Letter`] is in the outbox.
pub(super) fn body(rule: &Rule, news: &News) -> String {
    let subject = format!("[Boltseal] {}: {}", news.headline(), news.severities());
    let letter = Letter { subject, text: text(rule, news), html: markup(rule, news) };
    serde_json::to_string(&letter).unwrap_or_default()
}

fn text(rule: &Rule, news: &News) -> String {
    let mut out = format!("{}: {}\n\n", news.headline(), news.severities());
    for line in &news.lines {
        let severity = line.standing.severity.word();
        let _ = writeln!(out, "{severity:<10} {}  {}", line.vulnerability, line.what());
        if !line.title.is_empty() {
            let _ = writeln!(out, "           {}", line.title);
        }
        let _ = writeln!(out, "           {}; {}", line.why(), line.whereabouts());
        if let Some(address) = page(rule, line) {
            let _ = writeln!(out, "           {address}");
        }
        out.push('\n');
    }
    for last in news.remainder().into_iter().chain(list(rule)) {
        let _ = writeln!(out, "{last}");
    }
    let _ = write!(out, "\n-- \nSent by the rule {} of Boltseal.\n", rule.name);
    out
}

fn markup(rule: &Rule, news: &News) -> String {
    const CELL: &str = "padding:6px 12px 6px 0;vertical-align:top;border-top:1px solid #ccc";
    const QUIET: &str = "color:#666";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (news.headline()) } }
            body style="font-family:sans-serif;font-size:14px" {
                h1 style="font-size:18px" { (news.headline()) }
                p { (news.severities()) }
                table style="border-collapse:collapse" {
                    @for line in &news.lines {
                        tr {
                            td style=(CELL) { b { (line.standing.severity.word()) } }
                            td style=(CELL) {
                                @if let Some(address) = page(rule, line) { a href=(address) { b { (line.vulnerability) } } } @else { b { (line.vulnerability) } }
                                " " (line.what()) br;
                                @if !line.title.is_empty() { (line.title) br; }
                                span style=(QUIET) { (line.why()) "; " (line.whereabouts()) }
                            }
                        }
                    }
                }
                @if let Some(text) = news.remainder() { p { (text) } }
                @if let Some(address) = list(rule) { p { a href=(address) { "All that is newly vulnerable" } } }
                p style=(QUIET) { "Sent by the rule " (rule.name) " of Boltseal." }
            }
        }
    };
    page.into_string()
}
