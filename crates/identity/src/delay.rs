//! Patience with those who guess: an exponential delay per principal and network.
//!
//! There is no lock-out: whoever guesses a name waits, and only there. The principal itself signs in from another
//! network as if nothing had happened.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use boltseal_model::Timestamp;

use crate::primitive::sha256;

/// Failures that cost nothing: people mistype.
pub const FREE_FAILURES: u32 = 3;
/// The longest wait after a failure, in seconds. Doubling reaches it at the twelfth failure.
pub const MAX_WAIT: i64 = 300;
/// Seconds of quiet after which a pair starts afresh.
pub const FORGET: i64 = 3600;
/// Pairs remembered at once, about 1 MiB. The one with the fewest failures makes room, the longest quiet first, so
/// that spraying new names does not wash away a wait.
pub const MAX_PAIRS: usize = 10_000;

/// Who is guessed at and from where. The name may be anything, so its digest is kept.
type Pair = ([u8; 16], IpAddr);

/// Failed attempts. Kept in memory: a restart forgives.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    pairs: HashMap<Pair, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: i64,
    not_before: i64,
}

impl Delays {
    /// No failures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seconds to wait before the next attempt of this pair is looked at; 0 means go ahead.
    pub fn wait(&self, name: &str, from: IpAddr, now: Timestamp) -> i64 {
        let failures = self.pairs.get(&pair(name, from));
        failures.map_or(0, |failures| failures.not_before.saturating_sub(now.as_second()).clamp(0, MAX_WAIT))
    }

    /// Notes a failed attempt; the seconds to wait from now on.
    pub fn failed(&mut self, name: &str, from: IpAddr, now: Timestamp) -> i64 {
        let (pair, now) = (pair(name, from), now.as_second());
        if !self.pairs.contains_key(&pair) {
            self.make_room(now);
        }
        let failures = self.pairs.entry(pair).or_insert(Failures { count: 0, last: now, not_before: 0 });
        if failures.last.saturating_add(FORGET) <= now {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        let doublings = failures.count.saturating_sub(FREE_FAILURES).min(16);
        let wait = if doublings == 0 { 0 } else { (1_i64 << doublings).min(MAX_WAIT) };
        failures.not_before = now.saturating_add(wait);
        wait
    }

    /// Forgives the failures of this pair.
    pub fn succeeded(&mut self, name: &str, from: IpAddr) {
        self.pairs.remove(&pair(name, from));
    }

    /// Pairs remembered now; at most [`MAX_PAIRS`].
    pub fn remembered(&self) -> usize {
        self.pairs.len()
    }

    fn make_room(&mut self, now: i64) {
        if self.pairs.len() < MAX_PAIRS {
            return;
        }
        self.pairs.retain(|_, failures| failures.last.saturating_add(FORGET) > now);
        if self.pairs.len() >= MAX_PAIRS {
            let least = self.pairs.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
            if let Some(least) = least.map(|(pair, _)| *pair) {
                self.pairs.remove(&least);
            }
        }
    }
}

fn pair(name: &str, from: IpAddr) -> Pair {
    // Case does not matter in names, so it must not make a fresh start either.
    let digest = sha256(name.to_ascii_lowercase().as_bytes());
    (digest.first_chunk().copied().unwrap_or_default(), network(from))
}

/// The network of an address. A /64 belongs to one IPv6 customer (RFC 6177 section 2); a /24 is the smallest network
/// that is routed in IPv4.
pub fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            },
            |v4| network(IpAddr::V4(v4)),
        ),
    }
}
