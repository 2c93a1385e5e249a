//! Facts about an image and a policy file to a verdict with its reasons.
//!
//! ```
//! use boltseal_policy::Policy;
//! let policy = Policy::parse("version: 1\nname: mine\nrules: []\n").unwrap();
//! assert_eq!(policy.name(), "mine");
//! ```

mod error;
mod facts;
mod policy;

pub use error::Error;
pub use facts::{Facts, Findings};
pub use policy::{Policy, RuleDoc, describe};

use boltseal_model::{Decision, Subject, Timestamp, Verdict};

/// What `policy` says about an image of which `facts` are known, at the moment `now`.
pub fn decide(policy: &Policy, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let _ = now;
    Verdict {
        decision: Decision::Unknown,
        policy: policy.name().to_owned(),
        policy_digest: policy.digest().clone(),
        snapshot: facts.snapshot.map(|snapshot| snapshot.id.clone()),
        reasons: Vec::new(),
        expires: None,
    }
}

/// What `policy` says about an image that nobody has scanned yet.
pub fn unscanned(policy: &Policy, subject: &Subject, now: Timestamp) -> Verdict {
    let _ = (subject, now);
    Verdict {
        decision: Decision::Unknown,
        policy: policy.name().to_owned(),
        policy_digest: policy.digest().clone(),
        snapshot: None,
        reasons: Vec::new(),
        expires: None,
    }
}
