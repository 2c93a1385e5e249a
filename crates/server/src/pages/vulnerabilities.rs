//! Every vulnerability that hits something stored.

use boltseal_model::Severity;
use boltseal_store::VulnerabilityRow;
use maud::{Markup, html};

use super::frame::{Part, Viewer};
use crate::parts::{badge, link, list::Listed, words};

/// Ways to sort, with their names.
pub(crate) const SORTS: [(&str, &str); 4] =
    [("risk", "risk"), ("images", "images hit"), ("epss", "likely exploitation"), ("id", "id")];

/// The filter as the address says it, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub q: String,
    pub severity: Option<Severity>,
    pub fixable: bool,
    pub kev: bool,
    pub sort: String,
    pub page: u64,
}

impl Asked {
    fn any(&self) -> bool {
        !self.q.is_empty() || self.severity.is_some() || self.fixable || self.kev
    }
}

/// The body of `/vulnerabilities`.
pub(crate) fn vulnerabilities(
    viewer: &Viewer,
    asked: &Asked,
    rows: &[VulnerabilityRow],
    total: u64,
) -> Markup {
    let filter = [
        ("q", asked.q.as_str()),
        ("severity", asked.severity.map_or("", Severity::word)),
        ("fixable", if asked.fixable { "yes" } else { "" }),
        ("kev", if asked.kev { "yes" } else { "" }),
    ];
    let listed =
        Listed { path: "/vulnerabilities", filter: &filter, sort: &asked.sort, page: asked.page, total };
    html! {
        div.title { h1 { "Vulnerabilities" } }
        (super::findings::tabs(viewer, Part::Vulnerabilities))
        @if total > 0 || asked.any() { (form(asked)) }
        div.stack id="results" aria-live="polite" {
            @if total > 0 {
                p.quiet { (words::count(total, "vulnerability")) " in what is stored" @if asked.any() { " · " a href="/vulnerabilities" { "show all" } } }
                section.card { (table(rows, &listed)) }
                (listed.pages())
            } @else if asked.any() {
                section.card { div.empty { h2 { "No vulnerability matches" } p { "Nothing stored is hit by one that fits this filter." } a.button href="/vulnerabilities" { "Show all" } } }
            } @else {
                section.card { div.empty { h2 { "None found" } p { "No advisory hits an image stored here. That is worth as much as the " a href="/feeds" { "feeds" } " are fresh." } } }
            }
        }
    }
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/vulnerabilities" role="search" aria-label="Filter vulnerabilities" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="id, package or title" spellcheck="false" autocapitalize="none"; }
            label {
                "At least"
                select name="severity" {
                    option value="" { "any severity" }
                    @for severity in Severity::WORST_FIRST.into_iter().filter(|severity| *severity != Severity::Unknown) {
                        option value=(severity.word()) selected[asked.severity == Some(severity)] { (severity.word()) }
                    }
                }
            }
            label {
                "Sort by"
                select name="sort" { @for (key, name) in SORTS { option value=(key) selected[asked.sort == key] { (name) } } }
            }
            label.check { input type="checkbox" name="fixable" value="yes" checked[asked.fixable]; "with a fix" }
            label.check { input type="checkbox" name="kev" value="yes" checked[asked.kev]; "known exploited" }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(rows: &[VulnerabilityRow], listed: &Listed<'_>) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Vulnerabilities and how many images they hit" }
            thead {
                tr {
                    (listed.column("id", "Vulnerability", true))
                    (listed.column("risk", "Severity", false))
                    th scope="col" { "Packages" }
                    (listed.column("epss", "EPSS", false))
                    (listed.column("images", "Images", false))
                    th scope="col" { "Fix" }
                }
            }
            tbody { @for row in rows { (item(row)) } }
        }
    }
}

fn item(row: &VulnerabilityRow) -> Markup {
    const SHOWN: usize = 3;
    html! {
        tr {
            th scope="row" {
                a.name href=(link::vulnerability(&row.id)) { (row.id) }
                @if row.kev { " " span.tag.hot { "known exploited" } }
                @if !row.title.is_empty() { div.quiet.small.clip { (row.title) } }
            }
            td data-label="Severity" { (badge::severity(row.severity)) }
            td data-label="Packages" {
                @for (index, package) in row.packages.iter().take(SHOWN).enumerate() { @if index > 0 { ", " } (package) }
                @if row.packages.len() > SHOWN { span.quiet { " and " (row.packages.len() - SHOWN) " more" } }
            }
            td.nowrap data-label="EPSS" { @if let Some(epss) = row.epss { (words::percent(epss)) } @else { span.quiet { "–" } } }
            td data-label="Images" { (words::thousands(row.images)) }
            td data-label="Fix" { @if row.fixable { "yes" } @else { span.quiet { "not yet" } } }
        }
    }
}
