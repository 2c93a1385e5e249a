//! `PATCH /acr/v1/<name>/_manifests/<digest>`: somebody decides about a manifest, whatever its verdict says.

use axum::{body::Body, http::StatusCode};
use boltseal_model::{Digest, Timestamp};
use serde::Deserialize;

use super::{Answer, Call, body::small, uncancelled};
use crate::{
    failure::{Code, Failure},
    quarantine::{Quarantine, QuarantineState},
    route::Named,
};

/// Bytes of details: a summary with a link to the report, not the report.
const MAX_DETAILS: usize = 8 << 10;
/// Bytes of the request: details with every sign escaped.
const MAX_CHANGE: usize = 64 << 10;
/// Characters of the details that the log keeps; an entry of it has a limit.
const MAX_RECORDED: usize = 2000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    quarantine_state: Option<QuarantineState>,
    quarantine_details: Option<String>,
    delete_enabled: Option<bool>,
    write_enabled: Option<bool>,
    list_enabled: Option<bool>,
    read_enabled: Option<bool>,
}

impl Call {
    pub(super) async fn decide_quarantine(&self, repository: &str, digest: &Digest, body: Body) -> Answer {
        let (bytes, _) = small(body, MAX_CHANGE).await?;
        let (state, details) = read(&bytes)?;
        let inner = self.registry.0.clone();
        let named = Named::Digest(digest.clone());
        if inner.held(repository, &named).await?.is_none() {
            let message = format!("{repository}@{digest} is not stored here");
            return Err(Failure::new(Code::ManifestUnknown, message));
        }
        let before = inner.gate.decision(repository, digest).await?;
        let word = |decision: &Option<Quarantine>| {
            decision.as_ref().map_or(QuarantineState::Quarantined, |decision| decision.state).word()
        };
        let recorded: String = details.as_deref().unwrap_or_default().chars().take(MAX_RECORDED).collect();
        let record = self
            .record
            .clone()
            .digest(digest)
            .status(format!("quarantine: {} before, {} now", word(&before), state.word()))
            .detail("before", word(&before))
            .detail("quarantine_state", state.word())
            .detail("quarantine_details", recorded);
        let decision = Quarantine {
            state,
            details,
            by: self.caller.name.to_string(),
            by_id: self.caller.id.to_string(),
            at: Timestamp::now(),
        };
        let text = match state {
            QuarantineState::Quarantined => None,
            _ => Some(serde_json::to_string(&decision).map_err(Failure::fault)?),
        };
        let facts = self.recording(&record);
        let (name, manifest) = (repository.to_owned(), digest.clone());
        uncancelled(async move {
            facts.set_quarantine(&name, &manifest, text).await?;
            inner.gate.decided(&name, &manifest);
            Ok(())
        })
        .await?;
        self.manifest_attributes(repository, digest).await
    }
}

fn read(bytes: &[u8]) -> Result<(QuarantineState, Option<String>), Failure> {
    let invalid = |message: String| Failure::new(Code::Unsupported, message).status(StatusCode::BAD_REQUEST);
    let change: Change = serde_json::from_slice(bytes).map_err(|error| {
        invalid(format!(
            "send {{\"quarantineState\": \"Passed\" or \"Failed\", \"quarantineDetails\": …}}: {error}"
        ))
    })?;
    let locks = [change.delete_enabled, change.write_enabled, change.list_enabled, change.read_enabled];
    if locks.contains(&Some(false)) {
        return Err(invalid("manifests cannot be locked here".to_owned()));
    }
    let state = change.quarantine_state.ok_or_else(|| invalid("quarantineState is missing".to_owned()))?;
    let details = change.quarantine_details.filter(|details| !details.is_empty());
    if details.as_ref().is_some_and(|details| details.len() > MAX_DETAILS) {
        let message = format!("quarantineDetails have more than {MAX_DETAILS} bytes");
        return Err(Failure::new(Code::SizeInvalid, message).status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok((state, details))
}
