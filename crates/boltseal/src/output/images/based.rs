//! What of an image comes from its base.

use std::fmt::Write as _;

use boltseal_api::base::{Agreement, Bases};
use boltseal_flow::{
    base::{Parts, Rebase, Share},
    diff::Hit,
};
use boltseal_model::{Severity, Subject};
use serde::Serialize;

use super::people::bytes;
use crate::output::{
    access::{line, moment},
    paint::{Paint, clean, count, cut},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;
/// Images named that could be the base as well.
const CANDIDATES: usize = 5;

/// An image, its base, and another base.
#[derive(Serialize)]
pub struct Based {
    pub image: Subject,
    pub base: Subject,
    /// Whether there were feeds to match with.
    pub matched: bool,
    #[serde(flatten)]
    pub parts: Parts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebase: Option<Rebase>,
    /// What a server says of it; empty where none was asked.
    pub bases: Bases,
}

/// For people: two lines for the parts, one for the advice, and the `top` worst findings that would go and come.
pub fn based(shown: &Based, top: usize, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "image", &named(&shown.image));
    line(&mut out, "base", &named(&shown.base));
    said(&shown.bases, &mut out);
    line(&mut out, "their layers", &share(&shown.parts.theirs, shown.matched, paint));
    line(&mut out, "your layers", &share(&shown.parts.yours, shown.matched, paint));
    if !shown.matched {
        let _ = writeln!(out, "\nnothing was matched: there are no feeds yet (`boltseal feeds update`)");
    }
    if let (Some(on), Some(rebase), true) = (&shown.on, &shown.rebase, shown.matched) {
        let advice = format!(
            "rebasing on {} removes {}, brings {}, keeps {}",
            clean(&on.reference),
            count(rebase.removes.len(), "finding"),
            rebase.brings.len(),
            rebase.keeps
        );
        let _ = writeln!(out, "\n{}", paint.bold(&advice));
        list("removes", &rebase.removes, top, paint, &mut out);
        list("brings", &rebase.brings, top, paint, &mut out);
    }
    out
}

/// What the image claims, what fits as well, and what is newer.
fn said(bases: &Bases, out: &mut String) {
    if let Some(claim) = &bases.claim {
        let agreement = match claim.layers {
            Agreement::Agree => "the layers agree",
            Agreement::Differ => "the layers differ",
            Agreement::Unknown => "the server does not have it, so nobody can tell",
        };
        line(out, "it says", &format!("{} ({agreement})", clean(&claim.name)));
    }
    let base = bases.base.as_ref();
    let others = bases.candidates.iter().filter(|one| base.is_none_or(|base| base.digest != one.digest));
    for other in others.take(CANDIDATES) {
        let name = other.names.first().map_or("an image without a name", String::as_str);
        let layers = count(usize::try_from(other.layers).unwrap_or(usize::MAX), "layer");
        line(out, "fits as well", &format!("{} ({layers})", clean(name)));
    }
    if let Some(newer) = base.and_then(|base| base.newer.as_ref()) {
        line(
            out,
            "newer base",
            &format!("{} ({}), since {}", clean(&newer.name), cut(&newer.digest, SHORT), moment(newer.since)),
        );
    }
}

fn named(subject: &Subject) -> String {
    let digest = subject.digest.as_ref().map(|digest| format!(" ({})", digest.short())).unwrap_or_default();
    format!("{}{digest}", clean(&subject.reference))
}

fn share(share: &Share, matched: bool, paint: Paint) -> String {
    let mut text = format!(
        "{}, {}, {}",
        count(share.layers, "layer"),
        bytes(share.bytes),
        count(share.packages, "package")
    );
    if !matched {
        return text;
    }
    let _ = write!(text, ", {}", count(share.findings.len(), "finding"));
    let counts: Vec<String> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (severity, share.findings.iter().filter(|hit| hit.severity == severity).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| paint.severity(severity, &format!("{number} {severity}")))
        .collect();
    if !counts.is_empty() {
        let _ = write!(text, ": {}", counts.join(", "));
    }
    text
}

fn list(word: &str, hits: &[Hit], top: usize, paint: Paint, out: &mut String) {
    for hit in hits.iter().take(top) {
        let severity = paint.severity(hit.severity, &format!("{:10}", hit.severity.word()));
        let package = format!("{} {}", clean(&hit.package), clean(&hit.installed));
        let _ = writeln!(out, "  {word:8} {severity} {:18} {}", cut(&hit.id, 18), cut(&package, 40));
    }
    if let Some(more) = hits.len().checked_sub(top).filter(|more| *more > 0) {
        let _ = writeln!(out, "  {}", paint.dim(&format!("{word:8} and {more} more")));
    }
}
