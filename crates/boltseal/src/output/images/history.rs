//! How an image was built.

use std::fmt::Write as _;

use boltseal_flow::contents::Contents;
use boltseal_model::{Digest, Layer};
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
    pub steps: Vec<BuildStep>,
}

/// One step of a build.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildStep {
    pub created: Option<String>,
    pub step: Option<String>,
    pub comment: Option<String>,
    /// Absent where the step made none.
    pub layer: Option<Digest>,
    /// Of the layer as stored.
    pub size: Option<u64>,
}

impl History {
    pub fn of(contents: Contents) -> Self {
        Self {
            size: contents.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add),
            reference: contents.subject.reference.clone(),
            digest: contents.subject.digest.clone(),
            platform: contents.subject.platform.as_ref().map(ToString::to_string),
            created: contents.config.created.clone(),
            steps: steps(contents),
        }
    }
}

/// Steps and layers are matched only where they are as many; else the layers stand alone.
fn steps(contents: Contents) -> Vec<BuildStep> {
    let made = |layer: Layer| (layer.digest.or(layer.diff_id), layer.size);
    let told = contents.history.iter().filter(|step| !step.empty_layer).count();
    let complete = told == contents.layers.len() && told > 0;
    let mut layers = contents.layers.into_iter();
    if !complete {
        let alone = |layer| {
            let (layer, size) = made(layer);
            BuildStep { created: None, step: None, comment: None, layer, size: Some(size) }
        };
        return layers.map(alone).collect();
    }
    let mut steps = Vec::new();
    for one in contents.history {
        let layer = if one.empty_layer { None } else { layers.next().map(made) };
        let (layer, size) = layer.map_or((None, None), |(layer, size)| (layer, Some(size)));
        steps.push(BuildStep {
            created: one.created,
            step: one.created_by,
            comment: one.comment,
            layer,
            size,
        });
    }
    steps
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
            step.layer.as_ref().map(short).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use boltseal_image::config::Made;
    use boltseal_model::{Config, Subject};

    use super::*;

    #[test]
    fn layers_go_to_the_steps_that_made_them() {
        let made = |step: &str, empty_layer| Made {
            created_by: Some(step.to_owned()),
            empty_layer,
            ..Made::default()
        };
        let layer = |content: &str| Layer {
            digest: Some(Digest::of(content.as_bytes())),
            diff_id: None,
            size: content.len() as u64,
            created_by: None,
        };
        let subject =
            Subject { reference: "a".to_owned(), name: None, digest: None, config: None, platform: None };
        let contents = |history: Vec<Made>| Contents {
            subject: subject.clone(),
            layers: vec![layer("base"), layer("program")],
            history,
            config: Config::default(),
            files: None,
            gaps: Vec::new(),
        };
        let told = History::of(contents(vec![made("FROM", false), made("ENV", true), made("COPY", false)]));
        assert_eq!(told.size, 11);
        assert_eq!(told.steps.iter().map(|step| step.size).collect::<Vec<_>>(), [Some(4), None, Some(7)]);
        // A history of other layers than these says nothing about them.
        let untold = History::of(contents(vec![made("FROM", false)]));
        assert_eq!(untold.steps.iter().map(|step| &step.step).collect::<Vec<_>>(), [&None, &None]);
    }
}
