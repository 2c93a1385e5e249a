//! Any bytes: reading them as an admission review never panics, what is refused is never patched, and the answer is JSON.

use boltseal_orchestrator::{
    admission::{Answer, Patch, Review},
    pss::{Level, Version},
};

/// Reads `bytes` as a review and answers it.
pub fn body(bytes: &[u8]) {
    let _ = Review::id(bytes);
    let Ok(review) = Review::read(bytes) else { return };
    let images = review.images();
    let refused: Vec<String> = review
        .broken(Level::Restricted, Version::LATEST)
        .iter()
        .map(|(control, hit)| format!("{}: {}", control.id, hit.found))
        .collect();
    let answer = Answer {
        patches: images.into_iter().map(|image| Patch::replace(image.pointer, "x".to_owned())).collect(),
        warnings: refused.clone(),
        notes: vec![("found", refused.len().to_string())],
        refused,
    };
    let text = answer.body(&review.uid);
    let json = serde_json::from_str(&text).unwrap_or(serde_json::Value::Null);
    let response = |key: &str| json.pointer(&format!("/response/{key}")).cloned().unwrap_or_default();
    assert_eq!(response("uid"), review.uid);
    assert!(response("allowed") == true || response("patch").is_null(), "{text}");
}
