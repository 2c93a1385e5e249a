//! Layers, one on top of the other, down to the files that somebody wants (OCI layer specification, "Applying
//! Changesets").
//!
//! Only what was asked for is remembered, yet the outcome is that of a whole file system: whiteouts and opaque
//! directories hide what lies below, files replace directories and the other way round, a later entry replaces an
//! earlier one, hard links share content, and a name behind a symbolic link is the file it leads to. In all of this
//! containerd's unpacking is the model, since its view is the one a container gets.
//!
//! A wanted name may be a hard link to a file that nobody wanted when it passed. Those wait as [`Node::Pending`]; after
//! the last layer one more pass over the layers concerned fetches them (`links`).

mod inspect;
mod keep;
mod links;
mod place;
mod seen;

pub use inspect::{Inspection, Shown};
pub use keep::{Keeper, Kept};

use std::{collections::BTreeMap, io, sync::Arc};

use boltseal_model::{File, FileMeta, Gap, GapKind, Layer, Selector, Tree, Want};

use self::seen::{Outcome, Seen};
use crate::{
    At, Error, LayerName, Limits,
    gaps::Gaps,
    tar::{Entry, Kind, Source, Walker},
};

/// What the map of nodes costs besides names and contents, about.
const NODE_COST: u64 = 128;
const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";
/// Files of the union file system aufs that say nothing about the image.
const AUFS: &str = ".wh..wh.";

/// The selected files so far.
pub struct Overlay<'a> {
    selector: &'a dyn Selector,
    limits: &'a Limits,
    keeper: Keeper<'a>,
    nodes: BTreeMap<Box<str>, Node>,
    gaps: Gaps,
    layer: u32,
    name: LayerName,
    seen: Seen,
    parent: place::Parent,
    steps: u64,
    headers: u64,
    entries: u64,
    /// Bytes of kept contents, of their earlier versions, and of names.
    kept: u64,
    earlier: u64,
    names: u64,
}

/// Something that was asked for.
enum Node {
    File { layer: u32, meta: FileMeta, want: Want, content: Arc<[u8]>, earlier: Vec<(u32, Arc<[u8]>)> },
    Link { layer: u32, target: Box<str> },
    Pending(Pending),
}

/// A hard link whose content has to be fetched.
struct Pending {
    layer: u32,
    /// Headers of the layer before it: what comes later in the layer is not what it links to.
    position: u64,
    meta: FileMeta,
    want: Want,
    /// As written, and with symbolic links replaced.
    target: [Box<str>; 2],
}

impl Node {
    const fn layer(&self) -> u32 {
        match self {
            Self::File { layer, .. } | Self::Link { layer, .. } => *layer,
            Self::Pending(pending) => pending.layer,
        }
    }
}

impl<'a> Overlay<'a> {
    /// No layers yet.
    pub fn new(selector: &'a dyn Selector, limits: &'a Limits) -> Self {
        Self {
            selector,
            limits,
            keeper: Keeper::new(selector, limits),
            nodes: BTreeMap::new(),
            gaps: Gaps::new(limits.gaps),
            layer: 0,
            name: LayerName::Place(String::new()),
            seen: Seen::default(),
            parent: place::Parent::default(),
            steps: 0,
            headers: 0,
            entries: 0,
            kept: 0,
            earlier: 0,
            names: 0,
        }
    }

    /// Puts the archive in `source` on top, as layer number `layer`. Says whether the archive has an end.
    pub fn apply(&mut self, layer: u32, name: &LayerName, source: impl Source) -> Result<bool, Error> {
        self.layer = layer;
        self.name = name.clone();
        self.seen = Seen::default();
        self.parent.forget();
        let mut walker = Walker::new(source, self.limits);
        let before = self.headers;
        while let Some(mut entry) = walker.next().map_err(|error| error.of_layer(name))? {
            self.headers = before + walker.headers();
            if self.headers > self.limits.entries {
                return Err(self.limit("entries in the image", self.limits.entries, &entry.path));
            }
            self.entries += 1;
            self.entry(&mut walker, &mut entry)?;
        }
        self.headers = before + walker.headers();
        Ok(walker.ended())
    }

    /// Notes something that may hide something.
    pub fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// The tree. `bytes` are those of all archives.
    pub fn finish(self, layers: Vec<Layer>, bytes: u64) -> Tree {
        let mut tree =
            Tree { layers, gaps: self.gaps.finish(), entries: self.entries, bytes, ..Tree::default() };
        for (path, node) in self.nodes {
            match node {
                Node::File { layer, meta, content, earlier, .. } => {
                    tree.files.insert(path, File { layer, meta, content, earlier });
                }
                Node::Link { target, .. } => {
                    tree.links.insert(path, target);
                }
                Node::Pending(_) => {}
            }
        }
        tree
    }

    fn entry<S: Source>(&mut self, walker: &mut Walker<'_, S>, entry: &mut Entry) -> Result<(), Error> {
        let (dir, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        if name.is_empty() {
            return Ok(()); // the root directory itself
        }
        let Some(dir) = self.place(dir)? else {
            self.lost(&entry.path);
            return Ok(());
        };
        let path = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(&dir, name, hidden);
        }
        if entry.kind != Kind::Directory {
            self.remove_below(&path, u32::MAX)?;
        }
        match entry.kind {
            Kind::File => self.file(walker, entry, &path),
            Kind::HardLink => self.hard_link(walker.headers(), entry, path),
            Kind::Symlink => {
                let target = std::mem::take(&mut entry.target).into_boxed_str();
                self.put(path, Node::Link { layer: self.layer, target });
                Ok(())
            }
            Kind::Directory | Kind::Other => {
                self.remove(&path);
                Ok(())
            }
        }
    }

    fn whiteout(&mut self, dir: &str, name: &str, hidden: &str) -> Result<(), Error> {
        if name == OPAQUE {
            return self.remove_below(dir, self.layer);
        }
        if name.starts_with(AUFS) {
            return Ok(());
        }
        let path = if dir.is_empty() { hidden.to_owned() } else { format!("{dir}/{hidden}") };
        if matches!(hidden, "" | "." | "..") {
            let at = At::Entry(format!("{path}/{name}"));
            let why = "a whiteout that hides nothing nameable".to_owned();
            return Err(Error::Layer { layer: self.name.clone(), at, why });
        }
        if self.nodes.get(path.as_str()).is_some_and(|node| node.layer() < self.layer) {
            self.remove(&path);
        }
        self.remove_below(&path, self.layer)
    }

    fn file<S: Source>(
        &mut self,
        walker: &mut Walker<'_, S>,
        entry: &mut Entry,
        path: &str,
    ) -> Result<(), Error> {
        let meta = entry.meta;
        let want = self.selector.want(path, &meta);
        let inspects = meta.size > 0 && self.selector.inspects(path, &meta);
        let kept = match want {
            Want::Skip if !inspects => Kept::Nothing,
            _ => self.keep(walker, entry, path, want, inspects)?,
        };
        let outcome = if want == Want::Skip { Outcome::Unread } else { Outcome::Read(want) };
        self.seen.note(path, meta.size, outcome);
        self.put_kept(path, self.layer, meta, want, kept);
        Ok(())
    }

    /// What to remember of the content that is passing.
    fn keep<S: Source>(
        &mut self,
        walker: &mut Walker<'_, S>,
        entry: &mut Entry,
        path: &str,
        want: Want,
        inspects: bool,
    ) -> Result<Kept, Error> {
        let name = &self.name;
        let broken = |error: crate::tar::Error| error.about(path).of_layer(name);
        let mut inspection = Inspection::new(self.selector, self.layer, path);
        if let Some(bytes) = walker.at_hand(entry).map_err(broken)? {
            let remember = inspects && inspection.whole(bytes);
            return Ok(self.keeper.slice(path, want, bytes).remembered(remember));
        }
        let size = entry.meta.size;
        let mut content = walker.content(entry).map_err(broken)?;
        let lost = |source| of_io(source, name, path);
        if !inspects {
            return self.keeper.reader(path, size, want, &mut content).map_err(lost);
        }
        let mut shown = Shown { content, inspection: &mut inspection };
        let kept = self.keeper.reader(path, size, want, &mut shown).map_err(lost)?;
        shown.rest().map_err(lost)?;
        Ok(kept.remembered(inspection.finish()))
    }

    fn hard_link(&mut self, position: u64, entry: &Entry, path: String) -> Result<(), Error> {
        let written = entry.target.as_str();
        let (dir, base) = written.rsplit_once('/').unwrap_or(("", written));
        let Some(dir) = self.place(dir)? else {
            self.lost(&path);
            return Ok(());
        };
        let target = if dir.is_empty() { base.to_owned() } else { format!("{dir}/{base}") };
        let target = self.seen.original(&target).map_or(target, str::to_owned);
        let layer = self.layer;
        let sized = |size| FileMeta { size, ..entry.meta };
        let (meta, targets) = match self.nodes.get(target.as_str()) {
            Some(Node::Link { target, .. }) => {
                let target = target.clone();
                self.put(path, Node::Link { layer, target });
                return Ok(());
            }
            Some(Node::File { meta, want, content, .. }) => {
                let (meta, content) = (sized(meta.size), content.clone());
                let wanted = self.selector.want(&path, &meta);
                if wanted == *want {
                    self.seen.note(&path, meta.size, Outcome::Read(wanted));
                    self.put_kept(&path, layer, meta, wanted, Kept::Shared(content));
                    return Ok(());
                }
                (meta, None)
            }
            Some(Node::Pending(pending)) => (sized(pending.meta.size), Some(pending.target.clone())),
            None => (sized(self.seen.size(&target).unwrap_or(entry.meta.size)), None),
        };
        let want = self.selector.want(&path, &meta);
        self.remove(&path);
        if want == Want::Skip || self.seen.outcome(&target) == Some(Outcome::Read(want)) {
            // Not wanted; or looked at under its other name, and found to be nothing.
            self.seen.alias(&path, &target);
            return Ok(());
        }
        let target = targets.unwrap_or_else(|| [written.into(), target.as_str().into()]);
        self.put(path, Node::Pending(Pending { layer, position, meta, want, target }));
        Ok(())
    }

    /// Replaces what is at `path` by what was kept of a file.
    fn put_kept(&mut self, path: &str, layer: u32, meta: FileMeta, want: Want, kept: Kept) {
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

    fn put(&mut self, path: String, node: Node) {
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

    fn remove(&mut self, path: &str) {
        if let Some((path, node)) = self.nodes.remove_entry(path) {
            self.removed(&path, &node);
        }
    }

    /// Removes everything in the directory `dir` that came with a layer below `layer`.
    fn remove_below(&mut self, dir: &str, layer: u32) -> Result<(), Error> {
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

    /// The path leads in circles, or too far.
    fn lost(&mut self, path: &str) {
        let why = "lies behind symbolic links that lead nowhere; a container could not open it either";
        self.gaps.push(Gap::new(GapKind::FileNotParsed, path, why));
    }

    fn limit(&self, what: &'static str, limit: u64, path: &str) -> Error {
        Error::Limit { layer: self.name.clone(), at: At::Entry(path.to_owned()), what, limit }
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

/// An error while content was read: one of ours on its way through a reader, or the archive's end.
fn of_io(source: io::Error, layer: &LayerName, path: &str) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => Error::Layer {
            layer: layer.clone(),
            at: At::Entry(path.to_owned()),
            why: "the archive ends in the middle of the file".to_owned(),
        },
        Err(source) => Error::io(format!("layer {layer}, entry {}", crate::error::shown(path)), source),
    }
}
