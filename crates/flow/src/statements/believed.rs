//! Whom a policy believes, ready to verify with.

use std::{collections::HashMap, sync::Arc};

use boltseal_policy::{Known, Policy, Text};
use boltseal_trust::{Authority, Clocks, Pattern, PatternError, Refusal, Root, Who};

/// The authorities of a policy, with their keys and roots read.
#[derive(Clone, Debug, Default)]
pub struct Believed {
    pub(crate) authorities: Vec<Authority>,
}

/// Why a policy names somebody whom nobody can recognise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BelievedError {
    /// A key or a root that is none.
    #[error("authority `{name}`: {why}")]
    Unreadable {
        /// As the policy calls it.
        name: String,
        /// What is wrong.
        why: Refusal,
    },
    /// A pattern that is none.
    #[error("authority `{name}`: {why}")]
    Pattern {
        /// As the policy calls it.
        name: String,
        /// What is wrong.
        why: PatternError,
    },
    /// The same key under two names: one person would be two of two.
    #[error("authority `{name}` has the same key as `{twin}`: use that name")]
    Twin {
        /// As the policy calls it.
        name: String,
        /// The other one.
        twin: String,
    },
}

impl Believed {
    /// All of them, in the order of the policy.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Those of `policy`.
    pub fn of(policy: &Policy) -> Result<Self, BelievedError> {
        let mut roots: HashMap<&str, Arc<Root>> = HashMap::new();
        let mut authorities: Vec<Authority> = Vec::with_capacity(policy.authorities().len());
        for one in policy.authorities() {
            let name = || one.name.clone();
            let unreadable = |why| BelievedError::Unreadable { name: name(), why };
            let who = match &one.who {
                Known::Key { pem, root: text, clocks } => Who::Key {
                    key: pem.parse().map_err(unreadable)?,
                    root: text
                        .as_deref()
                        .map(|text| root(&mut roots, text))
                        .transpose()
                        .map_err(unreadable)?,
                    clocks: clocks
                        .as_deref()
                        .map(|pem| pem.parse::<Clocks>().map(Arc::new))
                        .transpose()
                        .map_err(unreadable)?,
                },
                Known::Identity { subject, issuer, root: text } => {
                    let pattern =
                        |text| pattern(text).map_err(|why| BelievedError::Pattern { name: name(), why });
                    let root = root(&mut roots, text).map_err(unreadable)?;
                    Who::Identity { subject: pattern(subject)?, issuer: pattern(issuer)?, root }
                }
            };
            if let Some(twin) = authorities.iter().find(|other| same_key(&other.who, &who)) {
                return Err(BelievedError::Twin { name: name(), twin: twin.name.clone() });
            }
            authorities.push(Authority { name: name(), who, window: one.window });
        }
        Ok(Self { authorities })
    }
}

/// Roots are large, and most authorities have the same.
fn root<'p>(roots: &mut HashMap<&'p str, Arc<Root>>, text: &'p str) -> Result<Arc<Root>, Refusal> {
    if let Some(root) = roots.get(text) {
        return Ok(Arc::clone(root));
    }
    let root = Arc::new(Root::parse(text)?);
    roots.insert(text, Arc::clone(&root));
    Ok(root)
}

fn same_key(a: &Who, b: &Who) -> bool {
    matches!((a, b), (Who::Key { key: a, .. }, Who::Key { key: b, .. }) if a.digest() == b.digest())
}

fn pattern(text: &Text) -> Result<Pattern, PatternError> {
    match text {
        Text::Exact(text) => Ok(Pattern::Exact(text.clone())),
        Text::Pattern(pattern) => Pattern::anchored(pattern),
    }
}
