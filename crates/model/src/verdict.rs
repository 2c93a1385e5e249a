//! What a policy says about an image.

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp};

/// The four answers. Ordered: the worst of several reasons decides, and `Unknown` never becomes `Allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Every rule is satisfied.
    Allow,
    /// Allowed, with something to look at.
    Warn,
    /// The facts do not suffice to decide; treated as a refusal.
    Unknown,
    /// A rule forbids it.
    Deny,
}

impl Decision {
    /// The word as used in JSON, tables and headers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Deny => "deny",
        }
    }

    /// Whether a gate lets the image pass.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Allow | Self::Warn)
    }

    /// The process exit code: 0 pass, 1 refused, 3 could not decide (design, section 5).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Allow | Self::Warn => 0,
            Self::Deny => 1,
            Self::Unknown => 3,
        }
    }
}

/// A policy's answer about one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst decision of all reasons; `Allow` without reasons.
    pub decision: Decision,
    /// Name of the policy.
    pub policy: String,
    /// Digest of the policy's text, so that a verdict names exactly what it was made from.
    pub policy_digest: Digest,
    /// Id of the feed snapshot it was judged with, if there was one.
    pub snapshot: Option<String>,
    /// Worst first.
    pub reasons: Vec<Reason>,
    /// When the answer may change without new facts (an exception or a grace period ends, a feed turns stale).
    pub expires: Option<Timestamp>,
}

/// Why a rule did not simply allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// What this reason alone would decide.
    pub decision: Decision,
    /// Name of the rule in the policy file.
    pub rule: String,
    /// What was found: `CVE-2024-1 in openssl 3.0.11 (critical)`.
    pub found: String,
    /// What the rule wants: `no fixable critical`.
    pub wanted: String,
    /// The next step: `apt-get install openssl=3.0.13-1~deb12u1`.
    pub fix: Option<String>,
    /// The exception that pardoned it, if one did; then `decision` is allow or warn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

impl Verdict {
    /// One sentence for a client that can show only one: the worst reason, what is wanted instead, what to do, and how many
    /// more reasons there are.
    pub fn sentence(&self) -> String {
        let Some(worst) = self.reasons.first() else {
            return format!("{} (policy {})", self.decision.word(), self.policy);
        };
        let more = self.reasons.iter().filter(|r| r.decision == worst.decision).count().saturating_sub(1);
        let more = if more == 0 { String::new() } else { format!("; {more} more") };
        let fix = worst.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        format!(
            "{}: {} (policy {}, rule {}); wanted: {}{fix}{more}",
            self.decision.word(),
            worst.found,
            self.policy,
            worst.rule,
            worst.wanted
        )
    }
}
