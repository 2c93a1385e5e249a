//! What our own rules stand against is recorded: a lock, an immutable tag, a quota.

use axum::http::Method;
use boltseal_audit::{
    Record,
    record::{Outcome, Why},
};

use super::Answer;
use crate::{Registry, failure::Failure};

/// What the log would say of a change that is refused.
pub(super) struct Refusals(Option<(Registry, Record)>);

impl Refusals {
    /// For a request that changes something. Refused pulls are recorded where they are refused, and cost others nothing.
    pub(super) fn of(registry: &Registry, method: &Method, record: &Record) -> Self {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        Self((!reads).then(|| (registry.clone(), record.clone())))
    }

    /// Records a refusal, and hands it on.
    pub(super) async fn note(self, answer: Answer) -> Answer {
        let failure = match answer {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        if let (Some((registry, record)), Some(rule)) = (self.0, failure.rule()) {
            note(&registry, record, &failure, rule).await?;
        }
        Err(failure)
    }
}

/// Records that a rule stood against something.
pub(super) async fn note(
    registry: &Registry,
    record: Record,
    failure: &Failure,
    rule: &str,
) -> Result<(), Failure> {
    registry.note(&record.outcome(Outcome::Denied).why(Why::rule(rule)).status(failure.message())).await
}
