//! What somebody decided about a manifest of a repository, whatever its verdict says: ACR's quarantine.
//!
//! The verdict is the rule and this is the exception: a scanner or a person with the role for it says `Passed` or
//! `Failed`, and what they said is shown, with their name, wherever the image is asked about.

use axum::http::HeaderValue;
use boltseal_model::{Digest, Quarantine};
use serde_json::json;

use crate::{
    failure::Failure,
    gate::{refusal, warning},
};

/// Why it may not be pulled.
pub(crate) fn against(decided: &Quarantine, manifest: &Digest) -> Failure {
    let detail = json!({
        "policy": null,
        "state": "quarantined",
        "digest": manifest,
        "reasons": [],
        "quarantineDetails": decided.details,
        "by": decided.by,
        "at": decided.at.to_string(),
    });
    refusal(&decided.sentence(), detail)
}

/// What is told along with an image that may be pulled against its verdict.
pub(crate) fn released(decided: &Quarantine, verdict: &str) -> HeaderValue {
    warning(&decided.released(verdict))
}
