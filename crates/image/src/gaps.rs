//! Gaps of a tree, as many as a reader can use.

use boltseal_model::{Gap, GapKind};

/// Lists the first ones and counts the rest: an image of a million unreadable files is told in a few lines.
pub struct Gaps {
    list: Vec<Gap>,
    limit: usize,
    more: u64,
}

impl Gaps {
    pub const fn new(limit: usize) -> Self {
        Self { list: Vec::new(), limit, more: 0 }
    }

    pub fn push(&mut self, gap: Gap) {
        if self.list.len() < self.limit { self.list.push(gap) } else { self.more += 1 }
    }

    pub fn finish(mut self) -> Vec<Gap> {
        if self.more > 0 {
            let why = format!("{} more gaps are not listed", self.more);
            self.list.push(Gap::new(GapKind::LimitReached, "image", why));
        }
        self.list
    }
}
