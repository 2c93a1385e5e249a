//! The resolver of groups, on the address of the gateway: names of groups for those that may reach them, names of the world for
//! those that opened that. All others are refused, and what is asked is told.
//!
//! It listens before the first group is attached: the rules let groups reach this address at this port, so whoever listens there
//! is who they ask.
//!
//! Everything is bounded: what is sent, how many wait for others, how long, and how many of one group. What is too much is
//! dropped, and whoever asked asks again.

mod forward;
mod message;
mod names;
mod serve;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

pub use message::{Code, Question, Record, Wrong};
pub use names::{Decision, Names};

/// Questions that wait for the resolvers of the machine.
const MAX_WAITING: usize = 1_024;
/// Of one group.
const MAX_WAITING_OF_GROUP: usize = 64;
/// Resolvers that are asked, as `resolv.conf(5)` has it.
const MAX_RESOLVERS: usize = 3;

/// A question that was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The group that asked.
    pub group: String,
    /// About which name.
    pub name: String,
    /// What about it: 1 is an address.
    pub kind: u16,
    /// What it was told; nothing where it was told nothing, because too much is asked.
    pub code: Option<Code>,
    /// Whether others were asked for it.
    pub forwarded: bool,
}

/// A resolver.
#[derive(Clone)]
pub struct Resolver(Arc<Shared>);

struct Shared {
    names: RwLock<Arc<Names>>,
    resolvers: Vec<SocketAddr>,
    waiting: Mutex<Waiting>,
    log: Box<dyn Fn(Asked) + Send + Sync>,
}

/// Who waits for others.
#[derive(Default)]
struct Waiting {
    all: usize,
    of: BTreeMap<Ipv4Addr, usize>,
}

/// One that waits; no more when it is dropped.
struct Turn<'a> {
    shared: &'a Shared,
    from: Ipv4Addr,
}

impl Resolver {
    /// One that knows nobody yet. `resolvers` are those of the machine; `log` is told each question, and must not wait.
    pub fn new(resolvers: Vec<SocketAddr>, log: impl Fn(Asked) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            names: RwLock::default(),
            resolvers,
            waiting: Mutex::default(),
            log: Box::new(log),
        }))
    }

    /// From now on, these names are known.
    pub fn know(&self, names: Names) {
        *self.0.names.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("resolvers", &self.0.resolvers).finish_non_exhaustive()
    }
}

impl Shared {
    fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn turn(&self, from: Ipv4Addr) -> Option<Turn<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_group = waiting.of.get(&from).copied().unwrap_or(0);
        if waiting.all >= MAX_WAITING || of_group >= MAX_WAITING_OF_GROUP {
            return None;
        }
        waiting.all += 1;
        *waiting.of.entry(from).or_default() += 1;
        Some(Turn { shared: self, from })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.all = waiting.all.saturating_sub(1);
        if let Some(count) = waiting.of.get_mut(&self.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.of.remove(&self.from);
            }
        }
    }
}

/// The resolvers that a machine asks, by its `/etc/resolv.conf`.
pub fn resolvers(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver"));
    let addresses = servers.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    addresses.map(|address| SocketAddr::new(address, 53)).take(MAX_RESOLVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_of_a_machine() {
        let text = "# nameserver 192.0.2.9\nsearch example.com\nnameserver 127.0.0.53\n nameserver\t::1 # here\nnameserver x\noptions edns0\n";
        assert_eq!(resolvers(text), ["127.0.0.53:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(resolvers(&"nameserver 192.0.2.1\n".repeat(9)).len(), 3);
    }
}
