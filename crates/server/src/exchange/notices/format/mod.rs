//! News as messages, one format a file. No I/O.
//!
//! Names of packages and repositories are other people's: each format takes them as plain text only.

mod email;
mod event;
mod slack;
mod teams;

use boltseal_api::notifications::{Rule, Target};
use boltseal_model::Timestamp;

use super::news::{Line, News};
use crate::parts::link;

/// What stands around a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) id: &'a str,
    /// Who sends it: `//HOST/…`.
    pub(super) source: &'a str,
    pub(super) now: Timestamp,
}

/// What is sent.
pub(super) fn body(rule: &Rule, news: &News, frame: &Frame<'_>) -> String {
    match rule.to {
        Target::Webhook { .. } => event::body(rule, news, frame),
        Target::Slack { .. } => slack::body(rule, news),
        Target::Teams { .. } => teams::body(rule, news),
        Target::Email { .. } => email::body(rule, news),
    }
}

/// The page of a vulnerability, where the rule says how the dashboard is reached.
fn page(rule: &Rule, line: &Line) -> Option<String> {
    Some(format!("{}{}", base(rule)?, link::vulnerability(&line.vulnerability)))
}

/// The page of what is newly vulnerable.
fn list(rule: &Rule) -> Option<String> {
    Some(format!("{}/findings/new", base(rule)?))
}

fn base(rule: &Rule) -> Option<&str> {
    rule.dashboard.as_deref().map(|address| address.trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
