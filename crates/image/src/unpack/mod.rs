//! Layers as folders, each once: what the root of a container is stacked from.
//!
//! ```no_run
//! use boltseal_image::{Layers, Options};
//!
//! let layers = Layers::open("/var/lib/boltseal/layers".as_ref())?;
//! let (image, unpacked) = layers.unpack("registry.example.com/shop/web@sha256:…", &Options::default())?;
//! for layer in &unpacked {
//!     println!("{}: {} executables in {}", layer.diff_id, layer.index.executables.len(), layer.path.display());
//! }
//! # Ok::<(), boltseal_image::Error>(())
//! ```
//!
//! A layer is `sha256/<diff id>/root`, the folder, and `sha256/<diff id>/index.json`, its [`Index`]. It appears there when all of
//! it is on the disk and both digests, of the stored bytes and of the archive, were right; never before, and never in part.
//! Until then it is in `unfinished/`, under a lock that the kernel takes back when its owner dies; what such owners leave is
//! removed by the next [`Layers::open`]. Layers that are there are neither pulled nor unpacked again, in whatever image.
//!
//! What is written: files with owner, mode (setuid bits too), time and `security.capability`; folders; links. Whiteouts become
//! those of overlayfs. What is not: devices and pipes, which are counted, and hide what is below them; all other extended
//! attributes, above all `trusted.overlay.*`, which would tell the kernel to look elsewhere.
//!
//! Layers are unpacked alone, as by Docker, podman and containerd on overlayfs: a folder hides a symbolic link that a layer
//! below has in its place. Names that are not UTF-8 are written with replacement characters, and counted.
//!
//! Limits are those of [`crate::Limits`]. At least 1 GiB of the disk stays free.
//!
//! This module must not know: mounts, containers, users of namespaces.

mod content;
mod entries;
mod index;
mod places;
mod store;
mod write;

use std::{path::PathBuf, sync::Mutex};

use boltseal_model::{Digest, FileMeta, Selector, Tree, Want};
use rustix::fs::FlockOperation;

pub use index::{Executable, Index};
pub use store::Layers;

use self::{store::name, write::Writer};
use crate::{
    At, Blobs, Error, Image, Options,
    assemble::Step,
    layer::{self, Budget, Part, Totals},
    open, read,
    tar::Walker,
};

/// Locks tried for an archive whose diff id is not known beforehand.
const MAX_UNNAMED: u32 = 1000;

/// A layer in a [`Layers`]. It is not removed while this lives.
#[derive(Debug)]
pub struct Unpacked {
    /// Of the archive.
    pub diff_id: Digest,
    /// The folder that has its files.
    pub path: PathBuf,
    /// What is known of it.
    pub index: Index,
    /// Whether it was not there before.
    pub is_new: bool,
    /// A shared lock.
    pub(super) _hold: store::Lock,
}

impl Layers {
    /// Unpacks the image that `target` names ([`open`]), its layers bottom first.
    pub fn unpack(&self, target: &str, options: &Options<'_>) -> Result<(Image, Vec<Unpacked>), Error> {
        self.with(options, |options| open(target, &Nothing, options))
    }

    /// Unpacks the image whose manifest is `digest` in `blobs` ([`read`]), its layers bottom first.
    pub fn unpack_from(
        &self,
        blobs: &dyn Blobs,
        digest: &Digest,
        media_type: Option<&str>,
        reference: &str,
        options: &Options<'_>,
    ) -> Result<(Image, Vec<Unpacked>), Error> {
        self.with(options, |options| read(blobs, digest, media_type, reference, &Nothing, options))
    }

    fn with(
        &self,
        options: &Options<'_>,
        open: impl FnOnce(&Options<'_>) -> Result<Image, Error>,
    ) -> Result<(Image, Vec<Unpacked>), Error> {
        let sink = Sink { layers: self, unpacked: Mutex::new(None) };
        let options =
            Options { unpacks: Some(&sink), known: None, extracts: None, lazy: false, ..options.clone() };
        let image = open(&options)?;
        let unpacked = sink.unpacked.into_inner().ok().flatten();
        match unpacked {
            Some(unpacked) => Ok((image, unpacked)),
            None => Err(Error::malformed(image.subject.reference, "is a folder: it has no layers to unpack")),
        }
    }

    /// The layer of `part`, unpacked if it is not there.
    fn take(
        &self,
        part: &Part<'_>,
        budget: Budget<'_>,
        headers: u64,
    ) -> Result<(Unpacked, Option<Totals>), Error> {
        let failed = |source| Error::io(format!("layer {}", part.name), source);
        let mut made = None;
        loop {
            if let Some(diff_id) = made.as_ref().map(|made: &Totals| &made.diff_id).or(part.diff_id.as_ref())
                && let Some(mut found) = self.get(diff_id)?
            {
                found.is_new = made.is_some();
                return Ok((found, made));
            }
            // Nobody waits for a lock of his own: who has unpacked a layer goes on to hold it, as long as a container runs.
            // Whoever comes too late waits above, for the others' end.
            let Some((name, lock)) = self.place(part).map_err(failed)? else { continue };
            if part.diff_id.as_ref().is_none_or(|diff_id| !self.has(diff_id)) {
                let made_now = self.make(part, budget, headers, &name);
                if made_now.is_err() {
                    // The first error is the one to tell.
                    let _ = store::remove_all(&self.unfinished(&name));
                }
                made = Some(made_now?);
            }
            drop(lock);
        }
    }

    /// Where to unpack it, and the lock of that place; nothing while others have it.
    fn place(&self, part: &Part<'_>) -> std::io::Result<Option<(String, store::Lock)>> {
        let lock = |name: String| {
            let lock = self.lock(&name, FlockOperation::NonBlockingLockExclusive);
            lock.map(|lock| lock.map(|lock| (name, lock)))
        };
        if let Some(diff_id) = &part.diff_id {
            return lock(name(diff_id));
        }
        for number in 0..MAX_UNNAMED {
            if let Some(found) = lock(format!("unnamed-{number}"))? {
                return Ok(Some(found));
            }
        }
        Err(std::io::Error::other(format!("{MAX_UNNAMED} others are being unpacked")))
    }

    fn make(&self, part: &Part<'_>, budget: Budget<'_>, headers: u64, name: &str) -> Result<Totals, Error> {
        let failed = |source| Error::io(format!("layer {}", part.name), source);
        let folder = self.begin(name).map_err(failed)?;
        let writer = Writer::new(&folder.join("root"), &part.name, budget.limits).map_err(failed)?;
        let (written, totals) = layer::read(part, budget, |stream| {
            let mut walker = Walker::new(stream, budget.limits);
            let written = writer.write(&mut walker, headers)?;
            if !walker.ended() && part.diff_id.is_none() {
                let why = "the archive has no end: it may be cut off".to_owned();
                return Err(Error::Layer { layer: part.name.clone(), at: At::Whole, why });
            }
            Ok(written)
        })?;
        let counts = written.counts;
        let index = Index {
            diff_id: totals.diff_id.clone(),
            entries: counts.entries,
            bytes: totals.archive,
            devices: counts.devices,
            lost: counts.lost,
            renamed: counts.renamed,
            hides_all: counts.hides_all,
            implied: written.implied,
            executables: written.executables,
        };
        if part.diff_id.is_some() {
            self.finish(&folder, &index).map_err(failed)?;
            return Ok(totals);
        }
        // An archive of no promised digest may turn out to be one that is there, or that others are unpacking.
        while self.get(&index.diff_id)?.is_none() {
            let name = store::name(&index.diff_id);
            if let Some(_lock) = self.lock(&name, FlockOperation::NonBlockingLockExclusive).map_err(failed)?
                && !self.has(&index.diff_id)
            {
                self.finish(&folder, &index).map_err(failed)?;
                return Ok(totals);
            }
        }
        store::remove_all(&folder).map_err(failed)?;
        Ok(totals)
    }
}

/// Where layers go instead of into a tree.
pub struct Sink<'a> {
    layers: &'a Layers,
    unpacked: Mutex<Option<Vec<Unpacked>>>,
}

impl Sink<'_> {
    /// Unpacks all layers, bottom first. The tree has the list of them, and no files.
    pub fn assemble(&self, steps: &[Step<'_>], options: &Options<'_>) -> Result<Tree, Error> {
        let limits = &options.limits;
        let mut tree = Tree::default();
        let mut unpacked = Vec::with_capacity(steps.len());
        for step in steps {
            if let Some(why) = &step.unread {
                let layer = step.part.name.clone();
                return Err(Error::Layer { layer, at: At::Whole, why: why.clone() });
            }
            let left = limits.bytes.saturating_sub(tree.bytes);
            let budget = Budget { limits, bytes: left, progress: options.progress };
            let (layer, totals) = self.layers.take(&step.part, budget, tree.entries)?;
            if let (None, Some(progress), Some(size)) = (&totals, options.progress, step.part.size) {
                progress.advance(size);
            }
            tree.bytes += layer.index.bytes;
            tree.entries += layer.index.entries;
            tree.layers.push(step.layer(totals));
            unpacked.push(layer);
        }
        if let Ok(mut place) = self.unpacked.lock() {
            *place = Some(unpacked);
        }
        Ok(tree)
    }
}

/// Wants no file: all of them are written.
struct Nothing;

impl Selector for Nothing {
    fn want(&self, _: &str, _: &FileMeta) -> Want {
        Want::Skip
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}
