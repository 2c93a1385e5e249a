//! Credentials that lie in images: which, since when, in how many.

use boltseal_api::credentials::{Credential, Credentials};
use boltseal_model::Confidence;
use boltseal_store::CredentialFilter;
use maud::{Markup, html};

use crate::{
    pages::frame::{Part, Viewer},
    parts::{badge, link, words},
};

/// Characters of a fingerprint that tell it from others.
pub(super) const SHORT: usize = 12;
/// Repositories named of one.
const NAMED: usize = 3;

/// The body of `/credentials`.
pub(crate) fn credentials(
    viewer: &Viewer,
    filter: &CredentialFilter,
    kinds: &[String],
    found: &Credentials,
    later: bool,
) -> Markup {
    html! {
        div.title {
            h1 { "Credentials in images" }
            p.lead { "Whoever can pull an image can read what lies in it, also in files that a later layer deleted. Values are not kept here: each is recognised by a keyed hash." }
        }
        (super::shelves(viewer, Part::Credentials))
        (form(filter, kinds))
        div.stack id="results" aria-live="polite" {
            @if found.unrecognised > 0 {
                p.notice { (words::count(found.unrecognised, "image")) " " @if found.unrecognised == 1 { "was" } @else { "were" } " looked at by an older version, and what lies there is not listed yet. They are looked at again; push again what " a href="/images?having=unrecognised" { "stays in this list" } "." }
            }
            @if found.credentials.is_empty() { (none(filter, later)) }
            @else { section.card { (table(viewer, &found.credentials)) } }
            (more(filter, found))
        }
    }
}

fn form(filter: &CredentialFilter, kinds: &[String]) -> Markup {
    let kind = filter.rule.as_deref().unwrap_or_default();
    let least = filter.confidence.unwrap_or(Confidence::Low);
    html! {
        form.filter method="get" action="/credentials" role="search" aria-label="Filter credentials" {
            label.wide { "Find" input type="search" name="q" value=(filter.text.as_deref().unwrap_or_default()) placeholder="kind or fingerprint" spellcheck="false" autocapitalize="none"; }
            label {
                "Kind"
                select name="kind" {
                    option value="" { "any" }
                    @for one in kinds { option value=(one) selected[one == kind] { (one) } }
                }
            }
            label {
                "At least"
                select name="confidence" {
                    @for one in Confidence::ALL { option value=(one.word()) selected[one == least] { (one.word()) } }
                }
            }
            label {
                "Where"
                select name="gone" {
                    option value="" { "anywhere" }
                    option value="no" selected[filter.gone == Some(false)] { "still in an image" }
                    option value="yes" selected[filter.gone == Some(true)] { "in no image any more" }
                }
            }
            label.check { input type="checkbox" name="published" value="yes" checked[filter.published]; "published packages’ too" }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, rows: &[Credential]) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Credentials in images" }
            thead { tr { th scope="col" { "Credential" } th scope="col" { "Confidence" } th scope="col" { "Images" } th scope="col" { "Repositories" } th scope="col" { "First seen" } } }
            tbody { @for one in rows { (row(viewer, one)) } }
        }
    }
}

fn row(viewer: &Viewer, one: &Credential) -> Markup {
    html! {
        tr {
            th scope="row" {
                a.name href=(address(&one.fingerprint)) { (one.title) }
                div.quiet.small.mono { (short(&one.fingerprint)) }
            }
            td data-label="Confidence" { div { (sure(&one.confidence)) @if one.published { " " span.tag { "published" } } } }
            td data-label="Images" { @if one.images == 0 { span.quiet { "none any more" } } @else { b { (words::thousands(one.images)) } } }
            td data-label="Repositories" {
                div {
                    @for (index, name) in one.repositories.iter().take(NAMED).enumerate() { @if index > 0 { ", " } a href=(link::repository(name)) { (name) } }
                    @if one.repositories.len() > NAMED { span.quiet { " and " (one.repositories.len() - NAMED) " more" } }
                    @if one.repositories.is_empty() { span.quiet { "–" } }
                }
            }
            td.nowrap data-label="First seen" { (words::ago(one.first_seen, viewer.now)) }
        }
    }
}

/// How sure it is: a glyph and the word. A cross would say that it was not verified.
pub(crate) fn sure(word: &str) -> Markup {
    let (class, glyph) = match word {
        "verified" | "high" => ("deny", "warn"),
        "medium" => ("warn", "warn"),
        _ => ("plain", "plain"),
    };
    html! { span class={ "badge is-" (class) } { (badge::glyph(glyph)) (word) } }
}

/// The page of one.
pub(crate) fn address(fingerprint: &str) -> String {
    format!("/credentials/{}", link::encode(fingerprint))
}

/// The beginning of a fingerprint.
pub(crate) fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(SHORT).collect()
}

fn none(filter: &CredentialFilter, later: bool) -> Markup {
    let narrow = filter.text.is_some() || filter.rule.is_some() || filter.gone.is_some() || later;
    html! {
        section.card { div.empty {
            @if narrow {
                h2 { "No credential fits" }
                p { "None that you may see fits this filter." }
                a.button href="/credentials" { "Show all" }
            } @else {
                h2 { "No credential found" }
                p { "Files of all layers, variables, labels and build steps of images are looked at when they are pushed." }
            }
        } }
    }
}

fn more(filter: &CredentialFilter, found: &Credentials) -> Markup {
    let gone = match filter.gone {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    html! {
        @if let Some(next) = &found.next {
            @let pairs = [
                ("q", filter.text.as_deref().unwrap_or_default()),
                ("kind", filter.rule.as_deref().unwrap_or_default()),
                ("confidence", filter.confidence.map_or("", Confidence::word)),
                ("gone", gone),
                ("published", if filter.published { "yes" } else { "" }),
                ("after", next),
            ];
            nav.pages aria-label="Pages" { span {} a.button rel="next" href=(link::query("/credentials", &pairs)) { "Older →" } }
        }
    }
}
