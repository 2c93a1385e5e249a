//! Records as lines of a timeline, grouped by day.

use boltseal_audit::{Record, record::Outcome};
use boltseal_model::Timestamp;
use maud::{Markup, html};

use crate::{
    pages::frame::Viewer,
    parts::{badge, words},
    recorder::Found,
};

/// Records, newest first, under the days on which they were written.
pub(crate) fn rows(viewer: &Viewer, found: &[Found]) -> Markup {
    let day = |found: &Found| found.record.as_ref().map(|record| record.time.as_second().div_euclid(86_400));
    html! {
        @for those in found.chunk_by(|a, b| day(a) == day(b)) {
            section.card.day {
                @if let Some(record) = those.first().and_then(|first| first.record.as_ref()) {
                    header { h2 { (day_name(record.time, viewer.now)) } span.quiet.small { (words::count(those.len() as u64, "record")) } }
                }
                ol.log { @for one in those { (row(one, None)) } }
            }
        }
    }
}

/// A few records on one card, with how long ago each was.
pub(crate) fn list(viewer: &Viewer, found: &[Found]) -> Markup {
    html! { section.card { ol.log.ages { @for one in found { (row(one, Some(viewer.now))) } } } }
}

fn row(found: &Found, ago: Option<Timestamp>) -> Markup {
    let address = format!("/log/{}", found.index);
    let Some(record) = &found.record else {
        return html! {
            li { span.mark.is-unknown { (badge::glyph("unknown")) } span.when {} div.what { a.name href=(address) { "Entry " (found.index) } p.quiet { "This version cannot read it as a record." } } }
        };
    };
    let (class, word) = outcome(record.outcome);
    html! {
        li class={ "o-" (record.outcome.name()) @if record.alert { " o-alert" } } {
            span class={ "mark is-" (class) } title=(word) { (badge::glyph(class)) span.unseen { (word) ": " } }
            @match ago { Some(now) => span.when { (words::ago(record.time, now)) }, None => (clock(record.time)) }
            div.what {
                p { a.name href=(address) { (sentence(record)) } @if record.alert { " " span.tag.hot { "alert" } } }
                @if let Some(status) = &record.status { p.quiet.clip { (status) } }
                p.quiet.small { (origin(record)) @if !found.sealed { " · " span.tag { "not sealed yet" } } }
            }
        }
    }
}

/// What happened, without the sentence about its outcome, which stands below it.
pub(super) fn sentence(record: &Record) -> String {
    let mut plain = record.clone();
    plain.status = None;
    plain.sentence()
}

/// From where, in a few words.
fn origin(record: &Record) -> Markup {
    let source = &record.source;
    html! {
        @match source.address { Some(address) => (address), None => (source.door.name()) }
        @if let Some(host) = &source.host { " · " (host) }
        @if let Some(agent) = &source.agent { " · " span.agent { (agent) } }
    }
}

/// The class of badge and the word of an outcome.
pub(crate) const fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Success => ("allow", "done"),
        Outcome::Denied => ("deny", "denied"),
        Outcome::Failure => ("warn", "failed"),
        Outcome::Unknown => ("plain", "outcome not known"),
    }
}

fn clock(time: Timestamp) -> Markup {
    let exact = time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time.when datetime=(time.strftime("%Y-%m-%dT%H:%M:%SZ")) title=(exact) { (time.strftime("%H:%M:%S")) } }
}

/// `Today`, `Yesterday`, `14 November 2026`; days are UTC.
fn day_name(time: Timestamp, now: Timestamp) -> Markup {
    let day = |time: Timestamp| time.as_second().div_euclid(86_400);
    html! {
        @match day(now) - day(time) {
            0 => "Today",
            1 => "Yesterday",
            _ => (words::day(time)),
        }
    }
}
