//! What somebody locked, in words.

use boltseal_model::Timestamp;
use boltseal_store::{Attributes, Lock, Locked};
use maud::{Markup, html};

use super::words;

/// What is forbidden, in the order that matters most.
fn forbidden(attributes: Attributes) -> Vec<&'static str> {
    let Attributes { read, write, delete, list } = attributes;
    [(read, "no pulls"), (write, "no changes"), (delete || !write, "no deletion"), (list, "not listed")]
        .into_iter()
        .filter(|(allowed, _)| !allowed)
        .map(|(_, word)| word)
        .collect()
}

/// A mark beside a name, for all that is locked of it; nothing where everything is allowed.
pub(crate) fn mark<'a>(locks: impl Iterator<Item = &'a Lock>, now: Timestamp) -> Markup {
    let mut all: Vec<&str> = Vec::new();
    let mut why: Vec<String> = Vec::new();
    for lock in locks {
        let words = forbidden(lock.attributes);
        if !words.is_empty() {
            why.push(format!("{}{}", target(lock), by(lock, now)));
        }
        all.extend(words.into_iter().filter(|word| !all.contains(word)).collect::<Vec<_>>());
    }
    html! { @if !all.is_empty() { " " span.tag title=(why.join("; ")) { (all.join(", ")) } } }
}

fn target(lock: &Lock) -> String {
    match &lock.target {
        Locked::Tag(tag) => format!("{tag}: "),
        Locked::Repository | Locked::Manifest(_) => String::new(),
    }
}

/// `no changes; by ada, 3 days ago: release of May`.
pub(crate) fn sentence(lock: &Lock, now: Timestamp) -> Markup {
    html! { (forbidden(lock.attributes).join(", ")) "; " span.quiet { (by(lock, now)) } }
}

fn by(lock: &Lock, now: Timestamp) -> String {
    let colon = if lock.note.is_empty() { "" } else { ": " };
    format!("by {}, {}{colon}{}", lock.by, words::distance(lock.at, now), lock.note)
}
