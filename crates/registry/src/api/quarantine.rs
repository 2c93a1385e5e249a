//! `PATCH /acr/v1/<name>/_manifests/<digest>`: somebody decides about a manifest, whatever its verdict says.

use axum::http::StatusCode;
use boltseal_audit::Record;
use boltseal_model::{Digest, Quarantine, QuarantineState, Timestamp};
use serde::Deserialize;

use super::{Call, locks::invalid, uncancelled};
use crate::{
    failure::{Code, Failure},
    route::Named,
};

/// Bytes of details: a summary with a link to the report, not the report.
const MAX_DETAILS: usize = 8 << 10;
/// Characters of the details that the log keeps; an entry of it has a limit.
const MAX_RECORDED: usize = 2000;

/// What somebody decides.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decided {
    quarantine_state: QuarantineState,
    quarantine_details: Option<String>,
}

impl Decided {
    /// What of a change of attributes is about the quarantine, if anything is.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Change {
            quarantine_state: Option<QuarantineState>,
            quarantine_details: Option<String>,
        }
        let Change { quarantine_state, quarantine_details } =
            serde_json::from_slice(bytes).map_err(|error| {
                invalid(format!("send {{\"quarantineState\": \"Passed\" or \"Failed\", \"quarantineDetails\": …}}: {error}"))
            })?;
        let quarantine_details = quarantine_details.filter(|details| !details.is_empty());
        if quarantine_details.as_ref().is_some_and(|details| details.len() > MAX_DETAILS) {
            let message = format!("quarantineDetails have more than {MAX_DETAILS} bytes");
            return Err(Failure::new(Code::SizeInvalid, message).status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        match (quarantine_state, quarantine_details) {
            (Some(quarantine_state), quarantine_details) => {
                Ok(Some(Self { quarantine_state, quarantine_details }))
            }
            (None, Some(_)) => Err(invalid("quarantineState is missing".to_owned())),
            (None, None) => Ok(None),
        }
    }
}

impl Call {
    pub(super) async fn decide_quarantine(
        &self,
        repository: &str,
        digest: &Digest,
        decided: Decided,
        record: Record,
    ) -> Result<(), Failure> {
        let Decided { quarantine_state: state, quarantine_details: details } = decided;
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
        let record = record
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
        .await
    }
}
