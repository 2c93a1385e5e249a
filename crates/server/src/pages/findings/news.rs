//! Findings that came to images after their push, or grew worse: which, where, since when and why.

use boltseal_api::findings::{Change, Changes, Place};
use boltseal_model::Severity;
use maud::{Markup, html};

use crate::{
    pages::frame::{Part, Viewer},
    parts::{badge, link, words},
};

/// What can be chosen of "noticed within", in days.
pub(crate) const DAYS: [u64; 4] = [1, 7, 30, 90];
/// Places of an image that are named.
const PLACES: usize = 3;

/// The filter as the address says it, checked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub days: u64,
    pub severity: Option<Severity>,
    pub repository: String,
    /// Whether this is not the first part of the list.
    pub further: bool,
}

/// The body of `/findings/new`.
pub(crate) fn news(viewer: &Viewer, asked: &Asked, found: &Changes) -> Markup {
    html! {
        div.title {
            h1 { "Newly vulnerable" }
            p.lead { "What new vulnerability data found in images that were stored already. What an image had when it was pushed is not news, and what has gone is not listed." }
        }
        (super::tabs(viewer, Part::News))
        (form(asked))
        div.stack id="results" aria-live="polite" {
            @if found.rows.is_empty() { (none(asked)) }
            @else { section.card { (table(viewer, &found.rows)) } }
            (more(asked, found))
        }
    }
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/findings/new" role="search" aria-label="Filter what is newly vulnerable" {
            label.wide { "Repository" input type="search" name="repository" value=(asked.repository) placeholder="team/*" spellcheck="false" autocapitalize="none"; }
            label {
                "Noticed within"
                select name="days" { @for days in DAYS { option value=(days) selected[asked.days == days] { (words::count(days, "day")) } } }
            }
            label {
                "At least"
                select name="severity" {
                    option value="" { "any severity" }
                    @for severity in Severity::WORST_FIRST.into_iter().filter(|severity| *severity != Severity::Unknown) {
                        option value=(severity.word()) selected[asked.severity == Some(severity)] { (severity.word()) }
                    }
                }
            }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, rows: &[Change]) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Findings that are new to images, the last noticed first" }
            thead {
                tr {
                    th scope="col" { "Finding" }
                    th scope="col" { "Severity" }
                    th scope="col" { "Image" }
                    th scope="col" { "Fix" }
                    th scope="col" { "Why" }
                    th scope="col" { "Since" }
                }
            }
            tbody { @for row in rows { (item(viewer, row)) } }
        }
    }
}

fn item(viewer: &Viewer, row: &Change) -> Markup {
    let severity = row.now.severity.parse::<Severity>().unwrap_or_default();
    html! {
        tr {
            th scope="row" {
                a.name href=(link::vulnerability(&row.vulnerability)) { (row.vulnerability) }
                @if row.now.exploited { " " span.tag.hot { "known exploited" } }
                div.quiet.small { (row.package) " " (words::version(&row.installed)) }
            }
            td data-label="Severity" { div { (badge::severity(severity)) (before(row)) } }
            td data-label="Image" { div { (places(viewer, row)) } }
            td data-label="Fix" { @if let Some(fixed) = &row.now.fixed { (words::version(fixed)) } @else { span.quiet { "none yet" } } }
            td data-label="Why" { div { (why(row)) @if row.since != Some(row.noticed) { div.quiet.small { (words::ago(row.noticed, viewer.now)) } } } }
            td.nowrap data-label="Since" { @if let Some(since) = row.since { (words::ago(since, viewer.now)) } @else { span.quiet { "not kept" } } }
        }
    }
}

/// What of the severity is new.
fn before(row: &Change) -> Markup {
    let known = row.before.as_ref().filter(|before| before.severity != row.now.severity);
    html! { @if let Some(before) = known { div.quiet.small { "was " (before.severity) } } }
}

fn places(viewer: &Viewer, row: &Change) -> Markup {
    let digest = format!("/images/{}", row.digest);
    html! {
        @for place in row.places.iter().take(PLACES) {
            div {
                a.name href=(digest) { (name(place)) }
                @if let Some(pulled) = place.pulled { span.quiet.small { " pulled " (words::ago(pulled, viewer.now)) @if let Some(by) = &place.pulled_by { " by " (by) } } }
            }
        }
        @if row.places.len() > PLACES { div.quiet.small { "and in " (words::count((row.places.len() - PLACES) as u64, "repository")) " more" } }
    }
}

fn name(place: &Place) -> String {
    match place.tags.as_slice() {
        [] => format!("{} (no tag)", place.repository),
        [tag] => format!("{}:{tag}", place.repository),
        [tag, rest @ ..] => format!("{}:{tag} +{}", place.repository, rest.len()),
    }
}

fn why(row: &Change) -> &'static str {
    match row.cause.as_str() {
        "feed" => "new data",
        "scanner" => "the scanner sees more",
        "returned" => "it is back",
        "exploited" => "known to be exploited now",
        "worse" => "more severe now",
        "likely" => "more likely exploited now",
        "fixable" => "has a fix now",
        _ => "",
    }
}

fn none(asked: &Asked) -> Markup {
    html! {
        section.card { div.empty {
            @if asked.further { h2 { "That was all" } p { "Nothing older fits." } }
            @else {
                h2 { "Nothing is newly vulnerable" }
                p { "In the last " (words::count(asked.days, "day")) " no new finding that fits was noticed in images that you may see. That is worth as much as the " a href="/feeds" { "feeds" } " are fresh." }
            }
        } }
    }
}

fn more(asked: &Asked, found: &Changes) -> Markup {
    let days = asked.days.to_string();
    html! {
        @if let Some(next) = found.next.map(|next| next.to_string()) {
            @let severity = asked.severity.map_or("", Severity::word);
            @let pairs = [("days", days.as_str()), ("severity", severity), ("repository", &asked.repository), ("after", &next)];
            nav.pages aria-label="Pages" { span {} a.button rel="next" href=(link::query("/findings/new", &pairs)) { "Older →" } }
        }
    }
}
