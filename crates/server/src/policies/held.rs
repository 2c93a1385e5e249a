//! Policies in files that have to be signed: the newest one that was in force is remembered in the facts, so that an old one
//! with its old, right signature does not come back unnoticed.
//!
//! Whoever may change the file of a policy has every version that ever was signed. What they cannot make is a newer one.
//!
//! Of several servers on one database each has a file of its own. Which counts is decided in the database, and by all of them the
//! same way: the newest one that any of them had.

use boltseal_flow::endorsed::Endorsers;
use boltseal_model::Timestamp;
use boltseal_policy::{Issue, older};
use boltseal_store::{Document, Error as StoreError, Facts};
use serde::{Deserialize, Serialize};

use super::{Held, check, read};
use crate::ActivePolicy;

/// The kind of the documents of this.
const HELD: &str = "registry.policy-file";
/// The id of the one that says which it is, which servers look at all the time.
const ID: &str = "newest";
/// The id of the one that has it in whole.
const WHOLE: &str = "newest-whole";
/// How often others may be first.
const ATTEMPTS: usize = 20;

/// The newest policy of a file that was in force.
#[derive(Serialize, Deserialize)]
struct Newest {
    name: String,
    text: String,
    revision: Option<u64>,
    signed_at: Option<Timestamp>,
    /// When it came into force.
    since: Timestamp,
    /// Whether it is there in whole, too: an older version of this program remembered nothing more than this.
    #[serde(default)]
    whole: bool,
}

/// Why the policy of a file does not come into force.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// The store did not answer, or with something else than was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others changed it again and again.
    #[error("other servers put one policy file in force after the other: try again")]
    Busy,
    /// Another server's cannot be used here.
    #[error(
        "another server has put the policy file `{name}` ({digest}) in force, which cannot be used here: {why}"
    )]
    Unfit {
        /// As the policy is called.
        name: String,
        /// Of its text and the files that it names.
        digest: String,
        /// What is wrong.
        why: String,
    },
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
/// `rollback` it is taken all the same, counts as the newest from then on, and the answer says why it is older. `whole` is the
/// same for others, who take it from here.
///
/// Servers that do this at one moment come one after the other, in the order of the database's transactions: each is held
/// against what the one before it left.
pub async fn hold(
    facts: &Facts,
    policy: &ActivePolicy,
    whole: &Held,
    now: Timestamp,
    rollback: bool,
) -> Result<Option<String>, HeldError> {
    for _ in 0..ATTEMPTS {
        let known = facts.document(HELD, ID).await?;
        let Next { newest, told } = weigh(known.as_deref(), policy, now, rollback)?;
        let Some(newest) = newest else { return Ok(told) };
        let changes = vec![document(ID, &newest)?, document(WHOLE, whole)?];
        if facts.exchange_settings((HELD, ID), known, changes).await? {
            return Ok(told);
        }
    }
    Err(HeldError::Busy)
}

/// The newest policy of a file that was in force at any server, where that is not `policy`. It counts instead, as far as
/// `endorsers` vouch for it: two servers never judge by different ones.
pub async fn newest_held(
    facts: &Facts,
    endorsers: &Endorsers,
    policy: &ActivePolicy,
) -> Result<Option<ActivePolicy>, HeldError> {
    let Some(known) = facts.document(HELD, ID).await? else { return Ok(None) };
    let known = parse(&known)?;
    if known.text == policy.policy.text_digest().to_string() {
        return Ok(None);
    }
    let unfit = |why: String| HeldError::Unfit { name: known.name.clone(), digest: known.text.clone(), why };
    let whole = facts.document(HELD, WHOLE).await?.filter(|_| known.whole);
    let whole =
        whole.ok_or_else(|| unfit("an older version of this program kept only its digest".to_owned()))?;
    let whole: Held = serde_json::from_str(&whole).map_err(|wrong| corrupt(wrong.to_string()))?;
    let (policy, _) = read(&whole.text, &whole.files).map_err(unfit)?;
    // It may have been replaced since, and its files may have changed while they were read.
    if policy.text_digest().to_string() != known.text {
        return Err(unfit("it is not what is kept in whole".to_owned()));
    }
    let endorsed = check(endorsers, whole.bundle.as_deref(), &policy).map_err(unfit)?;
    let signed_at = endorsed.and_then(|endorsed| endorsed.at);
    Ok(Some(ActivePolicy { signed_at, ..ActivePolicy::of_file(policy, whole.text) }))
}

/// What is to be remembered, if anything, and why that is older.
struct Next {
    newest: Option<Newest>,
    told: Option<String>,
}

fn weigh(
    known: Option<&str>,
    policy: &ActivePolicy,
    now: Timestamp,
    rollback: bool,
) -> Result<Next, HeldError> {
    let new = Issue {
        text: policy.policy.text_digest().clone(),
        revision: policy.policy.revision(),
        signed_at: policy.signed_at,
    };
    let (mut signed_at, mut since, mut told) = (new.signed_at, now, None);
    if let Some(known) = known.map(parse).transpose()? {
        let text = known.text.parse().map_err(|_| corrupt(format!("`{}` is no digest", known.text)))?;
        let current = Issue { text, revision: known.revision, signed_at: known.signed_at };
        if current == new {
            if known.whole {
                return Ok(Next { newest: None, told: None });
            }
            since = known.since;
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
        since,
        whole: true,
    };
    Ok(Next { newest: Some(newest), told })
}

fn document(id: &str, said: &impl Serialize) -> Result<Document, StoreError> {
    let body = serde_json::to_string(said).map_err(|wrong| corrupt(wrong.to_string()))?;
    Ok(Document { kind: HELD.to_owned(), id: id.to_owned(), body: Some(body) })
}

fn parse(body: &str) -> Result<Newest, StoreError> {
    serde_json::from_str(body).map_err(|wrong| corrupt(wrong.to_string()))
}

fn corrupt(detail: String) -> StoreError {
    StoreError::Corrupt { what: HELD, detail }
}
