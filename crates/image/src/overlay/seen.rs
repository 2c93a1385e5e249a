//! What is remembered of the files of one layer that were not kept, for hard links to them.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use boltseal_model::Want;

/// Files remembered per layer: 8 MiB of memory. Links to further ones cost a second pass, nothing else.
const MAX_FILES: usize = 1 << 18;
/// Bytes of names of hard links remembered per layer. Real layers have some kilobytes.
const MAX_ALIASES: usize = 8 << 20;

/// Files by the hash of their path: a name for each would be too much to remember. The hash is keyed, so nobody can
/// make two names meet on purpose.
#[derive(Default)]
pub struct Seen {
    hash: RandomState,
    files: HashMap<u64, (u64, Fate)>,
    aliases: HashMap<Box<str>, Box<str>>,
    alias_bytes: usize,
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nobody wanted it.
    Unread,
    /// It was looked at so.
    Read(Want),
}

impl Seen {
    pub fn note(&mut self, path: &str, size: u64, fate: Fate) {
        let key = self.hash.hash_one(path);
        if self.files.len() < MAX_FILES || self.files.contains_key(&key) {
            self.files.insert(key, (size, fate));
        }
        if !self.aliases.is_empty() {
            self.aliases.remove(path);
        }
    }

    pub fn size(&self, path: &str) -> Option<u64> {
        self.files.get(&self.hash.hash_one(path)).map(|(size, _)| *size)
    }

    pub fn fate(&self, path: &str) -> Option<Fate> {
        self.files.get(&self.hash.hash_one(path)).map(|(_, fate)| *fate)
    }

    /// Remembers that `path` is another name of `original`.
    pub fn alias(&mut self, path: &str, original: &str) {
        if path == original {
            return;
        }
        self.alias_bytes += path.len() + original.len() + 64;
        if self.alias_bytes <= MAX_ALIASES {
            self.aliases.insert(path.into(), original.into());
        }
    }

    /// What `path` is another name of.
    pub fn original(&self, path: &str) -> Option<&str> {
        self.aliases.get(path).map(|original| &**original)
    }
}
