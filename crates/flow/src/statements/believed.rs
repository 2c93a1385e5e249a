//! Whom a policy believes, ready to verify with.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use boltseal_model::{Reference, Timestamp, Window};
use boltseal_policy::{Known, Policy, Text};
use boltseal_trust::{Authority, Clocks, Pattern, PatternError, Refusal, Root, Who};

use crate::notary::Source;

/// What an image without a registry's name is called where a trust policy would have to speak about its repository.
const NAMELESS: &str = "an image that is in no registry";

/// The authorities of a policy, with their keys, roots and certificates read.
#[derive(Clone, Debug, Default)]
pub struct Believed {
    /// Known by a key or by an identity, whichever image it is.
    holders: Vec<Authority>,
    /// Trust policies of Notary Project: who that is depends on the image and on the time.
    notaries: Vec<Notary>,
}

#[derive(Clone, Debug)]
struct Notary {
    /// How many authorities the policy has before it.
    place: usize,
    name: String,
    window: Window,
    source: Arc<Source>,
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
    /// A trust policy of Notary Project, a certificate or a list that is none.
    #[error("authority `{name}`: {why}")]
    Notary {
        /// As the policy calls it.
        name: String,
        /// What is wrong.
        why: String,
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
    /// Those known by a key or by an identity, in the order of the policy: they may say something about anything.
    pub fn holders(&self) -> &[Authority] {
        &self.holders
    }

    /// All of them, in the order of the policy, as they are believed at `now` about the image that goes by `name` in a registry.
    pub fn about(&self, name: Option<&Reference>, now: Timestamp) -> Cow<'_, [Authority]> {
        if self.notaries.is_empty() {
            return Cow::Borrowed(&self.holders);
        }
        let repository = name.map(Reference::name);
        let mut all = self.holders.clone();
        // In order, so that each place is right once those before it are in.
        for Notary { place, name, window, source } in &self.notaries {
            // Without a name only a statement about all images fits.
            let who = match source.trust(repository.as_deref().unwrap_or_default()) {
                Some(trust) => Who::Notary { trust: Arc::new(trust), now },
                None => Who::Unspoken { about: repository.clone().unwrap_or_else(|| NAMELESS.to_owned()) },
            };
            let authority = Authority { name: name.clone(), who, window: *window };
            all.insert((*place).min(all.len()), authority);
        }
        Cow::Owned(all)
    }

    /// Those of `policy`.
    pub fn of(policy: &Policy) -> Result<Self, BelievedError> {
        let mut roots: HashMap<&str, Arc<Root>> = HashMap::new();
        let mut authorities: Vec<Authority> = Vec::with_capacity(policy.authorities().len());
        let mut notaries = Vec::new();
        for (place, one) in policy.authorities().iter().enumerate() {
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
                Known::Notary(notary) => {
                    let source =
                        Source::of(notary).map_err(|why| BelievedError::Notary { name: name(), why })?;
                    let source = Arc::new(source);
                    notaries.push(Notary { place, name: name(), window: one.window, source });
                    continue;
                }
            };
            if let Some(twin) = authorities.iter().find(|other| same_key(&other.who, &who)) {
                return Err(BelievedError::Twin { name: name(), twin: twin.name.clone() });
            }
            authorities.push(Authority { name: name(), who, window: one.window });
        }
        Ok(Self { holders: authorities, notaries })
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
