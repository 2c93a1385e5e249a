//! Policies in files that have to be signed: the newest one that was in force is remembered in the facts, so that an old one
//! with its old, right signature does not come back unnoticed.
//!
//! Whoever may change the file of a policy has every version that ever was signed. What they cannot make is a newer one.

use boltseal_model::Timestamp;
use boltseal_policy::{Issue, older};
use boltseal_store::{Document, Error as StoreError, Facts};
use serde::{Deserialize, Serialize};

use crate::ActivePolicy;

/// The kind of the only document of this.
const HELD: &str = "registry.policy-file";
const ID: &str = "newest";

/// The newest policy of a file that was in force.
#[derive(Serialize, Deserialize)]
struct Newest {
    name: String,
    text: String,
    revision: Option<u64>,
    signed_at: Option<Timestamp>,
    /// When it came into force.
    since: Timestamp,
}

/// Why the policy of a file does not come into force.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// The store did not answer, or with something else than was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is older than one that was in force.
    #[error("the policy file `{name}` is older than one that was in force since {since}: {why}")]
    Older {
        /// As the policy is called.
        name: String,
        /// When the newer one came into force.
        since: Timestamp,
        /// What tells its age.
        why: String,
    },
}

/// Remembers `policy`, which was signed, as the newest one of a file, or refuses it because it is an older one. With
/// `rollback` it is taken all the same, counts as the newest from then on, and the answer says why it is older.
pub async fn hold(
    facts: &Facts,
    policy: &ActivePolicy,
    now: Timestamp,
    rollback: bool,
) -> Result<Option<String>, HeldError> {
    let new = Issue {
        text: policy.policy.text_digest().clone(),
        revision: policy.policy.revision(),
        signed_at: policy.signed_at,
    };
    let corrupt = |detail: String| StoreError::Corrupt { what: HELD, detail };
    let known: Option<Newest> = facts
        .document(HELD, ID)
        .await?
        .map(|body| serde_json::from_str(&body).map_err(|wrong| corrupt(wrong.to_string())))
        .transpose()?;
    let mut signed_at = new.signed_at;
    let mut told = None;
    if let Some(known) = known {
        let text = known.text.parse().map_err(|_| corrupt(format!("`{}` is no digest", known.text)))?;
        let current = Issue { text, revision: known.revision, signed_at: known.signed_at };
        if current == new {
            return Ok(None);
        }
        told = older(&current, &new);
        match &told {
            Some(why) if !rollback => {
                let name = policy.policy.name().to_owned();
                return Err(HeldError::Older { name, since: known.since, why: why.clone() });
            }
            Some(_) => {}
            // The same text signed again, or a higher revision signed earlier, does not lower what was reached.
            None => signed_at = signed_at.max(known.signed_at),
        }
    }
    let newest = Newest {
        name: policy.policy.name().to_owned(),
        text: new.text.to_string(),
        revision: new.revision,
        signed_at,
        since: now,
    };
    let body = serde_json::to_string(&newest).map_err(|wrong| corrupt(wrong.to_string()))?;
    let document = Document { kind: HELD.to_owned(), id: ID.to_owned(), body: Some(body) };
    facts.change_settings(vec![document]).await?;
    Ok(told)
}
