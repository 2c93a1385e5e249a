//! Where advisories come from, and how old they are.

use boltseal_model::{FeedInfo, SnapshotInfo, Timestamp};
use maud::{Markup, html};

use super::frame::Viewer;
use crate::parts::{command, words};

/// A feed older than this is called stale. Debian, Alpine and OSV publish several times a day; a week without news
/// means that updating has stopped.
pub(crate) const STALE_SECONDS: i64 = 7 * 86_400;

/// Whether `feed` is older than it should be.
pub(crate) fn stale(feed: &FeedInfo, now: Timestamp) -> bool {
    let newest = feed.published.unwrap_or(feed.fetched);
    now.as_second() - newest.as_second() > STALE_SECONDS
}

/// The body of `/feeds`.
pub(crate) fn feeds(viewer: &Viewer, snapshot: Option<&SnapshotInfo>) -> Markup {
    let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.feeds.is_empty()) else { return none() };
    let old = snapshot.feeds.iter().filter(|feed| stale(feed, viewer.now)).count() as u64;
    let records = snapshot.feeds.iter().map(|feed| feed.records).sum();
    html! {
        div.title {
            h1 { "Feeds" }
            p.lead {
                (words::count(records, "record")) " from " (words::count(snapshot.feeds.len() as u64, "feed")) ", "
                @if old == 0 { "all fresh" } @else { (old) " of them stale" }
                ". Built into snapshot " code { (snapshot.id) } " " (words::ago(snapshot.built, viewer.now)) "."
            }
        }
        @if old > 0 {
            div.notice.v-warn {
                p { "A stale feed does not know of new vulnerabilities, so a verdict made from it is less than it seems." }
                (command::shell("boltseal feeds update"))
            }
        }
        section.card { (table(viewer, &snapshot.feeds)) }
    }
}

fn table(viewer: &Viewer, feeds: &[FeedInfo]) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Feeds, their age and what they cover" }
            thead {
                tr {
                    th scope="col" { "Feed" }
                    th scope="col" { "State" }
                    th scope="col" { "Published" }
                    th scope="col" { "Fetched" }
                    th.number scope="col" { "Records" }
                    th scope="col" { "Covers" }
                    th scope="col" { "Source" }
                }
            }
            tbody { @for feed in feeds { (row(viewer, feed)) } }
        }
    }
}

fn row(viewer: &Viewer, feed: &FeedInfo) -> Markup {
    html! {
        tr {
            th scope="row" { span.name { (feed.id) } }
            td data-label="State" { (state(feed, viewer.now)) }
            td.nowrap data-label="Published" {
                @if let Some(published) = feed.published { (words::ago(published, viewer.now)) }
                @else { span.quiet { "not said" } }
            }
            td.nowrap data-label="Fetched" { (words::ago(feed.fetched, viewer.now)) }
            td.number data-label="Records" { (words::thousands(feed.records)) }
            td data-label="Covers" { (covers(&feed.spaces)) }
            td data-label="Source" { span.quiet.small.path { (feed.source) } }
        }
    }
}

/// Fresh or stale.
pub(crate) fn state(feed: &FeedInfo, now: Timestamp) -> Markup {
    html! {
        @if stale(feed, now) { span.badge.is-warn { (crate::parts::badge::glyph("warn")) "stale" } }
        @else { span.badge.is-allow { (crate::parts::badge::glyph("allow")) "fresh" } }
    }
}

fn covers(spaces: &[String]) -> Markup {
    const SHOWN: usize = 4;
    html! {
        @if spaces.is_empty() { span.quiet { "adds to other feeds" } }
        @for (index, space) in spaces.iter().take(SHOWN).enumerate() { @if index > 0 { ", " } code { (space) } }
        @if spaces.len() > SHOWN {
            details {
                summary { (spaces.len() - SHOWN) " more" }
                @for (index, space) in spaces.iter().skip(SHOWN).enumerate() { @if index > 0 { ", " } code { (space) } }
            }
        }
    }
}

fn none() -> Markup {
    html! {
        div.title { h1 { "Feeds" } }
        section.card {
            div.empty {
                h2 { "No advisories yet" }
                p { "Without them nothing can be said about any image, so every verdict is " b { "unknown" } ". Fetch the public feeds:" }
                (command::shell("boltseal feeds update"))
                p { "or, on a machine without internet, bring them as files:" }
                (command::shell("boltseal feeds import FILE-OR-FOLDER…"))
            }
        }
    }
}
