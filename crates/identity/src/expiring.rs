//! A bounded set whose members end by themselves: revoked tokens, assertions already seen.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use boltseal_model::Timestamp;

/// The set is full of members that have not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} entries are remembered and none has expired")]
pub struct Full {
    /// Members allowed.
    pub limit: usize,
}

/// Members with the moment at which they are forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Expiring<K> {
    limit: usize,
    /// Made with the first member: most sets stay empty.
    ends: Option<HashMap<K, i64>>,
    /// The same, soonest end first.
    by_end: BTreeSet<(i64, K)>,
}

impl<K: Copy + Ord + Hash> Expiring<K> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, ends: None, by_end: BTreeSet::new() }
    }

    /// Whether `key` is new. It is remembered until `end`, and longer where it was already.
    pub(crate) fn add(&mut self, key: K, end: Timestamp, now: Timestamp) -> Result<bool, Full> {
        self.forget(now);
        // Rounded up, so that it is never forgotten a moment too soon.
        let end = end.as_second().saturating_add(1);
        let ends = self.ends.get_or_insert_with(HashMap::new);
        match ends.get(&key).copied() {
            Some(known) => {
                if known < end {
                    self.by_end.remove(&(known, key));
                    self.by_end.insert((end, key));
                    ends.insert(key, end);
                }
                Ok(false)
            }
            None if ends.len() >= self.limit => Err(Full { limit: self.limit }),
            None => {
                ends.insert(key, end);
                self.by_end.insert((end, key));
                Ok(true)
            }
        }
    }

    pub(crate) fn has(&self, key: &K) -> bool {
        self.ends.as_ref().is_some_and(|ends| ends.contains_key(key))
    }

    fn forget(&mut self, now: Timestamp) {
        let now = now.as_second();
        while let Some((end, key)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            self.by_end.remove(&(end, key));
            if let Some(ends) = &mut self.ends {
                ends.remove(&key);
            }
        }
    }
}
