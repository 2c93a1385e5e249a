//! How an image was built.

use std::fmt::Write as _;

use boltseal_flow::{
    contents::Contents,
    history::{Step, steps},
};
use boltseal_model::Digest;
use serde::Serialize;

use super::people::{bytes, day, short};
use crate::output::{
    access::line,
    packages::grid_without_gaps,
    paint::{Paint, clean, cut},
};

/// Columns of the table before the step.
const BEFORE_STEP: usize = 46;

/// An image and its steps.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub reference: String,
    pub digest: Option<Digest>,
    pub platform: Option<String>,
    pub created: Option<String>,
    /// Bytes of all layers as stored.
    pub size: u64,
    /// The first first.
    pub steps: Vec<Step>,
}

impl History {
    pub fn of(contents: Contents) -> Self {
        Self {
            size: contents.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add),
            reference: contents.subject.reference.clone(),
            digest: contents.subject.digest.clone(),
            platform: contents.subject.platform.as_ref().map(ToString::to_string),
            created: contents.config.created.clone(),
            steps: steps(contents.history, contents.layers),
        }
    }
}

/// The first step first, as a build goes.
pub fn history(history: &History, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&clean(&history.reference)));
    line(&mut out, "digest", &history.digest.as_ref().map(ToString::to_string).unwrap_or_default());
    line(&mut out, "platform", history.platform.as_deref().unwrap_or_default());
    line(&mut out, "created", history.created.as_deref().unwrap_or_default());
    line(&mut out, "size", &bytes(history.size));
    let width = paint.width.saturating_sub(BEFORE_STEP).max(20);
    let rows = history.steps.iter().map(|step| {
        let words = step.step.as_deref().or(step.comment.as_deref()).unwrap_or_default();
        [
            step.layer.as_ref().map_or_else(|| "no layer".to_owned(), short),
            step.size.map(bytes).unwrap_or_default(),
            step.created.as_deref().map(day).unwrap_or_default(),
            cut(&one_line(words), width),
        ]
    });
    let _ = write!(out, "\n{}", grid_without_gaps(&["layer", "size", "created", "build step"], rows, paint));
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
