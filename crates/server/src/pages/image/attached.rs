//! What is attached to an image, and what is attached to that.

use std::collections::BTreeMap;

use boltseal_store::Attached;
use maud::{Markup, html};

use crate::{
    pages::frame::Viewer,
    parts::{artifact, link, words},
};

/// The view.
pub(super) fn view(viewer: &Viewer, attached: &[Attached]) -> Markup {
    html! {
        section.card aria-labelledby="attached" {
            header {
                h2 id="attached" { "Attached" }
                span.quiet.small { @if attached.is_empty() { "signatures, bills of materials, attestations" } @else { (summary(attached)) } }
            }
            @if attached.is_empty() { p.none { "Nothing is attached to this image." } }
            @else {
                (tree(viewer, attached))
                footer.quiet { "Whoever may push here may attach. That something is attached does not say that it was verified." }
            }
        }
    }
}

fn tree(viewer: &Viewer, attached: &[Attached]) -> Markup {
    html! { ul.tree { @for one in attached { (item(viewer, one)) } } }
}

fn item(viewer: &Viewer, one: &Attached) -> Markup {
    html! {
        li {
            div.row.spread {
                a.name href=(link::image(&one.digest)) { (capital(word(one))) }
                span.quiet.small { (words::bytes(one.size)) " · pushed " (words::ago(one.pushed, viewer.now)) }
            }
            code.quiet { (kind(one)) }
            p.quiet.small { span.mono { (one.digest.short()) } " in " a href=(link::repository(&one.repository)) { (one.repository) } @if one.tag.is_some() { ", by its tag" } }
            @if !one.attached.is_empty() { (tree(viewer, &one.attached)) }
        }
    }
}

/// How many there are, those that are attached to others included.
pub(super) fn count(attached: &[Attached]) -> usize {
    attached.iter().map(|one| 1 + count(&one.attached)).sum()
}

fn summary(attached: &[Attached]) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    tally(attached, &mut kinds);
    let counted: Vec<String> = kinds.into_iter().map(|(word, number)| words::count(number, word)).collect();
    counted.join(", ")
}

fn tally(attached: &[Attached], kinds: &mut BTreeMap<&str, u64>) {
    for one in attached {
        *kinds.entry(word(one)).or_default() += 1;
        tally(&one.attached, kinds);
    }
}

fn kind(one: &Attached) -> &str {
    one.artifact_type.as_deref().unwrap_or(&one.media_type)
}

fn word(one: &Attached) -> &'static str {
    artifact::kind(kind(one), one.tag.as_deref())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
