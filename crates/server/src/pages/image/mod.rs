//! One image: its verdict with reasons, and everything it was made from.

use std::collections::BTreeMap;

use boltseal_api::{base::Bases, custody::Chain};
use boltseal_flow::history::Step;
use boltseal_model::{Digest, Fingerprint, Leak, Report, Verdict};
use boltseal_store::{Attached, Counts, ImageDetail, ImageRow, Kind};
use maud::{Markup, html};

mod attached;
mod base;
mod built;
mod checks;
mod claims;
mod coverage;
mod custody;
mod findings;
mod layers;
mod packages;
mod reasons;
mod secrets;
mod used;

pub(crate) use built::Built;
pub(crate) use used::{Decision, Used};

use super::{frame::Viewer, images};
use crate::{
    Site,
    bases::Split,
    parts::{
        badge::{self, Standing},
        bar, command, link, words,
    },
};

/// The views of an image, in the order of its tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// Findings grouped by the upgrade that removes them.
    #[default]
    Findings,
    /// What is installed.
    Packages,
    /// Credentials that lie in it.
    Secrets,
    /// How it is made, malware, executables of no package.
    Checks,
    /// What it was built from.
    Layers,
    /// Where it comes from.
    Custody,
    /// What speaks about it.
    Attached,
    /// Who pulls it, and what is locked.
    Used,
    /// What was not looked at.
    Coverage,
}

impl View {
    const ALL: [Self; 9] = [
        Self::Findings,
        Self::Packages,
        Self::Secrets,
        Self::Checks,
        Self::Layers,
        Self::Custody,
        Self::Attached,
        Self::Used,
        Self::Coverage,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Packages => "packages",
            Self::Secrets => "secrets",
            Self::Checks => "checks",
            Self::Layers => "layers",
            Self::Custody => "custody",
            Self::Attached => "attached",
            Self::Used => "use",
            Self::Coverage => "coverage",
        }
    }

    /// The view an address names; the first one if it names none.
    pub(crate) fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.word() == word).unwrap_or_default()
    }
}

/// What the address asks to see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub view: View,
    /// Filter of packages.
    pub q: String,
}

/// What is known of it besides its report.
#[derive(Default)]
pub(crate) struct Known {
    pub attached: Vec<Attached>,
    /// What it speaks about.
    pub subject: Option<Digest>,
    pub used: Used,
    pub built: Built,
    /// What it was built on.
    pub bases: Bases,
    /// What of it is whose.
    pub split: Option<Split>,
    /// In how many images each of its credentials lies.
    pub images: BTreeMap<Fingerprint, u64>,
    /// How it was built, the first step first.
    pub steps: Vec<Step>,
    /// Where it comes from, where that is looked at.
    pub custody: Option<Chain>,
}

/// The body of `/images/{digest}`; `row` is one of `detail.rows`.
pub(crate) fn image(
    viewer: &Viewer,
    site: &Site,
    detail: &ImageDetail,
    row: &ImageRow,
    known: &Known,
    asked: &Asked,
) -> Markup {
    html! {
        (head(viewer, detail, row))
        (used::decided(viewer, &known.used))
        (built::outdated(viewer, known.bases.base.as_ref()))
        @if let Some(report) = &detail.report {
            @if let Some(verdict) = &report.verdict { (reasons::card(viewer, verdict)) }
            (tabs(row, report, known, asked.view))
            @match asked.view {
                View::Findings => { (base::card(viewer, &known.bases, known.split.as_ref())) (findings::view(report)) (claims::set_aside(report)) },
                View::Packages => (packages::view(row, report, &asked.q)),
                View::Secrets => (secrets::view(report, &known.images)),
                View::Checks => (checks::view(report)),
                View::Layers => { (built::card(viewer, &known.built, &known.bases)) (layers::view(report, &known.steps, theirs(known))) },
                View::Custody => { @if let Some(chain) = &known.custody { (custody::view(chain, &full_name(site, row))) } },
                View::Attached => { (claims::trust(report)) (attached::view(viewer, &known.attached)) },
                View::Used => (used::view(viewer, &known.used)),
                View::Coverage => (coverage::view(report)),
            }
        } @else {
            @if row.kind == Kind::Index { (children(viewer, detail)) } @else { (unjudged(detail, row, known)) }
            @if row.kind != Kind::Artifact || !known.attached.is_empty() { (attached::view(viewer, &known.attached)) }
            @if row.kind != Kind::Artifact { (used::view(viewer, &known.used)) }
        }
        (pull(site, detail, row))
    }
}

fn head(viewer: &Viewer, detail: &ImageDetail, row: &ImageRow) -> Markup {
    let distro = detail.report.as_ref().and_then(|report| report.distro.as_ref());
    html! {
        div.title {
            p.crumb { a href="/images" { "Images" } " / " a href=(link::repository(&row.repository)) { (row.repository) } }
            div.row {
                h1 { (images::name(row)) }
                (badge::large(Standing::of(row)))
            }
            p.lead {
                @if let Some(distro) = distro { (distro.name) " · " }
                @if !row.platforms.is_empty() { (images::platforms(&row.platforms)) " · " }
                (words::bytes(size(detail, row))) " · pushed " (words::ago(row.pushed_at, viewer.now))
                @if let Some(judged) = row.judged_at { " · judged " (words::ago(judged, viewer.now)) }
            }
        }
    }
}

/// An index takes what its images take.
fn size(detail: &ImageDetail, row: &ImageRow) -> u64 {
    detail.children.iter().map(|child| child.size).fold(row.size, u64::saturating_add)
}

/// How many of its lowest layers are its base's.
fn theirs(known: &Known) -> u64 {
    known.split.as_ref().map_or(0, |split| split.parts.theirs.layers as u64)
}

fn tabs(row: &ImageRow, report: &Report, known: &Known, current: View) -> Markup {
    let counted = |view| {
        Some(match view {
            View::Findings => report.findings.len() as u64,
            View::Packages => report.packages.len() as u64,
            View::Secrets => {
                let leaks: Vec<&Leak> = report.leaks.iter().flatten().filter(|leak| leak.counts()).collect();
                secrets::different(&leaks)
            }
            View::Checks => checks::number(report),
            View::Layers => report.layers.len() as u64,
            // It takes a walk through the log, so only who looks at it pays for it.
            View::Custody => return None,
            View::Attached => attached::count(&known.attached) as u64,
            View::Used => known.used.number(),
            View::Coverage => report.coverage.gaps.len() as u64,
        })
    };
    html! {
        nav.tabs aria-label="Parts of the report" {
            ul {
                @for view in View::ALL {
                    @let address = if view == View::Findings { link::image(&row.digest) } else { format!("{}?view={}", link::image(&row.digest), view.word()) };
                    li {
                        a href=(address) aria-current=[(view == current).then_some("page")] {
                            (title(view)) @if let Some(number) = counted(view) { span.count { (words::thousands(number)) } }
                        }
                    }
                }
            }
        }
    }
}

const fn title(view: View) -> &'static str {
    match view {
        View::Findings => "Findings",
        View::Packages => "Packages",
        View::Secrets => "Secrets",
        View::Checks => "Checks",
        View::Layers => "Layers",
        View::Custody => "Custody",
        View::Attached => "Attached",
        View::Used => "Pulls",
        View::Coverage => "Gaps",
    }
}

/// Why there is no report yet.
fn unjudged(detail: &ImageDetail, row: &ImageRow, known: &Known) -> Markup {
    html! {
        section.card {
            div.empty {
                @if let Some(error) = &detail.error {
                    h2 { "This image could not be read" }
                    p { (error) }
                    p.quiet { "What cannot be read cannot be judged, so it is refused. Repair it and push it again." }
                } @else if row.kind == Kind::Artifact {
                    h2 { "Not an image" }
                    p { "This is a signature, a bill of materials or another artifact (" code { (row.media_type) } "). Nothing would run it, so there is nothing to judge." }
                    @if let Some(subject) = &known.subject { p { "It speaks about " a href=(link::image(subject)) { span.mono { (subject.short()) } } "." } }
                } @else {
                    h2 { "Being scanned" }
                    p { "The verdict is ready in a moment; until then nobody can pull it." }
                    a.button href=(link::image(&row.digest)) { "Look again" }
                }
            }
        }
    }
}

fn children(viewer: &Viewer, detail: &ImageDetail) -> Markup {
    html! {
        section.card aria-labelledby="platforms" {
            header { h2 id="platforms" { "Platforms" } span.quiet.small { "each is judged by itself" } }
            (images::table(viewer, &detail.children, None))
        }
    }
}

/// What a client calls it.
fn full_name(site: &Site, row: &ImageRow) -> String {
    match row.tags.first() {
        Some(tag) => format!("{}/{}:{tag}", site.registry, row.repository),
        None => format!("{}/{}@{}", site.registry, row.repository, row.digest),
    }
}

fn pull(site: &Site, detail: &ImageDetail, row: &ImageRow) -> Markup {
    let api = format!("/api/v1/images/{}/report", row.digest);
    html! {
        section.card aria-labelledby="pull" {
            header { h2 id="pull" { "Pull and share" } }
            div.body {
                (command::shell(&format!("docker pull {}", full_name(site, row))))
                dl.facts {
                    dt { "Digest" } dd { (command::digest(&row.digest)) }
                    @if let Some(config) = detail.report.as_ref().and_then(|report| report.subject.config.as_ref()) { dt { "Image id" } dd.digest { code { (config) } } }
                    @if detail.rows.len() > 1 {
                        dt { "Also in" }
                        dd { @for (index, other) in detail.rows.iter().filter(|other| other.repository != row.repository).enumerate() { @if index > 0 { ", " } a href=(link::repository(&other.repository)) { (images::name(other)) } } }
                    }
                    @if detail.report.is_some() {
                        dt { "Report" }
                        dd.row {
                            a href=(api) { "JSON" }
                            a href={ (api) "?format=cyclonedx" } { "CycloneDX" }
                            a href={ (api) "?format=spdx" } { "SPDX" }
                            a href={ (api) "?format=sarif" } { "SARIF" }
                        }
                    }
                }
            }
        }
    }
}

/// `removes 14: 2 critical, 5 high`.
fn in_words(findings: &[&boltseal_model::Finding]) -> String {
    bar::in_words(&bar::severities(&Counts::of(findings.iter().copied())))
}

/// When the verdict may change by itself.
fn expiry(viewer: &Viewer, verdict: &Verdict) -> Markup {
    html! { @if let Some(expires) = verdict.expires { " It may change by itself " (words::ago(expires, viewer.now)) "." } }
}
