//! Policies that somebody signed: a bundle beside the file, over the digest of the policy and so over every file that it
//! names. Who may change the files of a server is then not yet who may change what it enforces.
//!
//! Who may sign is the holder of a key, or an identity of a sigstore instance, such as a pipeline: whoever stops a pipeline from
//! signing then has no key to take away.
//!
//! The statement has a type of its own, so that no signature of an image is ever taken for one of a policy.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use boltseal_model::Timestamp;
use boltseal_policy::Policy;
use boltseal_trust::{Authority, Evidence, Form, Pattern, Refusal, Root, Statement, Who, verify};
use serde_json::{Value, json};

/// What is said about a policy.
pub const POLICY_TYPE: &str = "https://boltseal.io/statement/policy/v1";
/// What the file of a bundle ends with, behind the name of the policy's file.
const ENDING: &str = ".sigstore.json";
/// Bytes of a bundle: one by a key has some kilobytes.
const MAX_BUNDLE: u64 = 1 << 20;
/// Whoever may sign policies is a handful of people.
const MAX_SIGNERS: usize = 20;

/// Whose policies are used; without any, everybody's.
#[derive(Clone, Debug, Default)]
pub struct Endorsers(Vec<Authority>);

/// Who signed a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsed {
    /// By the name of the key, or of the identity.
    pub by: String,
    /// When, as they say themselves: enough to tell which of two of theirs is the older one.
    pub at: Option<Timestamp>,
}

/// Why a policy is not used.
#[derive(Debug, thiserror::Error)]
pub enum EndorsedError {
    /// A public key that is none.
    #[error("{name}: {why}")]
    Key {
        /// The file of the key.
        name: String,
        /// What is wrong.
        why: Refusal,
    },
    /// Too many signers.
    #[error("more than {MAX_SIGNERS} keys and identities that may sign policies")]
    Many,
    /// It is not signed.
    #[error("{policy} is not signed: {bundle}: {why}")]
    Unsigned {
        /// The file of the policy.
        policy: String,
        /// Where its signature should be.
        bundle: String,
        /// What the system says.
        why: io::Error,
    },
    /// It is signed, but not by whom it should be, or not as it is now.
    #[error("{policy} is not signed by whom this server believes: {why}")]
    Refused {
        /// The file of the policy.
        policy: String,
        /// What is wrong with the signature.
        why: Refusal,
    },
    /// Something else is signed.
    #[error("{policy}: its bundle says `{found}` about it and not that it is a policy")]
    Other {
        /// The file of the policy.
        policy: String,
        /// The type of the statement.
        found: String,
    },
}

impl Endorsers {
    /// Holders of these keys: what each is called, and its public half in PEM.
    pub fn new(keys: Vec<(String, String)>) -> Result<Self, EndorsedError> {
        let holder = |(name, pem): (String, String)| match pem.parse() {
            Ok(key) => Ok(Authority::new(name, Who::Key { key, root: None, clocks: None })),
            Err(why) => Err(EndorsedError::Key { name, why }),
        };
        keys.into_iter().map(holder).collect::<Result<Vec<_>, _>>().and_then(Self::few)
    }

    /// These identities, too, for which `issuer` vouches: with certificates, logs and clocks of `root`.
    pub fn with_identities(
        mut self,
        subjects: &[String],
        issuer: &str,
        root: &Arc<Root>,
    ) -> Result<Self, EndorsedError> {
        self.0.extend(subjects.iter().map(|subject| {
            let (exact, issuer) = (Pattern::Exact(subject.clone()), Pattern::Exact(issuer.to_owned()));
            Authority::new(subject, Who::Identity { subject: exact, issuer, root: Arc::clone(root) })
        }));
        Self::few(self.0)
    }

    fn few(all: Vec<Authority>) -> Result<Self, EndorsedError> {
        if all.len() > MAX_SIGNERS { Err(EndorsedError::Many) } else { Ok(Self(all)) }
    }

    /// Whether a policy has to be signed.
    pub const fn ask(&self) -> bool {
        !self.0.is_empty()
    }

    /// Who signed the policy in the file at `path`, and when; `None` where nobody has to.
    pub fn check(&self, path: &Path, policy: &Policy) -> Result<Option<Endorsed>, EndorsedError> {
        if !self.ask() {
            return Ok(None);
        }
        let (shown, bundle) = (path.display().to_string(), bundle_of(path));
        let mut bytes = Vec::new();
        File::open(&bundle).and_then(|file| file.take(MAX_BUNDLE).read_to_end(&mut bytes)).map_err(
            |why| EndorsedError::Unsigned {
                policy: shown.clone(),
                bundle: bundle.display().to_string(),
                why,
            },
        )?;
        self.weigh(&bytes, &shown, policy).map(Some)
    }

    /// Whose `bundle` about `policy` is, which messages call `shown`.
    pub fn weigh(&self, bundle: &[u8], shown: &str, policy: &Policy) -> Result<Endorsed, EndorsedError> {
        let evidence = Evidence { form: Form::Bundle, bytes: bundle, annotations: &BTreeMap::new() };
        let signed = verify(&evidence, policy.text_digest(), &self.0)
            .map_err(|why| EndorsedError::Refused { policy: shown.to_owned(), why })?;
        match signed.statement {
            Some(Statement { predicate_type, predicate }) if predicate_type == POLICY_TYPE => {
                let at = predicate.get("signedAt").and_then(Value::as_str).and_then(|at| at.parse().ok());
                Ok(Endorsed { by: signed.authority, at })
            }
            other => {
                let found = other.map(|statement| statement.predicate_type).unwrap_or_default();
                Err(EndorsedError::Other { policy: shown.to_owned(), found })
            }
        }
    }
}

/// Where the signature of the policy in the file at `path` is.
pub fn bundle_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// What is signed about `policy`, about its [digest](Policy::text_digest) and under its name, to say at `now` that it may be used.
pub fn endorsement(policy: &Policy, now: Timestamp) -> Statement {
    let predicate = json!({
        "name": policy.name(),
        "revision": policy.revision(),
        "files": policy.files(),
        "signedAt": now.to_string(),
    });
    Statement { predicate_type: POLICY_TYPE.to_owned(), predicate }
}
