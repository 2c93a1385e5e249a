//! One-time sign-in links, and patience with those who guess.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use boltseal_model::Timestamp;

use crate::{secret, session::LastUse};

/// How long a printed link stays good: long enough to walk to another machine, short enough to be lost in a log.
const LINK_SECONDS: i64 = 3600;
/// Links outstanding at once; issuing one more forgets the oldest, so that nobody can make us hoard them.
const MAX_LINKS: usize = 16;
/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 3;
/// The longest wait after a failure. Doubling reaches it at the tenth failure.
const MAX_WAIT_SECONDS: i64 = 300;
/// A source that has been quiet this long starts afresh.
const FORGET_SECONDS: i64 = 3600;
/// Sources remembered at once; bounds memory when addresses are plentiful. The longest quiet one makes room.
const MAX_SOURCES: usize = 10_000;

/// One-time links and failed attempts. Kept in memory: a restart voids links and forgives failures.
#[derive(Default)]
pub struct SignIn {
    links: Mutex<Vec<Link>>,
    sources: Mutex<HashMap<IpAddr, Failures>>,
    /// When each session was used last.
    pub(crate) last_use: LastUse,
}

struct Link {
    hash: [u8; 32],
    expires: i64,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
    not_before: i64,
}

impl SignIn {
    /// No links, no failures.
    pub fn new() -> Self {
        Self::default()
    }

    /// A path such as `/sign-in?code=…` that signs in once, within the hour. The binary prints it after its own
    /// address; it is kept here only as a hash.
    pub fn issue_link(&self, now: Timestamp) -> String {
        let code = secret::fresh();
        let mut links = lock(&self.links);
        if links.len() >= MAX_LINKS {
            links.remove(0);
        }
        links.push(Link { hash: secret::hash(&code), expires: now.as_second() + LINK_SECONDS });
        format!("/sign-in?code={code}")
    }

    /// Whether `code` is a link that is still good; it is not afterwards.
    pub(crate) fn redeem(&self, code: &str, now: Timestamp) -> bool {
        let hash = secret::hash(code);
        let mut links = lock(&self.links);
        links.retain(|link| link.expires > now.as_second());
        let before = links.len();
        links.retain(|link| !secret::same(&link.hash, &hash));
        links.len() < before
    }

    /// Seconds that `source` has to wait before its next attempt is looked at; 0 means go ahead.
    pub(crate) fn wait(&self, source: IpAddr, now: Timestamp) -> i64 {
        let sources = lock(&self.sources);
        sources.get(&whole_site(source)).map_or(0, |failures| (failures.not_before - now.as_second()).max(0))
    }

    /// Notes a failed attempt.
    pub(crate) fn failed(&self, source: IpAddr, now: Timestamp) {
        let now = now.as_second();
        let mut sources = lock(&self.sources);
        if sources.len() >= MAX_SOURCES {
            sources.retain(|_, failures| failures.last + FORGET_SECONDS > now);
            let quietest =
                sources.iter().min_by_key(|(_, failures)| failures.last).map(|(source, _)| *source);
            if let Some(quietest) = quietest.filter(|_| sources.len() >= MAX_SOURCES) {
                sources.remove(&quietest);
            }
        }
        let entry =
            sources.entry(whole_site(source)).or_insert(Failures { count: 0, last: now, not_before: 0 });
        if entry.last + FORGET_SECONDS <= now {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        let doublings = entry.count.saturating_sub(FREE_FAILURES).min(16);
        entry.not_before = if doublings == 0 { 0 } else { now + (1_i64 << doublings).min(MAX_WAIT_SECONDS) };
    }

    /// Forgives the failures of `source`.
    pub(crate) fn succeeded(&self, source: IpAddr) {
        lock(&self.sources).remove(&whole_site(source));
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn")
    }
}

/// A whole /64 belongs to one IPv6 customer, so it counts as one source (RFC 6177 section 2).
fn whole_site(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            },
            IpAddr::V4,
        ),
    }
}

/// Both tables stay meaningful even if a holder of the lock panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_signs_in_once_and_within_the_hour() {
        let sign_in = SignIn::new();
        let code = |link: String| link.strip_prefix("/sign-in?code=").unwrap().to_owned();
        let first = code(sign_in.issue_link(at(0)));
        let second = code(sign_in.issue_link(at(0)));
        assert_ne!(first, second);
        assert!(!sign_in.redeem("guess", at(1)));
        assert!(sign_in.redeem(&first, at(1)));
        assert!(!sign_in.redeem(&first, at(1)), "a link worked twice");
        assert!(!sign_in.redeem(&second, at(LINK_SECONDS)), "a link worked after its hour");
    }

    #[test]
    fn waits_double_per_source_and_end() {
        let sign_in = SignIn::new();
        let (guesser, other) = ("2001:db8::1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        let mut waits = Vec::new();
        for _ in 0..14 {
            sign_in.failed(guesser, at(0));
            waits.push(sign_in.wait(guesser, at(0)));
        }
        assert_eq!(waits, [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(sign_in.wait("2001:db8::ffff".parse().unwrap(), at(0)), 300, "same /64, same source");
        assert_eq!(sign_in.wait(other, at(0)), 0);
        assert_eq!(sign_in.wait(guesser, at(300)), 0);
        sign_in.succeeded(guesser);
        sign_in.failed(guesser, at(301));
        assert_eq!(sign_in.wait(guesser, at(301)), 0, "success forgives");
    }

    #[test]
    fn memory_is_bounded() {
        let sign_in = SignIn::new();
        for n in 0..=u32::try_from(MAX_SOURCES).unwrap() {
            sign_in.failed(IpAddr::V4(n.into()), at(i64::from(n) / 100));
        }
        assert_eq!(lock(&sign_in.sources).len(), MAX_SOURCES);
        for _ in 0..100 {
            sign_in.issue_link(at(0));
        }
        assert_eq!(lock(&sign_in.links).len(), MAX_LINKS);
    }
}
