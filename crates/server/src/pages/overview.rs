//! The front page: how it stands, what to do first, what happened lately.

use boltseal_model::SnapshotInfo;
use boltseal_store::{ChangeSums, ImageRow, Severities, Totals};
use maud::{Markup, html};

use super::{feeds, frame::Viewer, images};
use crate::{
    Site,
    attention::Attention,
    parts::{badge, bar, command, link, timeline, words},
    remedies::Remedy,
};

/// Everything the front page shows.
pub(crate) struct Overview<'a> {
    pub site: &'a Site,
    pub totals: Totals,
    /// Vulnerabilities of all images by severity.
    pub severities: Severities,
    /// What became newly vulnerable lately.
    pub news: News,
    /// Upgrades that help most.
    pub remedies: Vec<Remedy>,
    pub attention: Vec<Attention>,
    pub snapshot: Option<&'a SnapshotInfo>,
    pub days: Vec<timeline::Day>,
    pub recent: Vec<ImageRow>,
    pub policy: &'a str,
}

/// What became newly vulnerable in the last day and the last week.
pub(crate) struct News {
    pub day: ChangeSums,
    pub week: ChangeSums,
}

/// The body of `/`.
pub(crate) fn overview(viewer: &Viewer, shown: &Overview<'_>) -> Markup {
    if shown.totals.images == 0 {
        return start(shown);
    }
    html! {
        (head(shown))
        div.columns {
            div.stack.wide { (fixes(&shown.remedies)) }
            div.stack { (attention(&shown.attention)) (news(&shown.news)) (vulnerabilities(shown)) (ages(viewer, shown.snapshot)) }
        }
        (pushes(viewer, shown))
    }
}

fn head(shown: &Overview<'_>) -> Markup {
    let totals = &shown.totals;
    let good = totals.allowed + totals.warned;
    let shares = bar::verdicts(totals);
    html! {
        section.stack aria-label="Verdicts" {
            div.title {
                h1 {
                    @if good == totals.images { "All " (words::count(totals.images, "image")) " may be pulled" }
                    @else { (words::thousands(good)) " of " (words::count(totals.images, "image")) " may be pulled" }
                }
                p.lead {
                    "Judged by policy " a href="/policy" { (shown.policy) } ", in "
                    (words::count(totals.repositories, "repository"))
                    @if totals.bytes > 0 { ", " (words::bytes(totals.bytes)) " stored" }
                    "."
                }
            }
            (bar::bar(&shares, true))
            ul.legend {
                @for share in shares.iter().filter(|share| share.count > 0) {
                    li {
                        a class={ "severity " (share.class) } href=(images::with_verdict(share.word)) {
                            b { (words::thousands(share.count)) } " " (share.word)
                        }
                    }
                }
            }
        }
    }
}

fn fixes(remedies: &[Remedy]) -> Markup {
    html! {
        section.card aria-labelledby="fixes" {
            header { h2 id="fixes" { "Fix these first" } span.quiet.small { "upgrades that remove most" } }
            @if remedies.is_empty() { p.none { "No finding has a fix: nothing to upgrade." } }
            ol.firsts {
                @for remedy in remedies {
                    li {
                        p {
                            "Upgrade " (packages(&remedy.packages)) " to " (words::version(&remedy.version))
                            @if remedy.kev { " " span.tag.hot { "known exploited" } }
                        }
                        p.quiet {
                            "removes " b { (words::count(remedy.findings, "finding")) } " in "
                            a href=(link::query("/images", &[("package", remedy.packages.first().map_or("", String::as_str))])) { (words::count(remedy.images, "image")) }
                            ", the worst " (badge::severity(remedy.severity))
                        }
                        @if let Some(command) = &remedy.command { (command::shell(command)) }
                    }
                }
            }
        }
    }
}

/// One name, or two, or how many.
fn packages(names: &[String]) -> Markup {
    html! {
        @match names {
            [one] => b { (one) },
            [one, two] => { b { (one) } " and " b { (two) } },
            [one, rest @ ..] => { b { (one) } " and " (words::count(rest.len() as u64, "package")) " built with it" },
            [] => {}
        }
    }
}

fn attention(items: &[Attention]) -> Markup {
    html! {
        section.card aria-labelledby="attention" {
            header { h2 id="attention" { "Needs attention" } }
            ul.attention {
                @for item in items {
                    li {
                        span class={ "is-" (item.class) } { (badge::glyph(item.class)) }
                        span { a href=(item.address) { (item.what) } @if !item.why.is_empty() { " " span.quiet { (item.why) } } }
                    }
                }
                @if items.is_empty() {
                    li { span.is-allow { (badge::glyph("allow")) } span.quiet { "Nothing. Every image has a verdict and every feed is fresh." } }
                }
            }
        }
    }
}

fn news(news: &News) -> Markup {
    let sum = |name: &str, days: &str, sums: &ChangeSums| {
        html! {
            li {
                a href=(link::query("/findings/new", &[("days", days)])) { b { (words::thousands(sums.findings)) @if sums.more { "+" } } " " (name) }
                @if sums.findings > 0 { " " span.quiet { "in " (words::count(sums.images, "image")) } }
            }
        }
    };
    html! {
        section.card aria-labelledby="news" {
            header { h2 id="news" { a.name href="/findings/new" { "Newly vulnerable" } } span.quiet.small { "since their push" } }
            div.body { ul.plain { (sum("in the last 24 hours", "1", &news.day)) (sum("in the last 7 days", "7", &news.week)) } }
        }
    }
}

fn vulnerabilities(shown: &Overview<'_>) -> Markup {
    let shares = bar::severities(&shown.severities.all);
    let fixable = bar::total(&shown.severities.fixable);
    let total = bar::total(&shown.severities.all);
    html! {
        section.card aria-labelledby="vulnerabilities" {
            header { h2 id="vulnerabilities" { a.name href="/vulnerabilities" { "Vulnerabilities" } } span.quiet.small { (words::thousands(total)) " distinct" } }
            div.body {
                (bar::bar(&shares, true))
                ul.counts {
                    @for share in shares.iter().filter(|share| share.count > 0) {
                        li { a class={ "severity " (share.class) } href=(link::query("/vulnerabilities", &[("severity", share.word)])) { b { (words::thousands(share.count)) } " " (share.word) } }
                    }
                }
                p.quiet.small {
                    @if total == 0 { "None found." }
                    @else {
                        a href="/vulnerabilities?fixable=yes" { (words::thousands(fixable)) } " have a fix"
                        @if shown.severities.kev > 0 { ", " a href="/vulnerabilities?kev=yes" { (words::thousands(shown.severities.kev)) } " are known to be exploited" }
                        "."
                    }
                }
            }
        }
    }
}

fn ages(viewer: &Viewer, snapshot: Option<&SnapshotInfo>) -> Markup {
    const SHOWN: usize = 6;
    let mut feeds_by_age: Vec<_> =
        snapshot.map(|snapshot| snapshot.feeds.iter().collect()).unwrap_or_default();
    feeds_by_age.sort_by_key(|feed: &&boltseal_model::FeedInfo| feed.published.unwrap_or(feed.fetched));
    html! {
        section.card aria-labelledby="feeds" {
            header { h2 id="feeds" { a.name href="/feeds" { "Feeds" } } span.quiet.small { "oldest first" } }
            @if feeds_by_age.is_empty() {
                div.body { p { "None yet, so nothing can be judged." } (command::shell("boltseal feeds update")) }
            } @else {
                table {
                    caption.unseen { "Feeds by age" }
                    tbody {
                        @for feed in feeds_by_age.iter().take(SHOWN) {
                            tr {
                                th scope="row" { (feed.id) }
                                td.quiet.nowrap { (words::ago(feed.published.unwrap_or(feed.fetched), viewer.now)) }
                                td.number { (feeds::state(feed, viewer.now)) }
                            }
                        }
                    }
                }
                @if feeds_by_age.len() > SHOWN { footer { a href="/feeds" { "All " (feeds_by_age.len()) " feeds" } } }
            }
        }
    }
}

fn pushes(viewer: &Viewer, shown: &Overview<'_>) -> Markup {
    html! {
        section.card aria-labelledby="pushes" {
            header { h2 id="pushes" { "Pushes" } span.quiet.small { "last " (shown.days.len()) " days, coloured by today’s verdict" } }
            div.body { (timeline::timeline(&shown.days, "Images pushed each day, by their verdict today", "a day")) }
            (images::table(viewer, &shown.recent, None))
            footer { a href="/images" { "All images" } }
        }
    }
}

/// What a newcomer sees: the next three things to type.
fn start(shown: &Overview<'_>) -> Markup {
    let host = &shown.site.registry;
    html! {
        div.title {
            h1 { "Nothing stored yet" }
            p.lead { "Three steps from here to a verdict." }
        }
        section.card {
            div.empty {
                ol {
                    li {
                        @if shown.snapshot.is_some() { p { b { "Advisories are here." } " Keep them fresh with:" } }
                        @else { p { b { "Fetch advisories" } ", so that there is something to judge with:" } }
                        (command::shell("boltseal feeds update"))
                    }
                    li {
                        p { b { "Push an image" } ", with Docker, Podman or skopeo:" }
                        (command::shell(&format!("docker tag debian:12 {host}/debian:12")))
                        (command::shell(&format!("docker push {host}/debian:12")))
                    }
                    li { p { b { "Look here again." } " The verdict is ready a moment after the push; " a href="/policy" { "policy " (shown.policy) } " decides." } }
                }
            }
        }
    }
}
