//! What people forbid, limit and take back, under `/api/v1`: one file a resource, in the words of `boltseal_api::life`.
//!
//! The store asks locks, rules and quotas itself, in the transaction of each change; here they are set and shown. What
//! the registry keeps in memory hears of it from the store.

pub(crate) mod locks;
pub(crate) mod rules;
pub(crate) mod trash;

use boltseal_audit::{Record, record::Activity};
use boltseal_identity::{Action, Scope};
use boltseal_model::{Digest, Reference};
use boltseal_store::Error as StoreError;

use crate::{State, control::By, failure::Failure, guard};

/// The registry that all of it is about.
const REGISTRY: &str = "main";

/// The record of something that the caller may do at a repository, or the reason why not.
async fn at_repository(
    state: &State,
    by: &By,
    activity: Activity,
    action: Action,
    repository: &str,
) -> Result<Record, Failure> {
    if !Reference::is_repository(repository) {
        let shown: String = repository.chars().take(80).collect();
        return Err(Failure::Asked(format!("`{shown}` is not the name of a repository")));
    }
    let scope = Scope::repository(REGISTRY, repository)
        .map_err(|_| Failure::Asked("the name of the repository cannot be that of a scope".to_owned()))?;
    let record = guard::may(state, &by.caller, &by.source, action, &scope).await?;
    Ok(Record { activity, ..record })
}

fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|wrong: boltseal_model::DigestError| Failure::Asked(wrong.to_string()))
}

/// A lock, a rule or a quota in the way is told in its own words.
fn failed(error: StoreError) -> Failure {
    match error {
        StoreError::Refused(refusal) => Failure::Conflict(refusal.to_string()),
        other => Failure::Store(other),
    }
}
