//! Key sets of issuers, remembered. It fetches nothing: it says when to, and what to do until then.
//!
//! An issuer that is down must not take our sign-ins down with it, so a stale set is used for a day. A token with an
//! unknown key may be the first after a rotation, so it is worth one fetch, but not one per token.

use std::{collections::HashMap, sync::Arc};

use boltseal_model::Timestamp;

use crate::jwks::Jwks;

/// Seconds for which a set is used without asking again. Issuers rotate daily at most and announce keys before.
pub const FRESH: i64 = 3600;
/// Seconds for which a set is used where the issuer cannot be reached.
pub const STALE: i64 = 24 * 3600;
/// Seconds between two fetches because of an unknown key.
pub const UNKNOWN_KEY_PAUSE: i64 = 60;
/// Seconds in which a fetch that began is expected to end.
const FETCH: i64 = 15;
/// Seconds to wait after the first failure, doubling up to the longest.
const FIRST_PAUSE: i64 = 5;
const LONGEST_PAUSE: i64 = 300;
/// Issuers remembered. Only configured ones are asked for, so more is a mistake.
pub const MAX_ISSUERS: usize = 256;

/// What is known of an issuer's keys.
#[derive(Clone, Debug)]
pub enum State {
    /// Use them.
    Fresh(Arc<Jwks>),
    /// Use them, and fetch anew where [`KeyCache::should_fetch`] says so.
    Stale(Arc<Jwks>),
    /// There are none: fetch.
    Missing,
}

/// The key sets of every issuer that was asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyCache {
    issuers: HashMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    keys: Option<(Arc<Jwks>, i64)>,
    /// No fetch before this second, whatever the reason.
    not_before: i64,
    failures: u32,
    /// When an unknown key was last worth a fetch.
    unknown: Option<i64>,
    last_asked: i64,
}

impl KeyCache {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known of the keys of `issuer`.
    pub fn state(&self, issuer: &str, now: Timestamp) -> State {
        let Some((keys, fetched)) = self.issuers.get(issuer).and_then(|entry| entry.keys.as_ref()) else {
            return State::Missing;
        };
        match now.as_second().saturating_sub(*fetched) {
            ..FRESH => State::Fresh(Arc::clone(keys)),
            FRESH..STALE => State::Stale(Arc::clone(keys)),
            _ => State::Missing,
        }
    }

    /// Whether to fetch now what is stale or missing. Yes is said once: whoever hears it fetches, then calls
    /// [`KeyCache::put`] or [`KeyCache::failed`], and others go on with what there is.
    pub fn should_fetch(&mut self, issuer: &str, now: Timestamp) -> bool {
        !matches!(self.state(issuer, now), State::Fresh(_)) && self.begin(issuer, now.as_second())
    }

    /// The same because a token names a key that is not in the set: at most once in [`UNKNOWN_KEY_PAUSE`].
    pub fn should_fetch_unknown_key(&mut self, issuer: &str, now: Timestamp) -> bool {
        let second = now.as_second();
        let entry = self.entry(issuer, second);
        if entry.unknown.is_some_and(|last| second < last.saturating_add(UNKNOWN_KEY_PAUSE)) {
            return false;
        }
        let begun = self.begin(issuer, second);
        if begun {
            self.entry(issuer, second).unknown = Some(second);
        }
        begun
    }

    /// Remembers a set that was fetched.
    pub fn put(&mut self, issuer: &str, keys: Jwks, now: Timestamp) -> Arc<Jwks> {
        let (keys, second) = (Arc::new(keys), now.as_second());
        let entry = self.entry(issuer, second);
        entry.keys = Some((Arc::clone(&keys), second));
        entry.failures = 0;
        entry.not_before = second;
        keys
    }

    /// Remembers that a fetch failed; the seconds until the next one is worth trying.
    pub fn failed(&mut self, issuer: &str, now: Timestamp) -> i64 {
        let second = now.as_second();
        let entry = self.entry(issuer, second);
        let pause = (FIRST_PAUSE << entry.failures.min(10)).min(LONGEST_PAUSE);
        entry.failures = entry.failures.saturating_add(1);
        entry.not_before = second.saturating_add(pause);
        pause
    }

    fn begin(&mut self, issuer: &str, now: i64) -> bool {
        let entry = self.entry(issuer, now);
        let free = entry.not_before <= now;
        if free {
            entry.not_before = now.saturating_add(FETCH);
        }
        free
    }

    fn entry(&mut self, issuer: &str, now: i64) -> &mut Entry {
        if self.issuers.len() >= MAX_ISSUERS && !self.issuers.contains_key(issuer) {
            let longest = self.issuers.iter().min_by_key(|(_, entry)| entry.last_asked);
            if let Some(longest) = longest.map(|(name, _)| name.clone()) {
                self.issuers.remove(&longest);
            }
        }
        let fresh = Entry { keys: None, not_before: i64::MIN, failures: 0, unknown: None, last_asked: now };
        let entry = self.issuers.entry(issuer.to_owned()).or_insert(fresh);
        entry.last_asked = now;
        entry
    }
}
