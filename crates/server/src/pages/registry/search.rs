//! What was found, by kind.

use boltseal_api::search::Found;
use maud::{Markup, html};

use crate::{
    pages::frame::{Part, Viewer},
    parts::link,
    search::{KINDS, LENGTHS},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// What the address asks for, checked.
pub(crate) struct Asked {
    pub q: String,
    pub kind: String,
}

/// The body of `/search`.
pub(crate) fn search(viewer: &Viewer, asked: &Asked, found: &Found) -> Markup {
    html! {
        div.title { h1 { "Search" } }
        (super::shelves(viewer, Part::Search))
        (form(asked))
        div.stack.wide id="results" aria-live="polite" {
            @if LENGTHS.contains(&asked.q.chars().count()) { (results(asked, found)) } @else { (hints()) }
        }
    }
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/search" role="search" aria-label="Search" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="name, tag, label, digest, package or CVE" autofocus[asked.q.is_empty()] spellcheck="false" autocapitalize="none"; }
            label {
                "Among"
                select name="kind" {
                    option value="" { "everything" }
                    @for kind in KINDS { option value=(kind) selected[asked.kind == kind] { (kind) } }
                }
            }
            button.unneeded type="submit" { "Search" }
        }
    }
}

fn hints() -> Markup {
    html! {
        section.card { div.body {
            p { "At least two characters. Repositories, tags and labels are found by any part of them; digests, packages and vulnerabilities by how they begin." }
            dl.facts {
                dt { code { "team=blue" } } dd { "images with the label " code { "team" } " that has “blue” in its value" }
                dt { code { "log4j-core@2.14.1" } } dd { "images with this version of a package" }
                dt { code { "CVE-2024-3094" } } dd { "images with this vulnerability" }
                dt { code { "4f2a9c" } } dd { "what has a digest that begins so" }
            }
        } }
    }
}

/// One thing that was found: where it leads, what it is called, what is said besides.
struct Hit {
    address: String,
    name: String,
    besides: Markup,
}

fn results(asked: &Asked, found: &Found) -> Markup {
    let kinds = hits(found);
    html! {
        @if kinds.iter().all(|(_, hits)| hits.is_empty()) {
            section.card { div.empty {
                h2 { "Nothing found" }
                p { "Nothing that you may see has “" (asked.q) "” in its name." }
            } }
        }
        @for (kind, hits) in kinds.iter().filter(|(_, hits)| !hits.is_empty()) {
            @let more = found.more.iter().any(|name| name == kind);
            section.card aria-labelledby=(kind) {
                header { h2.kind id=(kind) { (kind) } span.quiet.small { @if more { "the first " } (hits.len()) } }
                ul.lines { @for hit in hits { li { a.name href=(hit.address) { (hit.name) } div.quiet.small { (hit.besides) } } } }
                @if more { footer.quiet { "There is more: write more of it" @if asked.kind.is_empty() { ", or " a href=(link::query("/search", &[("q", &asked.q), ("kind", kind)])) { "look only among " (kind) } } "." } }
            }
        }
    }
}

fn hits(found: &Found) -> [(&'static str, Vec<Hit>); 6] {
    let [repositories, tags, digests, labels, packages, vulnerabilities] = KINDS;
    let place = |repository: &str, digest: &str| html! { (repository) " " span.mono { (short(digest)) } };
    let image = |digest: &str| format!("/images/{digest}");
    let hit = |address: String, name: String, besides: Markup| Hit { address, name, besides };
    [
        (
            repositories,
            found
                .repositories
                .iter()
                .map(|name| hit(link::repository(name), name.clone(), html! {}))
                .collect(),
        ),
        (
            tags,
            found
                .tags
                .iter()
                .map(|one| {
                    let name = format!("{}:{}", one.repository, one.tag);
                    hit(image(&one.digest), name, html! { span.mono { (short(&one.digest)) } })
                })
                .collect(),
        ),
        (
            digests,
            found
                .digests
                .iter()
                .map(|one| hit(image(&one.digest), one.digest.clone(), html! { (one.repository) }))
                .collect(),
        ),
        (
            labels,
            found
                .labels
                .iter()
                .map(|one| {
                    let name = format!("{}={}", one.name, one.value);
                    hit(image(&one.digest), name, place(&one.repository, &one.digest))
                })
                .collect(),
        ),
        (
            packages,
            found
                .packages
                .iter()
                .map(|one| {
                    let name = format!("{} {}", one.name, one.version);
                    hit(image(&one.digest), name, place(&one.repository, &one.digest))
                })
                .collect(),
        ),
        (
            vulnerabilities,
            found
                .vulnerabilities
                .iter()
                .map(|one| {
                    let besides = html! { "in " (one.package) ", " (place(&one.repository, &one.digest)) };
                    hit(link::vulnerability(&one.id), one.id.clone(), besides)
                })
                .collect(),
        ),
    ]
}

fn short(digest: &str) -> String {
    digest.chars().take(SHORT).collect()
}
