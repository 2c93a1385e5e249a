//! The log: how it stands, and what it says, newest first.

pub(crate) mod entry;
mod row;
mod standing;

use boltseal_api::audit::Status;
use maud::{Markup, html};

use super::frame::Viewer;
use crate::{
    asking::Asking,
    parts::{link, timeline, words},
    recorder::Page,
};

pub(crate) use row::{list, rows};

/// The conditions of a filter that the page has fields or links for.
const CONDITIONS: [&str; 11] = [
    "who", "action", "activity", "class", "since", "until", "subject", "outcome", "severity", "alert", "text",
];

/// What people look for most: name, condition, value.
const QUICK: [(&str, &str, &str); 9] = [
    ("Sign-ins", "class", "authentication"),
    ("Denied", "outcome", "denied"),
    ("Failed", "outcome", "failure"),
    ("Pushes", "action", "Microsoft.ContainerRegistry/registries/repositories/content/write"),
    ("Pulls", "action", "Microsoft.ContainerRegistry/registries/repositories/content/read"),
    ("Verdicts", "activity", "judge"),
    ("Roles given", "class", "access"),
    ("People", "class", "account"),
    ("Alerts", "alert", "true"),
];

/// The filter as the address says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Conditions that are given.
    pub pairs: Vec<(&'static str, String)>,
    /// Only records before this one.
    pub before: Option<u64>,
}

impl Asked {
    /// Reads the address.
    pub(crate) fn read(asking: &Asking) -> Self {
        let given = |name: &'static str| asking.some(name).map(|value| (name, value));
        Self {
            pairs: CONDITIONS.into_iter().filter_map(given).collect(),
            before: asking.some("before").and_then(|before| before.parse().ok()),
        }
    }

    /// Whether it is the newest page of everything.
    pub(crate) const fn is_plain(&self) -> bool {
        self.pairs.is_empty() && self.before.is_none()
    }

    fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(this, _)| *this == name).map_or("", |(_, value)| value)
    }

    /// The address of the page that begins before `index`.
    fn before(&self, index: u64) -> String {
        let before = index.to_string();
        let mut pairs: Vec<(&str, &str)> =
            self.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("before", &before));
        link::query("/log", &pairs)
    }
}

/// Columns of what happened lately.
pub(crate) struct Chart {
    /// Oldest first.
    pub days: Vec<timeline::Day>,
    /// Days, not hours.
    pub by_day: bool,
    /// Entries that were not counted.
    pub passed_over: u64,
}

/// Everything the page shows.
pub(crate) struct Shown<'a> {
    /// How the log stands.
    pub standing: Status,
    /// What was asked for.
    pub asked: &'a Asked,
    /// What was found; nothing where the filter makes no sense.
    pub page: Option<Page>,
    /// Why the filter makes no sense.
    pub wrong: Option<String>,
    /// On the newest page of everything.
    pub chart: Option<Chart>,
}

/// The body of `/log`.
pub(crate) fn log(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        (standing::head(viewer, &shown.standing))
        @if let Some(drawn) = &shown.chart { (chart(drawn)) }
        div.stack {
            (quick(shown.asked))
            (form(shown.asked))
        }
        div.stack id="results" {
            @if let Some(wrong) = &shown.wrong { p.notice.v-warn role="alert" { (wrong) } }
            @if let Some(page) = &shown.page { (found(viewer, shown.asked, page)) }
        }
    }
}

fn chart(chart: &Chart) -> Markup {
    let (each, what) = if chart.by_day { ("a day", "each day") } else { ("an hour", "each hour") };
    html! {
        section.card aria-labelledby="activity" {
            header {
                h2 id="activity" { "Activity" }
                ul.legend.small {
                    li { span.severity.v-done { "done" } }
                    li { span.severity.v-broken { "failed" } }
                    li { span.severity.v-denied { "denied" } }
                }
            }
            div.body {
                (timeline::timeline(&chart.days, &format!("Records of {what}, by outcome"), each))
                @if chart.passed_over > 0 {
                    p.quiet.small { (words::count(chart.passed_over, "older record")) " not counted here." }
                }
            }
        }
    }
}

/// One link for each thing that people look for most.
fn quick(asked: &Asked) -> Markup {
    let is = |name: &str, value: &str| asked.pairs.len() == 1 && asked.value(name) == value;
    html! {
        nav.chips aria-label="Quick filters" {
            ul {
                li { a href="/log" aria-current=[asked.pairs.is_empty().then_some("true")] { "Everything" } }
                @for (title, name, value) in QUICK {
                    li { a href=(link::query("/log", &[(name, value)])) aria-current=[is(name, value).then_some("true")] { (title) } }
                }
            }
        }
    }
}

/// Every look at the log is a record itself, so this form waits for its button.
fn form(asked: &Asked) -> Markup {
    let fields = ["text", "who", "subject", "since", "until"];
    html! {
        form.filter data-waits method="get" action="/log" role="search" aria-label="Filter records" {
            label.wide { "Find" input type="search" name="text" value=(asked.value("text")) placeholder="any text" spellcheck="false" autocapitalize="none"; }
            label { "Who" input type="text" name="who" value=(asked.value("who")) placeholder="name or id" spellcheck="false" autocapitalize="none"; }
            label { "Subject" input type="text" name="subject" value=(asked.value("subject")) placeholder="scope, name or digest" spellcheck="false" autocapitalize="none"; }
            label { "From" input type="date" name="since" value=(date(asked.value("since"))); }
            label { "Until" input type="date" name="until" value=(date(asked.value("until"))); }
            @for (name, value) in asked.pairs.iter().filter(|(name, _)| !fields.contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
            button type="submit" { "Show" }
        }
    }
}

/// The day of a moment, as a date field takes it.
fn date(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

fn found(viewer: &Viewer, asked: &Asked, page: &Page) -> Markup {
    html! {
        @if !asked.pairs.is_empty() {
            p.quiet {
                @for (index, (name, value)) in asked.pairs.iter().enumerate() {
                    @if index > 0 { ", " }
                    (name) " " b.path { (value) }
                }
                " · " a href="/log" { "show all" }
            }
        }
        @if page.found.is_empty() {
            section.card { div.empty {
                h2 { "No record matches" }
                @match page.next {
                    Some(next) => { p { "Not among the " (words::count(page.scanned, "record")) " looked at. There are older ones." } a.button href=(asked.before(next)) { "Look further back" } }
                    None => p { "Nothing in the log fits this filter." },
                }
            } }
        } @else {
            (rows(viewer, &page.found))
            nav.pages aria-label="Pages" {
                @if asked.before.is_some() { a.button href=(link::query("/log", &asked.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())) { "← Newest" } } @else { span {} }
                @if let Some(next) = page.next { a.button rel="next" href=(asked.before(next)) { "Older →" } } @else { span.quiet { "The log begins here." } }
            }
        }
    }
}
