//! Events that were taken already.

use std::collections::{HashSet, VecDeque};

use aws_lc_rs::digest;

use super::Ingested;
use crate::Record;

/// What makes an event the same when it is reported again: a hash of its id, whatever its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// Of the parts that name an event, in order.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(key)
    }
}

/// The keys of the last events, up to a limit; the oldest are forgotten first.
#[derive(Clone, Debug)]
pub struct Seen {
    limit: usize,
    keys: HashSet<Key>,
    order: VecDeque<Key>,
}

impl Seen {
    /// Remembers at most `limit` events (at least one), about 64 bytes each.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), keys: HashSet::new(), order: VecDeque::new() }
    }

    /// Remembers `key`; true where it is new.
    pub fn insert(&mut self, key: Key) -> bool {
        if !self.keys.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        true
    }

    /// The records of the events that are new, in order.
    pub fn fresh(&mut self, events: Vec<Ingested>) -> Vec<Record> {
        events.into_iter().filter(|event| self.insert(event.key)).map(|event| event.record).collect()
    }

    /// Forgets events that were remembered but not kept after all, so that they are new when they come again.
    pub fn forget<'a>(&mut self, keys: impl IntoIterator<Item = &'a Key>) {
        for key in keys {
            self.keys.remove(key);
        }
        self.order.retain(|key| self.keys.contains(key));
    }

    /// Events remembered.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
