//! The table of images.

use boltseal_model::{Decision, Platform};
use boltseal_store::{ImageRow, Kind, State};
use maud::{Markup, html};

use super::frame::Viewer;
use crate::{
    Site,
    parts::{
        badge::{self, Standing},
        bar, command, link,
        list::Listed,
        words,
    },
};

/// The words of the verdict filter: every decision, and the two ways of not having one.
pub(crate) const VERDICTS: [&str; 6] = ["allow", "warn", "deny", "unknown", "pending", "failed"];

/// What a list may be narrowed to, in the address and in words.
pub(crate) const HAVING: [(&str, &str); 6] = [
    ("secrets", "with secrets in them"),
    ("malware", "with known malware"),
    ("misconfigurations", "that should be made otherwise"),
    ("unowned", "with executables of no package"),
    ("unsupported", "on a release without security support"),
    ("unrecognised", "whose secrets an older version looked for"),
];

/// Ways to sort, with their names.
pub(crate) const SORTS: [(&str, &str); 5] = [
    ("pushed", "newest push"),
    ("name", "name"),
    ("severity", "worst findings"),
    ("verdict", "verdict"),
    ("size", "size"),
];

/// The filter as the address says it, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub q: String,
    pub repository: String,
    pub package: String,
    pub having: String,
    pub verdict: String,
    pub sort: String,
    pub page: u64,
}

impl Asked {
    /// The decision to filter by, if the verdict filter names one.
    pub(crate) fn decision(&self) -> Option<Decision> {
        [Decision::Allow, Decision::Warn, Decision::Unknown, Decision::Deny]
            .into_iter()
            .find(|decision| decision.word() == self.verdict)
    }

    /// The state to filter by, if the verdict filter names one.
    pub(crate) fn state(&self) -> Option<State> {
        match self.verdict.as_str() {
            "pending" => Some(State::Pending),
            "failed" => Some(State::Failed),
            _ => None,
        }
    }

    fn any(&self) -> bool {
        [&self.q, &self.repository, &self.package, &self.having, &self.verdict]
            .iter()
            .any(|text| !text.is_empty())
    }
}

/// The address of the images with one verdict.
pub(crate) fn with_verdict(word: &str) -> String {
    format!("/images?verdict={word}")
}

/// The body of `/images`.
pub(crate) fn images(viewer: &Viewer, site: &Site, asked: &Asked, rows: &[ImageRow], total: u64) -> Markup {
    let filter = [
        ("q", asked.q.as_str()),
        ("repository", &asked.repository),
        ("package", &asked.package),
        ("having", &asked.having),
        ("verdict", &asked.verdict),
    ];
    let listed = Listed { path: "/images", filter: &filter, sort: &asked.sort, page: asked.page, total };
    html! {
        div.title { h1 { "Images" } }
        @if total > 0 || asked.any() { (form(asked)) }
        div.stack id="results" aria-live="polite" {
            @if total > 0 {
                p.quiet {
                    (words::count(total, "image"))
                    @if !asked.repository.is_empty() { " in " b { (asked.repository) } }
                    @if !asked.package.is_empty() { " with findings in " b { (asked.package) } }
                    @if let Some((_, words)) = HAVING.iter().find(|(word, _)| *word == asked.having) { " " b { (words) } }
                    @if asked.any() { " · " a href="/images" { "show all" } }
                }
                section.card { (table(viewer, rows, Some(&listed))) }
                (listed.pages())
            } @else if asked.any() {
                section.card { div.empty {
                    h2 { "No image matches" }
                    p { "Nothing stored fits this filter." }
                    a.button href="/images" { "Show all images" }
                } }
            } @else { (none(site)) }
        }
    }
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/images" role="search" aria-label="Filter images" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="repository, tag or digest" spellcheck="false" autocapitalize="none"; }
            label {
                "Verdict"
                select name="verdict" {
                    option value="" { "any" }
                    @for word in VERDICTS { option value=(word) selected[asked.verdict == word] { (word) } }
                }
            }
            label {
                "Sort by"
                select name="sort" {
                    @for (key, name) in SORTS { option value=(key) selected[asked.sort == key] { (name) } }
                }
            }
            @if !asked.repository.is_empty() { input type="hidden" name="repository" value=(asked.repository); }
            @if !asked.package.is_empty() { input type="hidden" name="package" value=(asked.package); }
            @if !asked.having.is_empty() { input type="hidden" name="having" value=(asked.having); }
            button.unneeded type="submit" { "Show" }
        }
    }
}

/// The table itself; with `listed`, its columns sort.
pub(crate) fn table(viewer: &Viewer, rows: &[ImageRow], listed: Option<&Listed<'_>>) -> Markup {
    let column = |key: &str, name: &str, ascending: bool| {
        listed
            .map_or_else(|| html! { th scope="col" { (name) } }, |listed| listed.column(key, name, ascending))
    };
    html! {
        table.cards {
            caption.unseen { "Images, their verdicts and findings" }
            thead {
                tr {
                    (column("name", "Image", true))
                    (column("verdict", "Verdict", false))
                    (column("severity", "Findings", false))
                    th scope="col" { "Platform" }
                    (column("size", "Size", false))
                    (column("pushed", "Pushed", false))
                }
            }
            tbody { @for image in rows { (row(viewer, image)) } }
        }
    }
}

fn row(viewer: &Viewer, image: &ImageRow) -> Markup {
    html! {
        tr {
            th scope="row" {
                a.name href=(link::image(&image.digest)) { (name(image)) }
                div.quiet.small.mono { (image.digest.short()) }
            }
            td data-label="Verdict" { (badge::standing(Standing::of(image))) @if incomplete(image) { " " span.tag title="The report has gaps" { "gaps" } } }
            td.bars data-label="Findings" { (findings(image)) }
            td data-label="Platform" { (platforms(&image.platforms)) }
            td.nowrap data-label="Size" { (words::bytes(image.size)) }
            td.nowrap data-label="Pushed" { (words::ago(image.pushed_at, viewer.now)) }
        }
    }
}

fn incomplete(image: &ImageRow) -> bool {
    image.state == Some(State::Judged) && !image.complete
}

/// Repository and tags: `team/app:1.2, latest`.
pub(crate) fn name(image: &ImageRow) -> String {
    if image.tags.is_empty() {
        return image.repository.clone();
    }
    format!("{}:{}", image.repository, image.tags.join(", "))
}

/// The bar and its numbers, or why there are none.
pub(crate) fn findings(image: &ImageRow) -> Markup {
    let shares = bar::severities(&image.counts);
    let total = bar::total(&image.counts);
    html! {
        @if image.kind == Kind::Artifact { span.quiet.small { "not an image" } }
        @else if image.state == Some(State::Failed) { span.quiet.small { "could not be read" } }
        @else if image.state != Some(State::Judged) { span.quiet.small { "not scanned yet" } }
        @else if total == 0 { span.quiet.small { "none found" } }
        @else {
            div.stack.tight {
                (bar::bar(&shares, false))
                ul.counts {
                    @for share in shares.iter().filter(|share| share.count > 0).take(3) { li { b { (words::thousands(share.count)) } " " (share.word) } }
                }
                @if image.fixable > 0 { span.quiet.small { (words::thousands(image.fixable)) " of " (words::thousands(total)) " fixable" } }
            }
        }
    }
}

/// Up to two, then how many more.
pub(crate) fn platforms(platforms: &[Platform]) -> Markup {
    html! {
        @if platforms.is_empty() { span.quiet { "–" } }
        @for (index, platform) in platforms.iter().take(2).enumerate() { @if index > 0 { ", " } (platform) }
        @if platforms.len() > 2 { span.quiet { " and " (platforms.len() - 2) " more" } }
    }
}

fn none(site: &Site) -> Markup {
    let host = &site.registry;
    html! {
        section.card {
            div.empty {
                h2 { "No images yet" }
                p { "Push one; it is scanned and judged at once. The tools you have will do:" }
                (command::shell(&format!("docker push {host}/NAME:TAG")))
                (command::shell(&format!("skopeo copy docker://debian:12 docker://{host}/debian:12")))
            }
        }
    }
}
