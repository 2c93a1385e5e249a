//! The table of repositories.

use boltseal_store::{RepositoryRow, RepositorySort};
use maud::{Markup, html};

use crate::{
    Site,
    pages::frame::{Part, Viewer},
    parts::{
        badge::{self, Standing},
        bar, command, link,
        list::Listed,
        words,
    },
};

/// Ways to sort, with their names; the first is the usual one.
pub(crate) const SORTS: [(&str, &str, RepositorySort); 6] = [
    ("pushed", "newest push", RepositorySort::Pushed),
    ("name", "name", RepositorySort::Name),
    ("verdict", "verdict", RepositorySort::Verdict),
    ("size", "size", RepositorySort::Size),
    ("pulls", "pulls", RepositorySort::Pulls),
    ("tags", "tags", RepositorySort::Tags),
];

/// The filter as the address says it, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub q: String,
    pub sort: String,
    pub page: u64,
}

impl Asked {
    /// The order that the address names.
    pub(crate) fn sort(&self) -> RepositorySort {
        SORTS.iter().find(|(word, ..)| *word == self.sort).map_or(RepositorySort::Pushed, |(.., sort)| *sort)
    }
}

/// The body of `/repositories`.
pub(crate) fn repositories(
    viewer: &Viewer,
    site: &Site,
    asked: &Asked,
    rows: &[RepositoryRow],
    total: u64,
) -> Markup {
    let filter = [("q", asked.q.as_str())];
    let listed =
        Listed { path: "/repositories", filter: &filter, sort: &asked.sort, page: asked.page, total };
    html! {
        div.title { h1 { "Repositories" } }
        (super::shelves(viewer, Part::Registry))
        @if total > 0 || !asked.q.is_empty() { (form(asked)) }
        div.stack id="results" aria-live="polite" {
            @if total > 0 {
                p.quiet { (words::count(total, "repository")) @if !asked.q.is_empty() { " with “" (asked.q) "” in the name · " a href="/repositories" { "show all" } } }
                section.card { (table(viewer, rows, &listed)) }
                (listed.pages())
            } @else if asked.q.is_empty() { (none(site)) }
            @else {
                section.card { div.empty {
                    h2 { "No repository matches" }
                    p { "No name has “" (asked.q) "” in it." }
                    a.button href="/repositories" { "Show all repositories" }
                } }
            }
        }
    }
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/repositories" role="search" aria-label="Filter repositories" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="part of a name" spellcheck="false" autocapitalize="none"; }
            label {
                "Sort by"
                select name="sort" {
                    @for (key, name, _) in SORTS { option value=(key) selected[asked.sort == key] { (name) } }
                }
            }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, rows: &[RepositoryRow], listed: &Listed<'_>) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Repositories and what they hold" }
            thead {
                tr {
                    (listed.column("name", "Repository", true))
                    (listed.column("verdict", "Worst verdict", false))
                    th scope="col" { "Images" }
                    (listed.column("tags", "Tags", false))
                    (listed.column("size", "Size", false))
                    (listed.column("pushed", "Pushed", false))
                    (listed.column("pulls", "Pulls", false))
                }
            }
            tbody { @for row in rows { (item(viewer, row)) } }
        }
    }
}

fn item(viewer: &Viewer, row: &RepositoryRow) -> Markup {
    let shares = bar::of_verdicts(&row.verdicts);
    let kinds = shares.iter().filter(|share| share.count > 0).count();
    html! {
        tr {
            th scope="row" { a.name href=(link::repository(&row.name)) { (row.name) } }
            td data-label="Worst verdict" { (worst(row)) }
            td.bars data-label="Images" {
                @if row.images == 0 { span.quiet { "none" } }
                @else if kinds < 2 { (words::thousands(row.images)) }
                @else { div { (bar::bar(&shares, false)) span.quiet.small { (bar::in_words(&shares)) } } }
            }
            td data-label="Tags" { (words::thousands(row.tags)) }
            td.nowrap data-label="Size" { (words::bytes(row.bytes)) }
            td.nowrap data-label="Pushed" { @if let Some(pushed) = row.pushed { (words::ago(pushed, viewer.now)) } @else { span.quiet { "nothing left" } } }
            td.nowrap data-label="Pulls" {
                @match row.pulled {
                    Some(pulled) => div { (words::thousands(row.pulls)) div.quiet.small { "last " (words::ago(pulled, viewer.now)) } },
                    None => span.quiet { "never" },
                }
            }
        }
    }
}

/// The badge of the worst image of a repository.
pub(super) fn worst(row: &RepositoryRow) -> Markup {
    badge::standing(standing(row))
}

/// What the worst image of a repository is.
pub(super) fn standing(row: &RepositoryRow) -> Standing {
    match row.verdicts.worst() {
        Some((_, Some(decision))) => Standing::Decided(decision),
        Some((_, None)) => Standing::Pending,
        None => Standing::NotJudged,
    }
}

fn none(site: &Site) -> Markup {
    let host = &site.registry;
    html! {
        section.card {
            div.empty {
                h2 { "Nothing stored yet" }
                p { "A repository is made by the first push to its name:" }
                (command::shell(&format!("docker tag debian:12 {host}/debian:12")))
                (command::shell(&format!("docker push {host}/debian:12")))
            }
        }
    }
}
