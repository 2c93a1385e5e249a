//! What is installed.

use std::collections::BTreeMap;

use boltseal_model::{Finding, Package, Report};
use boltseal_store::ImageRow;
use maud::{Markup, html};

use super::in_words;
use crate::parts::{link, words};

/// The view; `q` filters by name.
pub(super) fn view(row: &ImageRow, report: &Report, q: &str) -> Markup {
    let needle = q.to_lowercase();
    let shown: Vec<&Package> =
        report.packages.iter().filter(|package| package.name.to_lowercase().contains(&needle)).collect();
    let mut hits: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        hits.entry(&finding.purl).or_default().push(finding);
    }
    html! {
        form.filter method="get" action=(link::image(&row.digest)) role="search" aria-label="Filter packages" {
            input type="hidden" name="view" value="packages";
            label.wide { "Find a package" input type="search" name="q" value=(q) spellcheck="false" autocapitalize="none"; }
            button.unneeded type="submit" { "Show" }
        }
        div.stack id="results" aria-live="polite" {
            p.quiet { (words::count(shown.len() as u64, "package")) @if !q.is_empty() { " with “" (q) "” in the name" } }
            @if !shown.is_empty() {
                section.card {
                    table.cards {
                        caption.unseen { "Packages of this image" }
                        thead { tr { th scope="col" { "Package" } th scope="col" { "Version" } th scope="col" { "Kind" } th scope="col" { "Findings" } th scope="col" { "Licence" } th scope="col" { "Found in" } } }
                        tbody { @for package in shown { (item(package, hits.get(package.purl.as_str()))) } }
                    }
                }
            }
        }
    }
}

fn item(package: &Package, hits: Option<&Vec<&Finding>>) -> Markup {
    html! {
        tr {
            th scope="row" {
                span.name { (package.name) }
                @if let Some(source) = package.source.as_ref().filter(|source| source.name != package.name) { div.quiet.small { "from " (source.name) } }
                @if let Some(owner) = &package.owner { div.quiet.small { "shipped by " (owner) } }
            }
            td data-label="Version" { (words::version(&package.version)) }
            td data-label="Kind" { (package.ecosystem) }
            td data-label="Findings" { @if let Some(hits) = hits { (in_words(hits)) } @else { span.quiet { "none" } } }
            td data-label="Licence" { span.clip { (package.licenses.join(", ")) } }
            td data-label="Found in" { @if let Some(path) = package.paths.first() { code.quiet { (path) } } @if package.paths.len() > 1 { span.quiet.small { " and " (package.paths.len() - 1) " more" } } }
        }
    }
}
