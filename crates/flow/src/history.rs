//! How an image was built: every step, with the layer that it made.
//!
//! The configuration of an image tells steps and which of them made no layer; the manifest tells layers. They are put
//! together only where they are as many: otherwise each layer stands alone, with the step that the reader of the image
//! found for it, if any. The page of an image and `boltseal image history` both show what this says.

pub use boltseal_image::config::Made;
use boltseal_model::{Digest, Layer};
use serde::Serialize;

/// One step of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, as the builder wrote it.
    pub created: Option<String>,
    /// What was done.
    pub step: Option<String>,
    /// What the builder said besides.
    pub comment: Option<String>,
    /// Absent where the step made none.
    pub layer: Option<Digest>,
    /// Bytes of the layer as stored.
    pub size: Option<u64>,
}

/// Steps in the order of the build, each with its layer; `layers` go bottom first.
pub fn steps(history: Vec<Made>, layers: Vec<Layer>) -> Vec<Step> {
    let told = history.iter().filter(|step| !step.empty_layer).count();
    let mut layers = layers.into_iter();
    if told != layers.len() {
        return layers.map(alone).collect();
    }
    let one = |made: Made| {
        let layer = if made.empty_layer { None } else { layers.next() };
        let size = layer.as_ref().map(|layer| layer.size);
        Step {
            created: made.created,
            step: made.created_by,
            comment: made.comment,
            layer: layer.and_then(|layer| layer.digest.or(layer.diff_id)),
            size,
        }
    };
    history.into_iter().map(one).collect()
}

fn alone(layer: Layer) -> Step {
    Step {
        created: None,
        step: layer.created_by,
        comment: None,
        layer: layer.digest.or(layer.diff_id),
        size: Some(layer.size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_go_to_the_steps_that_made_them() {
        let made = |step: &str, empty_layer| Made {
            created_by: Some(step.to_owned()),
            empty_layer,
            ..Made::default()
        };
        let layer = |content: &str, created_by: Option<&str>| Layer {
            digest: Some(Digest::of(content.as_bytes())),
            diff_id: None,
            size: content.len() as u64,
            created_by: created_by.map(str::to_owned),
        };
        let layers = || vec![layer("base", None), layer("program", Some("COPY"))];
        for (what, history, expected) in [
            (
                "each with its own",
                vec![made("FROM", false), made("ENV", true), made("COPY", false), made("CMD", true)],
                vec![("FROM", Some(4)), ("ENV", None), ("COPY", Some(7)), ("CMD", None)],
            ),
            ("a history of other layers", vec![made("FROM", false)], vec![("", Some(4)), ("COPY", Some(7))]),
            ("no history at all", vec![], vec![("", Some(4)), ("COPY", Some(7))]),
            ("only steps without layers", vec![made("ENV", true)], vec![("", Some(4)), ("COPY", Some(7))]),
        ] {
            let found = steps(history, layers());
            let told: Vec<_> =
                found.iter().map(|one| (one.step.as_deref().unwrap_or_default(), one.size)).collect();
            assert_eq!(told, expected, "{what}");
            assert!(found.iter().all(|one| one.layer.is_some() == one.size.is_some()), "{what}");
        }
        assert_eq!(steps(vec![made("ENV", true)], vec![]).len(), 1, "an image of settings only");
    }
}
