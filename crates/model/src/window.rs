//! When what somebody signed counts.

use std::fmt;

use jiff::Timestamp;

/// A time within which signatures must be proven to be made. Without any limit it is always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From then on.
    pub not_before: Option<Timestamp>,
    /// Up to and including then: the key was replaced.
    pub not_after: Option<Timestamp>,
    /// Before then: the key was stolen, lost, or taken from its holder.
    pub revoked_at: Option<Timestamp>,
}

impl Window {
    /// Whether it has no limit.
    pub const fn is_always(&self) -> bool {
        self.not_before.is_none() && self.not_after.is_none() && self.revoked_at.is_none()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            ("counts from", self.not_before),
            ("counts until", self.not_after),
            ("was revoked at", self.revoked_at),
        ];
        let told: Vec<String> =
            limits.iter().filter_map(|(words, at)| at.map(|at| format!("{words} {at}"))).collect();
        f.write_str(if told.is_empty() { "counts always" } else { "" })?;
        f.write_str(&told.join(" and "))
    }
}
