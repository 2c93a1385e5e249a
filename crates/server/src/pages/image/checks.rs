//! How it is made, which files are malware, and which executables belong to no package.

use boltseal_model::{Report, Unowned};
use maud::{Markup, html};

use super::secrets::layer;
use crate::parts::{badge, words};

/// Executables shown at once.
const SHOWN: usize = 25;

/// The view.
pub(super) fn view(report: &Report) -> Markup {
    html! {
        @if report.leaks.is_none() {
            section.card { div.empty { h2 { "Nobody looked" } p { "An older version scanned this image. Push it again to have it looked at." } } }
        } @else if number(report) == 0 {
            section.card { div.empty { h2 { "Nothing to say" } p { "It is made as it should be, every executable belongs to a package, and no file is known to be malicious." } } }
        } @else {
            @if !report.malware.is_empty() { (malware(report)) }
            @if !report.misconfigurations.is_empty() { (misconfigurations(report)) }
            @if !report.unowned.is_empty() { (unowned(report)) }
        }
    }
}

/// What stands on the tab.
pub(super) fn number(report: &Report) -> u64 {
    (report.malware.len() + report.misconfigurations.len() + report.unowned.len()) as u64
}

fn malware(report: &Report) -> Markup {
    html! {
        section.card aria-labelledby="malware" {
            header { h2 id="malware" { (words::count(report.malware.len() as u64, "malicious file")) } span.quiet.small { "by hash, or the test file of scanners" } }
            table.cards {
                caption.unseen { "Files that are known to be malicious" }
                thead { tr { th scope="col" { "File" } th scope="col" { "Known as" } th scope="col" { "SHA-256" } th scope="col" { "Layer" } } }
                tbody {
                    @for file in &report.malware {
                        tr {
                            th scope="row" { code.path { (file.path) } @if file.hidden { " " span.tag.hot { "deleted later, still there" } } }
                            td data-label="Known as" { (file.name) }
                            td.digest.mono.small data-label="SHA-256" { (file.digest.hex()) }
                            td data-label="Layer" { (layer(report, file.layer.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn misconfigurations(report: &Report) -> Markup {
    html! {
        section.card aria-labelledby="made" {
            header { h2 id="made" { "How it is made" } span.quiet.small { (words::count(report.misconfigurations.len() as u64, "remark")) ", the worst first" } }
            ul.findings {
                @for one in &report.misconfigurations {
                    li {
                        div { (badge::severity(one.severity)) }
                        div.line { b { (one.title) } code.quiet { (one.check) } }
                        p.about { (one.found) @if let Some(digest) = &one.layer { ", layer " (layer(report, Some(digest))) } }
                        p.about { b { "Fix: " } (one.fix) }
                    }
                }
            }
        }
    }
}

fn unowned(report: &Report) -> Markup {
    let all = &report.unowned;
    html! {
        section.card aria-labelledby="unowned" {
            header { h2 id="unowned" { (words::count(all.len() as u64, "executable")) " of no package" } span.quiet.small { "nobody says what they are or whether they are vulnerable" } }
            (files(report, all.iter().take(SHOWN)))
            @if all.len() > SHOWN {
                details.group { summary { (words::count((all.len() - SHOWN) as u64, "more file")) } (files(report, all.iter().skip(SHOWN))) }
            }
        }
    }
}

fn files<'a>(report: &Report, files: impl Iterator<Item = &'a Unowned>) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Executables and libraries that belong to no package" }
            thead { tr { th scope="col" { "File" } th scope="col" { "SHA-256" } th scope="col" { "Layer" } } }
            tbody {
                @for file in files {
                    tr {
                        th scope="row" { code.path { (file.path) } }
                        td.digest.mono.small data-label="SHA-256" { (file.digest.hex()) }
                        td.nowrap data-label="Layer" { (layer(report, file.layer.as_ref())) }
                    }
                }
            }
        }
    }
}
