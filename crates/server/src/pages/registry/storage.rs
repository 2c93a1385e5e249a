//! How much is stored, what of it is garbage or damaged, and the work that goes on with it.

use boltseal_api::storage::{Garbage, Job, Storage};
use maud::{Markup, html};

use super::{every, jobs};
use crate::{
    pages::frame::{Part, Viewer},
    parts::{bar, link, words},
};

/// What the page shows.
pub(crate) struct Shown<'a> {
    pub storage: &'a Storage,
    pub garbage: &'a Garbage,
    /// The last of all kinds, newest first.
    pub jobs: &'a [Job],
    /// Whether the viewer may have work done.
    pub may_change: bool,
}

/// The body of `/storage`.
pub(crate) fn storage(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        (head(shown))
        (super::shelves(viewer, Part::Storage))
        (jobs::card(viewer, shown.jobs, shown.may_change, true))
        div.columns.even {
            (garbage(shown))
            (damage(viewer, shown))
        }
        (largest(shown.storage))
    }
}

fn head(shown: &Shown<'_>) -> Markup {
    let storage = shown.storage;
    let saved = storage.referenced.saturating_sub(storage.bytes);
    html! {
        section.stack aria-label="Space" {
            div.title {
                h1 { "Storage" }
                p.lead {
                    b { (words::bytes(storage.bytes)) } " stored for " (words::count(storage.repositories, "repository"))
                    @if saved > 0 { ", which would be " (words::bytes(storage.referenced)) " without sharing: " (format!("{:.2}", storage.dedupe_ratio)) " to 1" }
                    ". " (words::count(storage.contents, "distinct blob")) "."
                }
            }
            (space(storage))
        }
    }
}

/// What is needed, what is garbage, and what of the disk is left.
fn space(storage: &Storage) -> Markup {
    let needed = storage.bytes.saturating_sub(storage.garbage_bytes);
    let mut parts = vec![("v-done", "needed", needed), ("v-warn", "garbage", storage.garbage_bytes)];
    if let (Some(size), Some(free)) = (storage.disk_size, storage.disk_free) {
        let others = size.saturating_sub(free).saturating_sub(storage.bytes);
        parts.push(("v-pending", "other files", others));
        parts.push(("v-free", "free", free));
    }
    let shares: Vec<bar::Share> =
        parts.into_iter().map(|(class, word, count)| bar::Share { class, word, count }).collect();
    let said: Vec<String> =
        shares.iter().map(|share| format!("{} {}", words::bytes(share.count), share.word)).collect();
    let said = said.join(", ");
    html! {
        (bar::said(&shares, true, &said))
        ul.legend {
            @for share in shares.iter().filter(|share| share.count > 0 || share.word == "garbage") {
                li { span class={ "severity " (share.class) } { b { (words::bytes(share.count)) } " " (share.word) } }
            }
        }
    }
}

fn garbage(shown: &Shown<'_>) -> Markup {
    let garbage = shown.garbage;
    let settings = &garbage.settings;
    html! {
        section.card aria-labelledby="garbage" {
            header { h2 id="garbage" { "Garbage" } span.quiet.small { (words::bytes(garbage.bytes)) } }
            div.body {
                p {
                    @if garbage.contents == 0 { "Everything stored is needed." }
                    @else { (words::count(garbage.contents, "blob")) " that no image needs, " b { (words::bytes(garbage.bytes)) } "." }
                    " "
                    span.quiet {
                        "What was pushed in the last " (every(settings.grace)) " stays. "
                        @if settings.every == 0 { "Collected only when told to." } @else { "Collected every " (every(settings.every)) " on its own; pushes and pulls go on." }
                    }
                }
                @if !garbage.largest.is_empty() {
                    details {
                        summary { "The largest of it" }
                        ul.plain.small { @for content in &garbage.largest { li.row.spread { code.digest { (content.digest) } span.nowrap { (words::bytes(content.bytes)) } } } }
                    }
                }
                @if !garbage.repositories.is_empty() {
                    details {
                        summary { "Where it comes from" }
                        ul.plain.small { @for one in &garbage.repositories { li.row.spread { a href=(link::repository(&one.name)) { (one.name) } span.nowrap { (words::bytes(one.bytes)) } } } }
                    }
                }
                @if shown.may_change { (collecting()) }
            }
        }
    }
}

fn collecting() -> Markup {
    html! {
        form.stack method="post" action="/storage/collect" {
            label.check { input type="checkbox" name="deep" value="yes"; "Also look for files that the database does not know" }
            div.row {
                button.primary type="submit" { "Collect now" }
                button type="submit" name="dry-run" value="yes" { "Only show what would be deleted" }
            }
        }
    }
}

fn damage(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let (storage, settings) = (shown.storage, &shown.garbage.settings);
    html! {
        section.card aria-labelledby="damage" {
            header { h2 id="damage" { "Damage" } span.quiet.small { @if storage.rotten_count == 0 { "none known" } @else { (words::count(storage.rotten_count, "blob")) } } }
            div.body {
                @if storage.rotten_count == 0 { p { "Everything that was read again matches its digest." } }
                @else {
                    p { b { "These are not served any more." } " The next push or fetch of the same bytes repairs them." }
                    ul.stack.plain {
                        @for one in &storage.rotten {
                            li {
                                code.digest { (one.digest) }
                                p.quiet.small { (one.why) ", found " (words::ago(one.found, viewer.now)) @for name in &one.repositories { ", in " a href=(link::repository(name)) { (name) } } }
                            }
                        }
                    }
                }
                p.quiet { @if settings.scrub_days == 0 { "Read again only when told to." } @else { "Everything is read again within " (words::count(u64::from(settings.scrub_days), "day")) ", at most " (words::bytes(settings.scrub_rate)) " a second." } }
                @if shown.may_change {
                    form.stack method="post" action="/storage/scrub" {
                        label.check { input type="checkbox" name="everything" value="yes"; "Also what was read recently" }
                        button type="submit" { "Read again now" }
                    }
                }
            }
        }
    }
}

fn largest(storage: &Storage) -> Markup {
    let most = storage.largest.iter().map(|one| one.bytes).max().unwrap_or(0).max(1);
    html! {
        section.card aria-labelledby="largest" {
            header { h2 id="largest" { "Largest repositories" } span.quiet.small { "shared bytes count in each" } }
            @if storage.largest.is_empty() { p.none { "Nothing is stored yet." } }
            @else {
                table.cards {
                    caption.unseen { "Largest repositories" }
                    thead { tr { th scope="col" { "Repository" } th scope="col" { "Size" } th scope="col" { span.unseen { "Share" } } th scope="col" { "Blobs and manifests" } } }
                    tbody {
                        @for one in &storage.largest {
                            tr {
                                th scope="row" { a.name href=(link::repository(&one.name)) { (one.name) } }
                                td.nowrap data-label="Size" { (words::bytes(one.bytes)) }
                                td.bars { progress max=(most) value=(one.bytes) aria-hidden="true" {} }
                                td data-label="Blobs" { (words::thousands(one.contents)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
