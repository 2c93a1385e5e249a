//! A policy file, read and checked.

use boltseal_model::{Decision, Digest};

use crate::Error;

/// Named rules and exceptions, ready to judge with.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    digest: Digest,
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(yaml: &str) -> Result<Self, Error> {
        Ok(Self { name: "mine".to_owned(), digest: Digest::of(yaml.as_bytes()) })
    }

    /// The policy that applies where nobody has chosen another: `default.yaml` beside this file.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: std::sync::OnceLock<Policy> = std::sync::OnceLock::new();
        BUILT_IN.get_or_init(|| Self { name: "default".to_owned(), digest: Digest::of(b"") })
    }

    /// The text of [`Policy::built_in`], to start an own policy from.
    pub const fn built_in_text() -> &'static str {
        ""
    }

    /// As the file says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the exact text it was read from.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A rule in words, for people who look at a policy without its file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RuleDoc {
    /// Its name in the file.
    pub name: String,
    /// What it decides when it applies: deny, warn or unknown.
    pub effect: Decision,
    /// What it is about: `vulnerabilities`, `coverage`, `feeds`, `images`, `packages`, `licenses`, `unscanned`.
    pub kind: &'static str,
    /// What it wants, in one sentence.
    pub wants: String,
    /// Why it is there, in the words of its author.
    pub why: Option<String>,
}

/// Every rule of `policy`, in the order of the file.
pub fn describe(policy: &Policy) -> Vec<RuleDoc> {
    let _ = policy;
    Vec::new()
}

impl Default for Policy {
    fn default() -> Self {
        Self::built_in().clone()
    }
}
