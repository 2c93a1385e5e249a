//! What should be otherwise about Dockerfiles, before an image is built.
//!
//! `boltseal scan` says similar things about images that were built (`misconfiguration`); here it is said with the line.

pub(super) mod base;
pub(super) mod content;
pub(super) mod form;
pub(super) mod run;
pub(super) mod user;

use crate::{
    dockerfile::{Command, Dockerfile, Instruction},
    hit::Hits,
    leaf::Place,
};

/// Where an instruction stands.
fn place(one: &Instruction) -> Place {
    Place { line: one.line, path: one.word.clone() }
}

/// Something is wrong with an instruction.
fn say(hits: &mut Hits, one: &Instruction, found: impl Into<String>) {
    hits.say(&place(one), found);
}

/// Every instruction that runs something while the image is built, with its commands.
fn runs(file: &Dockerfile) -> impl Iterator<Item = (&Instruction, Vec<Command>)> {
    file.all("RUN").map(|one| (one, one.commands()))
}

/// As much of a text as a report shows.
fn shown(text: &str) -> String {
    const MAX: usize = 60;
    let flat: String =
        text.chars().take(MAX).map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    if text.chars().count() > MAX { format!("{flat}…") } else { flat }
}
