//! Fetches what pending hard links link to, in one more pass over the layers concerned.

use std::collections::{BTreeMap, HashMap};

use boltseal_model::{Gap, GapKind, Want};

use super::{Ask, Entries, Kept, Node, Overlay, Pending, Stop};
use crate::{LayerName, tar::Kind};

/// The pending links by what they link to; a link is there under both of its targets' names.
type Wanted = HashMap<Box<str>, Vec<Box<str>>>;

impl Overlay<'_> {
    /// The uppermost layer at or below `below` that may have what pending links link to.
    pub fn pending(&self, below: u32) -> Option<u32> {
        let pending = self.nodes.values().filter_map(|node| match node {
            Node::Pending(pending) => Some(pending.layer.min(below)),
            _ => None,
        });
        pending.max()
    }

    /// Looks for targets of pending links among the entries of layer number `layer`.
    pub fn fetch(&mut self, layer: u32, name: &LayerName, entries: &mut dyn Entries) -> Result<(), Stop> {
        self.name = name.clone();
        let wanted = self.wanted(layer);
        let mut found: BTreeMap<Box<str>, Kept> = BTreeMap::new();
        while let Some(mut entry) = entries.next()? {
            let Some(paths) = wanted.get(entry.path.as_str()) else { continue };
            // Each of them costs about as much as eight looks at a name.
            self.step(8 * paths.len() as u64, &entry.path)?;
            let position = entries.headers();
            let reached = |path: &str| match self.nodes.get(path) {
                Some(Node::Pending(pending)) => pending.layer > layer || pending.position > position,
                _ => false,
            };
            let paths: Vec<Box<str>> = paths.iter().filter(|path| reached(path)).cloned().collect();
            let (Kind::File, Some(first)) = (entry.kind, paths.first()) else { continue };
            let Some(want) = self.pending_want(first) else { continue };
            let kept = self.keep(entries, &mut entry, Ask { path: first, want, inspects: false })?;
            // The content passes only once; names that want it in another way stay pending, and become gaps.
            for path in paths.iter().skip(1).filter(|path| self.pending_want(path) == Some(want)) {
                found.insert(path.clone(), kept.another());
            }
            found.insert(first.clone(), kept);
        }
        for (path, kept) in found {
            if let Some(Node::Pending(Pending { layer, meta, want, .. })) = self.nodes.get(path.as_ref()) {
                let (layer, meta, want) = (*layer, *meta, *want);
                self.put_kept(&path, layer, meta, want, kept);
            }
        }
        Ok(())
    }

    /// Makes a gap of every link that is still pending.
    pub fn give_up(&mut self) {
        let mut lost: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (path, node) in &self.nodes {
            if let Node::Pending(Pending { target: [written, _], .. }) = node {
                lost.push((path.clone(), written.clone()));
            }
        }
        for (path, target) in lost {
            let why = format!("a hard link to {}, which is not in the image", crate::error::shown(&target));
            self.gaps.push(Gap::new(GapKind::FileNotParsed, path.as_ref(), why));
            self.remove(&path);
        }
    }

    fn pending_want(&self, path: &str) -> Option<Want> {
        match self.nodes.get(path) {
            Some(Node::Pending(pending)) => Some(pending.want),
            _ => None,
        }
    }

    fn wanted(&self, layer: u32) -> Wanted {
        let mut wanted = Wanted::new();
        for (path, node) in &self.nodes {
            let Node::Pending(pending) = node else { continue };
            if pending.layer < layer {
                continue;
            }
            let [written, real] = &pending.target;
            wanted.entry(written.clone()).or_default().push(path.clone());
            if written != real {
                wanted.entry(real.clone()).or_default().push(path.clone());
            }
        }
        wanted
    }
}

impl Kept {
    /// The same for another name.
    fn another(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Content(content) | Self::Shared(content) => Self::Shared(content.clone()),
            Self::Gap(kind, why) => Self::Gap(*kind, why.clone()),
        }
    }
}
