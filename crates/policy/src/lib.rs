//! Facts about an image and a policy file to a verdict with its reasons.
//!
//! A policy is a YAML file of typed rules and of exceptions that end. One function, [`decide`], applies it everywhere:
//! in CI, in the registry, at admission. It is pure: no clock, no files, no network, and the same bytes for the same
//! facts.
//!
//! ```
//! use boltseal_model::{Decision, Subject, Timestamp};
//! use boltseal_policy::{Facts, Findings, Policy, decide};
//!
//! let policy = Policy::parse(
//!     "version: 1
//! name: shop
//! rules:
//!   - name: our-registry
//!     effect: deny
//!     images: { allow: [registry.example.com/shop] }
//! ",
//! )?;
//! let subject = Subject {
//!     reference: "docker://debian:12".into(),
//!     name: "debian:12".parse().ok(),
//!     digest: None,
//!     config: None,
//!     platform: None,
//! };
//! let facts = Facts {
//!     subject: &subject,
//!     snapshot: None,
//!     distro: None,
//!     gaps: &[],
//!     packages: &[],
//!     leaks: Some(&[]),
//!     misconfigurations: &[],
//!     unowned: &[],
//!     malware: &[],
//!     signatures: None,
//!     bases: None,
//!     findings: Findings::Plain(&[]),
//! };
//! let verdict = decide(&policy, &facts, Timestamp::UNIX_EPOCH);
//! assert_eq!(verdict.decision, Decision::Deny);
//! assert_eq!(verdict.reasons[0].found, "the image comes from docker.io/library/debian");
//! assert_eq!(verdict.reasons[0].wanted, "images from registry.example.com/shop only");
//! # Ok::<(), boltseal_policy::Error>(())
//! ```
//!
//! | type | what |
//! |---|---|
//! | [`Policy`] | a file, read and checked; [`Policy::built_in`] is the one nobody had to write |
//! | [`Facts`] | what is known about one image, borrowed |
//! | [`decide`], [`unscanned`] | the verdict about it, or about an image that nobody has looked at |
//! | [`Authority`] | whose signatures a policy counts; whoever verifies them calls them by these names |
//! | [`describe`], [`exceptions`] | a policy in words |
//! | [`Approval`] | that somebody approved an exception; [`Policy::with_approvals`] counts them |
//! | [`Cases`] | tests of a policy, as people write them beside it |
//! | [`compare`], [`Replayed`] | what differs between two policies, and between their verdicts |
//! | [`Issue`], [`older`] | which of two policies is the older one |
//! | [`Error`] | why a text is not a policy, with its line |
//!
//! Four things hold whatever the typed rules of a policy say; of a rule in CEL, whose author decides, the last two: more findings never improve a decision; what was not looked at is never
//! simply allowed by a policy that looks inside images; an exception never hides anything, it eases a decision in
//! sight; a verdict holds until [`expires`](boltseal_model::Verdict::expires).
//!
//! Limits, each a named constant with its reason: 1 MiB of text, 200 rules, 2,000 exceptions, 100 authorities, 16 levels, 50 reasons per
//! rule and decision. The guide for people is `docs/guide/policy.md`. YAML 1.2 by `serde-saphyr`; licence expressions
//! as in SPDX 2.3 annex D; purl as in the purl specification.
//!
//! A rule in CEL is [`boltseal_cel`] over the facts in their published form, within a counted budget, so that a decision
//! stays one answer to one question.
//!
//! This crate must not know: where a report came from, what time it is, or anything that reads or sends.

mod approval;
mod authority;
mod cases;
mod compare;
mod content;
mod coverage;
mod decide;
mod describe;
mod error;
mod exception;
mod expression;
mod facts;
mod file;
mod given;
mod judge;
mod kind;
mod license;
mod making;
mod notary;
mod pattern;
mod policy;
mod replay;
mod revision;
mod rule;
mod signed;
mod signing;
mod support;
mod text;
mod vex;
mod vulnerability;

pub use approval::{Approval, is_same_person};
pub use authority::{Authority, Known, Text};
pub use cases::{Case as Trial, Cases, Outcome};
pub use compare::{Change, What, compare};
pub use decide::{decide, unscanned};
pub use describe::{ExceptionDoc, RuleDoc, believed, describe, exceptions};
pub use error::Error;
pub use facts::{Facts, Findings};
pub use notary::{MAX_LIST, Notary, Pem};
pub use policy::Policy;
pub use replay::Replayed;
pub use revision::{Issue, older};
pub use vex::VexAuthors;
