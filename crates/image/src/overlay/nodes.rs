//! What is remembered of the files so far, and what that costs.

use std::sync::Arc;

use boltseal_model::{FileMeta, Gap, GapKind, Want};

use super::{Kept, Overlay};
use crate::Error;

/// What the map of nodes costs besides names and contents, about.
const NODE_COST: u64 = 128;

/// Something that was asked for.
pub enum Node {
    File { layer: u32, meta: FileMeta, want: Want, content: Arc<[u8]>, earlier: Vec<(u32, Arc<[u8]>)> },
    Link { layer: u32, target: Box<str> },
    Pending(Pending),
}

/// A hard link whose content has to be fetched.
pub struct Pending {
    pub layer: u32,
    /// Headers of the layer before it: what comes later in the layer is not what it links to.
    pub position: u64,
    pub meta: FileMeta,
    pub want: Want,
    /// As written, and with symbolic links replaced.
    pub target: [Box<str>; 2],
}

impl Node {
    pub const fn layer(&self) -> u32 {
        match self {
            Self::File { layer, .. } | Self::Link { layer, .. } => *layer,
            Self::Pending(pending) => pending.layer,
        }
    }
}

impl Overlay<'_> {
    /// Replaces what is at `path` by what was kept of a file.
    pub(super) fn put_kept(&mut self, path: &str, layer: u32, meta: FileMeta, want: Want, kept: Kept) {
        let content = match kept {
            Kept::Content(content) => {
                self.kept += content.len() as u64;
                content
            }
            Kept::Shared(content) => content,
            Kept::Nothing => return self.remove(path),
            Kept::Gap(kind, why) => {
                self.gaps.push(Gap::new(kind, path, why));
                return self.remove(path);
            }
        };
        if self.kept > self.limits.kept {
            self.kept -= content.len() as u64;
            let why = format!("not read: the files to look into exceed {} bytes", self.limits.kept);
            self.gaps.push(Gap::new(GapKind::LimitReached, path, why));
            return self.remove(path);
        }
        let earlier = self.take_earlier(path, layer);
        self.put(path.to_owned(), Node::File { layer, meta, want, content, earlier });
    }

    /// The older versions of the file at `path`, if upper layers may still want to look at them.
    fn take_earlier(&mut self, path: &str, layer: u32) -> Vec<(u32, Arc<[u8]>)> {
        let Some(Node::File { layer: below, content, earlier, .. }) = self.nodes.get_mut(path) else {
            return Vec::new();
        };
        let mut versions = std::mem::take(earlier);
        let size = content.len() as u64;
        if *below < layer && self.earlier + size <= self.limits.earlier {
            self.earlier += size;
            versions.insert(0, (*below, content.clone()));
        }
        versions
    }

    pub(super) fn put(&mut self, path: String, node: Node) {
        self.remove(&path);
        let cost = cost(&path, &node);
        if self.names + cost > self.limits.names {
            let why = format!("not read: the names to remember exceed {} bytes", self.limits.names);
            self.gaps.push(Gap::new(GapKind::LimitReached, path, why));
            return;
        }
        self.names += cost;
        self.parent.forget();
        self.nodes.insert(path.into_boxed_str(), node);
    }

    pub(super) fn remove(&mut self, path: &str) {
        if let Some((path, node)) = self.nodes.remove_entry(path) {
            self.removed(&path, &node);
        }
    }

    /// Removes everything in the directory `dir` that came with a layer below `layer`.
    pub(super) fn remove_below(&mut self, dir: &str, layer: u32) -> Result<(), Error> {
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let from = std::ops::Bound::Included(prefix.as_str());
        let mut looks = 0;
        let gone: Vec<Box<str>> = self
            .nodes
            .range::<str, _>((from, std::ops::Bound::Unbounded))
            .take_while(|(path, _)| path.starts_with(&prefix))
            .inspect(|_| looks += 1)
            .filter(|(_, node)| node.layer() < layer)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.remove(&path);
        }
        self.step(looks, dir)
    }

    fn removed(&mut self, path: &str, node: &Node) {
        self.parent.forget();
        self.names -= cost(path, node).min(self.names);
        if let Node::File { content, .. } = node
            && Arc::strong_count(content) == 1
        {
            self.kept -= (content.len() as u64).min(self.kept);
        }
    }
}

fn cost(path: &str, node: &Node) -> u64 {
    let target = match node {
        Node::File { .. } => 0,
        Node::Link { target, .. } => target.len(),
        Node::Pending(pending) => pending.target.iter().map(|target| target.len()).sum(),
    };
    NODE_COST + (path.len() + target) as u64
}
