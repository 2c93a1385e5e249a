//! How images were built, step by step, as their configurations tell; written with the push, by digest.

use boltseal_model::Digest;
use serde::{Deserialize, Serialize};

use super::{Facts, about::cut};
use crate::Error;

/// Steps kept of one image; those of images with more are not kept at all, since they would go with the wrong layers.
const MAX_STEPS: usize = 1_000;
/// Bytes of one step that are kept: a script in a Dockerfile.
const MAX_STEP: usize = 4_000;
/// Bytes of all texts together; what comes after that is kept without words.
const MAX_TEXT: usize = 256 << 10;

/// One step of the build of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildStep {
    /// When, as the builder wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What was done; a long text is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What the builder said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}

impl Facts {
    /// The steps of an image, the first first; `None` where it was pushed before they were kept.
    pub async fn build_steps(&self, wanted: &Digest) -> Result<Option<Vec<BuildStep>>, Error> {
        let kept: Option<Option<String>> = sqlx::query_scalar("SELECT history FROM about WHERE digest = $1")
            .bind(wanted.to_string())
            .fetch_optional(&self.readers)
            .await?;
        let Some(text) = kept.flatten() else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|e| Error::corrupt("about.history", &e))
    }
}

/// As they are kept: bounded, whatever the image says.
pub(super) fn kept(steps: &[BuildStep]) -> Result<String, Error> {
    let mut left = MAX_TEXT;
    let mut text = |text: &Option<String>| {
        let short = cut(text.as_deref()?, MAX_STEP);
        left = left.checked_sub(short.len())?;
        Some(short)
    };
    let steps = if steps.len() > MAX_STEPS { &[] } else { steps };
    let steps: Vec<BuildStep> = (steps.iter())
        .map(|one| BuildStep {
            created: text(&one.created),
            step: text(&one.step),
            comment: text(&one.comment),
            empty: one.empty,
        })
        .collect();
    serde_json::to_string(&steps).map_err(|e| Error::corrupt("a value to store", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let step = |text: String| BuildStep { step: Some(text), ..BuildStep::default() };
        let read =
            |steps: &[BuildStep]| -> Vec<BuildStep> { serde_json::from_str(&kept(steps).unwrap()).unwrap() };
        let one =
            BuildStep { empty: true, comment: Some("buildkit".to_owned()), ..step("ENV A=1".to_owned()) };
        assert_eq!(read(std::slice::from_ref(&one)), [one]);
        let long = read(&vec![step("ä".repeat(5_000)); 100]);
        assert_eq!(long.len(), 100, "every step stays, so that each goes with its layer");
        assert_eq!(long[0].step.as_ref().map(String::len), Some(MAX_STEP));
        assert!(long.iter().filter_map(|one| one.step.as_ref()).map(String::len).sum::<usize>() <= MAX_TEXT);
        assert_eq!(read(&vec![step("x".to_owned()); MAX_STEPS + 1]), []);
    }
}
