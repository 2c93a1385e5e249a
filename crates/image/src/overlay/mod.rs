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

mod archived;
mod entries;
mod inspect;
mod keep;
mod links;
mod nodes;
mod place;
mod seen;

pub use archived::{Archived, of_io};
pub use entries::{Ask, Entries, Outcome, Pause, Stop};
pub use inspect::{Inspection, Shown};
pub use keep::{Keeper, Kept, Passing};

use std::collections::BTreeMap;

use boltseal_model::{File, FileMeta, Gap, GapKind, Layer, Selector, Tree, Want};

use self::{
    nodes::{Node, Pending},
    seen::{Fate, Seen},
};
use crate::{
    At, Error, LayerName, Limits,
    gaps::Gaps,
    tar::{Entry, Kind},
};

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
    /// Headers of the layers before.
    before: u64,
    entries: u64,
    /// Bytes of kept contents, of their earlier versions, and of names.
    kept: u64,
    earlier: u64,
    names: u64,
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
            before: 0,
            entries: 0,
            kept: 0,
            earlier: 0,
            names: 0,
        }
    }

    /// Puts a layer on top, as number `layer`. Says whether its archive has an end.
    pub fn apply(&mut self, layer: u32, name: &LayerName, entries: &mut dyn Entries) -> Result<bool, Stop> {
        self.layer = layer;
        self.name = name.clone();
        self.seen = Seen::default();
        self.parent.forget();
        self.before = self.headers;
        self.go_on(entries, 0)
    }

    /// Goes on where an extract had no answer, with the archive that it was made from.
    pub fn resume(&mut self, pause: &Pause, entries: &mut dyn Entries) -> Result<bool, Stop> {
        let mut last = None;
        for _ in 0..pause.entries {
            last = entries.next()?;
        }
        // The archive's digest says at its end that it is another one; until then any answer will do.
        let Some(mut entry) = last.filter(|entry| entry.kind == Kind::File) else {
            return Ok(entries.ended());
        };
        let Pause { path, want, inspects, .. } = pause;
        self.file_wanted(entries, &mut entry, Ask { path, want: *want, inspects: *inspects })?;
        self.go_on(entries, pause.entries)
    }

    fn go_on(&mut self, entries: &mut dyn Entries, mut taken: u64) -> Result<bool, Stop> {
        while let Some(mut entry) = entries.next()? {
            taken += 1;
            self.headers = self.before + entries.headers();
            if self.headers > self.limits.entries {
                return Err(self.limit("entries in the image", self.limits.entries, &entry.path).into());
            }
            self.entries += 1;
            self.entry(entries, &mut entry).map_err(|stop| stop.after(taken))?;
        }
        self.headers = self.before + entries.headers();
        Ok(entries.ended())
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

    fn entry(&mut self, entries: &mut dyn Entries, entry: &mut Entry) -> Result<(), Stop> {
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
            return Ok(self.whiteout(&dir, name, hidden)?);
        }
        if entry.kind != Kind::Directory {
            self.remove_below(&path, u32::MAX)?;
        }
        match entry.kind {
            Kind::File => self.file(entries, entry, &path),
            Kind::HardLink => Ok(self.hard_link(entries.headers(), entry, path)?),
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

    fn file(&mut self, entries: &mut dyn Entries, entry: &mut Entry, path: &str) -> Result<(), Stop> {
        let meta = entry.meta;
        self.selector.passes(self.layer, path, &meta);
        let want = self.selector.want(path, &meta);
        let inspects = meta.size > 0 && self.selector.inspects(path, &meta);
        self.file_wanted(entries, entry, Ask { path, want, inspects })
    }

    fn file_wanted(
        &mut self,
        entries: &mut dyn Entries,
        entry: &mut Entry,
        ask: Ask<'_>,
    ) -> Result<(), Stop> {
        let Ask { path, want, inspects } = ask;
        let meta = entry.meta;
        let kept = match want {
            Want::Skip if !inspects => Kept::Nothing,
            _ => self.keep(entries, entry, ask)?,
        };
        let fate = if want == Want::Skip { Fate::Unread } else { Fate::Read(want) };
        self.seen.note(path, meta.size, fate);
        self.put_kept(path, self.layer, meta, want, kept);
        Ok(())
    }

    /// What to remember of a content.
    fn keep(&mut self, entries: &mut dyn Entries, entry: &mut Entry, ask: Ask<'_>) -> Result<Kept, Stop> {
        let Some(Outcome { kept, remarks }) = entries.keep(entry, ask, &mut self.keeper)? else {
            return Err(Stop::missing(ask));
        };
        let Some(remarks) = remarks.filter(|_| ask.inspects) else { return Ok(kept) };
        Ok(kept.remembered(self.selector.remark(self.layer, ask.path, &entry.meta, &remarks)))
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
                    self.seen.note(&path, meta.size, Fate::Read(wanted));
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
        if want == Want::Skip || self.seen.fate(&target) == Some(Fate::Read(want)) {
            // Not wanted; or looked at under its other name, and found to be nothing.
            self.seen.alias(&path, &target);
            return Ok(());
        }
        let target = targets.unwrap_or_else(|| [written.into(), target.as_str().into()]);
        self.put(path, Node::Pending(Pending { layer, position, meta, want, target }));
        Ok(())
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
