//! One repository: its tags and what they point to, who pulls it, what is locked.

use std::collections::BTreeMap;

use boltseal_model::Digest;
use boltseal_store::{ImageRow, Kind, Lock, Locked, PullSum, RepositoryRow};
use maud::{Markup, html};

use super::repositories;
use crate::{
    Site,
    pages::{frame::Viewer, images},
    parts::{
        badge::{self, Standing},
        bar, command, link,
        list::Listed,
        lock,
        timeline::{self, Day},
        words,
    },
};

/// What the page shows.
pub(crate) struct Shown<'a> {
    pub row: &'a RepositoryRow,
    /// This page of its images and indexes.
    pub images: &'a [ImageRow],
    /// All that fit the filter.
    pub total: u64,
    /// What each index of the page points to.
    pub children: BTreeMap<Digest, Vec<ImageRow>>,
    /// Of the page.
    pub pulls: Vec<PullSum>,
    pub locks: &'a [Lock],
    pub days: Vec<Day>,
}

/// What the address asks for, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub q: String,
    pub sort: String,
    pub page: u64,
}

/// The body of `/repositories/{name}`.
pub(crate) fn repository(viewer: &Viewer, site: &Site, asked: &Asked, shown: &Shown<'_>) -> Markup {
    let path = link::repository(&shown.row.name);
    let filter = [("q", asked.q.as_str())];
    let listed =
        Listed { path: &path, filter: &filter, sort: &asked.sort, page: asked.page, total: shown.total };
    html! {
        (head(viewer, shown))
        @if let Some(lock) = shown.locks.iter().find(|lock| lock.target == Locked::Repository) {
            div.notice.v-warn { p { b { "Locked. " } "Of everything in this repository: " (lock::sentence(lock, viewer.now)) } }
        }
        (filter_form(&path, asked))
        div.stack id="results" aria-live="polite" {
            @if shown.images.is_empty() {
                section.card { div.empty {
                    h2 { @if asked.q.is_empty() { "No images" } @else { "No image matches" } }
                    p { @if asked.q.is_empty() { "Everything that was here is deleted." } @else { "No tag and no digest of this repository fits." } }
                } }
            } @else {
                section.card { (table(viewer, shown, &listed)) }
                (listed.pages())
            }
        }
        (pulls(shown))
        (push(site, shown.row))
    }
}

fn head(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let row = shown.row;
    let shares = bar::of_verdicts(&row.verdicts);
    html! {
        section.stack aria-label="Verdicts" {
            div.title {
                p.crumb { a href="/repositories" { "Repositories" } }
                div.row { h1 { (row.name) } (badge::large(repositories::standing(row))) }
                p.lead {
                    (words::count(row.tags, "tag")) ", " (words::count(row.images, "image")) ", " (words::bytes(row.bytes))
                    @if let Some(pushed) = row.pushed { " · pushed " (words::ago(pushed, viewer.now)) }
                    @if let Some(pulled) = row.pulled { " · pulled " (words::count(row.pulls, "time")) ", last " (words::ago(pulled, viewer.now)) }
                    @else { " · never pulled" }
                }
            }
            @if shares.iter().any(|share| share.count > 0) {
                (bar::bar(&shares, true))
                ul.legend {
                    @for share in shares.iter().filter(|share| share.count > 0) {
                        li { a class={ "severity " (share.class) } href=(link::query("/images", &[("repository", &row.name), ("verdict", share.word)])) { b { (words::thousands(share.count)) } " " (share.word) } }
                    }
                }
            }
        }
    }
}

fn filter_form(path: &str, asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action=(path) role="search" aria-label="Filter tags" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="tag or digest" spellcheck="false" autocapitalize="none"; }
            label {
                "Sort by"
                select name="sort" {
                    @for (key, name) in images::SORTS.iter().filter(|(key, _)| *key != "name") { option value=(key) selected[asked.sort == *key] { (name) } }
                }
            }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, shown: &Shown<'_>, listed: &Listed<'_>) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Tags of this repository" }
            thead {
                tr {
                    th scope="col" { "Tags" }
                    (listed.column("verdict", "Verdict", false))
                    (listed.column("severity", "Findings", false))
                    th scope="col" { "Platform" }
                    (listed.column("size", "Size", false))
                    (listed.column("pushed", "Pushed", false))
                    th scope="col" { "Pulls" }
                }
            }
            tbody { @for image in shown.images { (item(viewer, shown, image)) } }
        }
    }
}

fn item(viewer: &Viewer, shown: &Shown<'_>, image: &ImageRow) -> Markup {
    let children = shown.children.get(&image.digest).map(Vec::as_slice).unwrap_or_default();
    let pulls = shown.pulls.iter().find(|sum| sum.digest == image.digest);
    html! {
        tr {
            th scope="row" {
                a.name href=(link::image(&image.digest)) { (names(image)) }
                (lock::mark(locks(shown.locks, image), viewer.now))
                div.quiet.small.mono { (image.digest.short()) }
                @if image.kind == Kind::Index { (folded(children)) }
            }
            td data-label="Verdict" { (badge::standing(Standing::of(image))) }
            td.bars data-label="Findings" { (images::findings(image)) }
            td data-label="Platform" { (images::platforms(&image.platforms)) }
            td.nowrap data-label="Size" { (words::bytes(size(image, children))) }
            td.nowrap data-label="Pushed" { (words::ago(image.pushed_at, viewer.now)) }
            td.nowrap data-label="Pulls" {
                @match pulls {
                    Some(sum) => div { (words::thousands(sum.number)) div.quiet.small { "last " (words::ago(sum.last, viewer.now)) } },
                    None => span.quiet { "never" },
                }
            }
        }
    }
}

fn names(image: &ImageRow) -> String {
    if image.tags.is_empty() { "untagged".to_owned() } else { image.tags.join(", ") }
}

/// An index takes what its images take.
fn size(image: &ImageRow, children: &[ImageRow]) -> u64 {
    match image.kind {
        Kind::Index => children.iter().map(|child| child.size).fold(image.size, u64::saturating_add),
        Kind::Image | Kind::Artifact => image.size,
    }
}

/// The locks on an image and on its tags.
fn locks<'a>(locks: &'a [Lock], image: &'a ImageRow) -> impl Iterator<Item = &'a Lock> {
    locks.iter().filter(|lock| match &lock.target {
        Locked::Repository => false,
        Locked::Tag(tag) => image.tags.contains(tag),
        Locked::Manifest(digest) => *digest == image.digest,
    })
}

fn folded(children: &[ImageRow]) -> Markup {
    let (images, others): (Vec<_>, Vec<_>) = children.iter().partition(|child| child.kind == Kind::Image);
    html! {
        details.folded {
            summary { (words::count(images.len() as u64, "platform")) @if !others.is_empty() { " and " (words::count(others.len() as u64, "attachment")) } }
            ul.plain.small {
                @for child in &images { li.row { a href=(link::image(&child.digest)) { (images::platforms(&child.platforms)) } (badge::standing(Standing::of(child))) span.quiet.nowrap { (words::bytes(child.size)) } } }
                @for child in &others { li { a.mono href=(link::image(&child.digest)) { (child.digest.short()) } " " span.quiet { (words::bytes(child.size)) } } }
            }
        }
    }
}

fn pulls(shown: &Shown<'_>) -> Markup {
    html! {
        section.card aria-labelledby="pulls" {
            header { h2 id="pulls" { "Pulls" } span.quiet.small { "last " (shown.days.len()) " days" } }
            @if shown.days.iter().any(|day| !day.shares.is_empty()) { div.body { (timeline::timeline(&shown.days, "Pulls each day", "a day")) } }
            @else { p.none { "Nobody pulled anything of this repository." } }
        }
    }
}

fn push(site: &Site, row: &RepositoryRow) -> Markup {
    html! {
        section.card aria-labelledby="push" {
            header { h2 id="push" { "Push to it" } }
            div.body { (command::shell(&format!("docker push {}/{}:TAG", site.registry, row.name))) }
        }
    }
}
