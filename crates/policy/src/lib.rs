//! Facts about an image and a policy file to a verdict with its reasons.

mod content;
mod coverage;
mod decide;
mod describe;
mod error;
mod exception;
mod facts;
mod judge;
mod license;
mod pattern;
mod policy;
mod rule;
mod text;
mod vulnerability;

pub use decide::{decide, unscanned};
pub use describe::{ExceptionDoc, RuleDoc, describe, exceptions};
pub use error::Error;
pub use facts::{Facts, Findings};
pub use policy::Policy;
