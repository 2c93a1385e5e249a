//! What somebody decided about a manifest of a repository, whatever its verdict says: ACR's quarantine.
//!
//! The verdict is the rule and this is the exception: a scanner or a person with the role for it says `Passed` or
//! `Failed`, and what they said is shown, with their name, wherever the image is asked about. It holds in one
//! repository, since the right to say so does.

use axum::http::HeaderValue;
use boltseal_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    gate::{refusal, warning},
};

/// Characters of the details in a sentence; whoever asks for the attributes gets all.
const MAX_SHOWN: usize = 200;

/// ACR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum QuarantineState {
    /// Nobody decided: the verdict counts.
    Quarantined,
    /// It may be pulled.
    Passed,
    /// It may not.
    Failed,
}

/// A decision and whose it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quarantine {
    /// Passed or failed.
    pub(crate) state: QuarantineState,
    /// Why, in the words of whoever decided; often JSON.
    pub(crate) details: Option<String>,
    /// Name of who decided.
    pub(crate) by: String,
    /// Id of who decided, which stays when names change.
    pub(crate) by_id: String,
    /// When.
    pub(crate) at: Timestamp,
}

impl QuarantineState {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "Quarantined",
            Self::Passed => "Passed",
            Self::Failed => "Failed",
        }
    }
}

impl Quarantine {
    /// The reason in one line: `state` of the details where they are JSON as ACR describes it, else the details.
    fn reason(&self) -> String {
        let details = self.details.as_deref().unwrap_or_default();
        let parsed: Option<Value> = serde_json::from_str(details).ok();
        let state = parsed.as_ref().and_then(|value| value.get("state")).and_then(Value::as_str);
        let text = state.unwrap_or(details);
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(MAX_SHOWN).collect()
    }

    /// Why it may not be pulled.
    pub(crate) fn refusal(&self, manifest: &Digest) -> Failure {
        let reason = self.reason();
        let colon = if reason.is_empty() { "" } else { ": " };
        let detail = json!({
            "policy": null,
            "state": "quarantined",
            "digest": manifest,
            "reasons": [],
            "quarantineDetails": self.details,
            "by": self.by,
            "at": self.at.to_string(),
        });
        refusal(&format!("quarantined by {}{colon}{reason}", self.by), detail)
    }

    /// What is told along with an image that may be pulled against its verdict.
    pub(crate) fn warning(&self, verdict: &str) -> HeaderValue {
        warning(&format!("released by {} although {verdict}", self.by))
    }
}
