//! Findings, grouped by the upgrade that removes them.

use boltseal_flow::{Upgrade, upgrades};
use boltseal_model::{Finding, Report, Status};
use boltseal_store::Counts;
use maud::{Markup, html};

use super::in_words;
use crate::parts::{badge, bar, command, link, words};

/// Findings of one group shown at once.
const SHOWN: usize = 5;

/// The view.
pub(super) fn view(report: &Report) -> Markup {
    let (upgrades, unfixed): (Vec<_>, Vec<_>) =
        upgrades(&report.findings).into_iter().partition(|upgrade| upgrade.version.is_some());
    let total = report.findings.len() as u64;
    let fixable: u64 = upgrades.iter().map(|upgrade| upgrade.findings.len() as u64).sum();
    let shares = bar::severities(&Counts::of(&report.findings));
    html! {
        @if total == 0 { (clean(report)) } @else {
            section.stack aria-label="Summary" {
                p {
                    b { (words::count(total, "finding")) } ". "
                    @if upgrades.is_empty() { "Nobody has published a fix for any of them." }
                    @else { (words::count(upgrades.len() as u64, "upgrade")) " would remove " (words::thousands(fixable)) "." }
                }
                (bar::bar(&shares, true))
                ul.counts { @for share in shares.iter().filter(|share| share.count > 0) { li class={ "severity " (share.class) } { b { (words::thousands(share.count)) } " " (share.word) } } }
            }
            @for upgrade in &upgrades { (fix(report, upgrade)) }
            @if !unfixed.is_empty() { (rest(report, &unfixed)) }
        }
        @if !report.omitted.is_empty() {
            p.quiet { (words::count(report.omitted.filtered + report.omitted.ignored.len() as u64, "finding")) " left out on request." }
        }
    }
}

fn clean(report: &Report) -> Markup {
    html! {
        section.card { div.empty {
            h2 { "No findings" }
            @if report.coverage.complete { p { "Everything in this image was looked at, and no advisory hits it." } }
            @else { p { "No advisory hits what was looked at, but not everything was: see the gaps." } }
        } }
    }
}

fn fix(report: &Report, upgrade: &Upgrade<'_>) -> Markup {
    html! {
        section.card.fix {
            header {
                div.what {
                    h2 { "Upgrade " (upgrade.name) }
                    p.quiet { (words::version(upgrade.installed)) span.arrow { " → " } (words::version(upgrade.version.unwrap_or_default())) }
                }
                p { "removes " b { (upgrade.findings.len()) } span.quiet { ": " (in_words(&upgrade.findings)) } }
            }
            div.body {
                @if let Some(first) = upgrade.commands.first() { (command::shell(first)) }
                @if upgrade.commands.len() > 1 {
                    details {
                        summary { "The same for " (words::count(upgrade.commands.len() as u64 - 1, "more package")) " built from it" }
                        div.stack { @for command in upgrade.commands.iter().skip(1) { (command::shell(command)) } }
                    }
                }
            }
            (list(report, &upgrade.findings))
        }
    }
}

fn rest(report: &Report, unfixed: &[Upgrade<'_>]) -> Markup {
    let total: u64 = unfixed.iter().map(|group| group.findings.len() as u64).sum();
    html! {
        section.card aria-labelledby="unfixed" {
            header { h2 id="unfixed" { "No fix yet" } p.quiet { (words::count(total, "finding")) " in " (words::count(unfixed.len() as u64, "package")) } }
            @for group in unfixed {
                details.group {
                    summary { b { (group.name) } " " (words::version(group.installed)) " · " (in_words(&group.findings)) }
                    (list(report, &group.findings))
                }
            }
        }
    }
}

fn list(report: &Report, findings: &[&Finding]) -> Markup {
    html! {
        ul.findings { @for finding in findings.iter().take(SHOWN) { (item(report, finding)) } }
        @if findings.len() > SHOWN {
            details.group {
                summary { (words::count((findings.len() - SHOWN) as u64, "more finding")) }
                ul.findings { @for finding in findings.iter().skip(SHOWN) { (item(report, finding)) } }
            }
        }
    }
}

fn item(report: &Report, finding: &Finding) -> Markup {
    html! {
        li {
            div { (badge::severity(finding.severity)) }
            div.line {
                a href=(link::vulnerability(&finding.id)) { (finding.id) }
                span { (finding.package) }
                @if finding.kev.is_some() { span.tag.hot { "known exploited" } }
                @if let Some(score) = top_score(finding) { span.quiet.small { "CVSS " (format!("{score:.1}")) } }
                @if let Some(epss) = finding.epss { span.quiet.small title="Probability of exploitation within 30 days" { "EPSS " (words::percent(epss.score)) } }
                @if finding.status != Status::Affected { span.tag { (finding.status.word()) } }
            }
            @if !finding.title.is_empty() { p.about { (finding.title) } }
            (proof(report, finding))
        }
    }
}

/// The worst score of all vectors.
fn top_score(finding: &Finding) -> Option<f64> {
    finding.cvss.iter().map(|cvss| cvss.score).max_by(f64::total_cmp)
}

fn proof(report: &Report, finding: &Finding) -> Markup {
    let proof = &finding.proof;
    let layer = proof.layer.as_ref().and_then(|digest| {
        report
            .layers
            .iter()
            .position(|layer| layer.digest.as_ref() == Some(digest) || layer.diff_id.as_ref() == Some(digest))
    });
    html! {
        details.proof {
            summary { "Proof" span.unseen { " of " (finding.id) " in " (finding.package) } }
            dl.facts {
                dt { "Installed" } dd { code { (finding.purl) } }
                dt { "Found in" } dd { code { (proof.path) } @if let Some(index) = layer { ", layer " (index + 1) } }
                @if let Some(digest) = &proof.layer { dt { "Layer" } dd { code.digest { (digest) } } }
                dt { "Advisory" } dd { (proof.advisory) " of feed " a href="/feeds" { (proof.feed) } ", about " code { (proof.matched) } }
                dt { "Range" } dd { code { (proof.range) } }
                dt { "Comparison" } dd { code { (proof.comparison) } }
            }
        }
    }
}
