//! The root of a container: its layers, one on top of the other, belonging to its users, read-only.
//!
//! ```no_run
//! use boltseal_runtime::{plan::Users, root::{Layer, Root, Stack, Target}};
//!
//! let mounts = boltseal_sys::private_mounts()?;
//! let layers = [Layer { path: "/var/lib/boltseal/layers/sha256/…/root".as_ref(), implied: &[], hides_all: false }];
//! let targets = [Target::folder("/proc"), Target::file("/etc/hosts")];
//! let stack = Stack {
//!     layers: &layers,
//!     users: Users { first: 1_000_000, count: 65_536 },
//!     targets: &targets,
//!     place: "/run/boltseal/shop/web".as_ref(),
//!     shift: None,
//! };
//! let root = Root::assemble(&mounts, &stack)?;
//! println!("{}", root.path.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is ever written to it, so it is an overlay of lower folders alone: first a *skeleton*, then the layers, the last one
//! first. Each layer is a clone of its folder whose owners are shifted to the container's users by the kernel, so that
//! containers of all users share one folder, and one copy in the page cache. The skeleton has the folders and files that
//! something is mounted on and no layer has, and folders whose owner and mode no upper layer tells; nothing else.
//!
//! All of this is mounted in a private namespace of mounts: the machine never sees it, and it goes with the container.
//!
//! Before Linux 5.19, and on file systems that cannot map users, owners are shifted in a copy of the layer beside it, made
//! once for each range of users. [`Root::copied`] says so, and why.
//!
//! Limits: layers, mount points, folders of no known owner, each named below. Paths of mount points are resolved beneath the
//! root by the kernel. Users beyond the container's range own what nobody owns. A whiteout that hides nothing, which builders do
//! not write, is listed in its folder, and cannot be opened: overlayfs is so.
//!
//! This module must not know: images, where layers come from, what is mounted on its mount points.

mod copy;
mod skeleton;
mod stack;

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use boltseal_sys::PrivateMounts;

use crate::plan::Users;

/// Layers that the kernel stacks, with the skeleton: `OVL_MAX_STACK`.
const MAX_LAYERS: usize = 499;
/// Mount points. A group file has some dozens.
const MAX_TARGETS: usize = 1000;

/// A layer as a folder.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The folder.
    pub path: &'a Path,
    /// Folders in it whose owner and mode are those of the layers below; the root is `""`.
    pub implied: &'a [String],
    /// Whether nothing of the layers below is to be seen.
    pub hides_all: bool,
}

/// Something that is to be mounted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its path within.
    pub path: String,
    /// Whether it is a folder, or else a file.
    pub is_folder: bool,
}

impl Target {
    /// A folder at `path`.
    pub fn folder(path: impl Into<String>) -> Self {
        Self { path: path.into(), is_folder: true }
    }

    /// A file at `path`.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), is_folder: false }
    }
}

/// How owners are shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// By the kernel, as files are looked at.
    Mapped,
    /// In a copy.
    Copied,
}

/// What a root is made of.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    /// Bottom first.
    pub layers: &'a [Layer<'a>],
    /// Whom users within are outside.
    pub users: Users,
    /// What is mounted on.
    pub targets: &'a [Target],
    /// An existing folder, best an empty one: memory is mounted on it, and what is mounted lies in that. The container's users must
    /// be able to get there.
    pub place: &'a Path,
    /// How to shift owners. Without it: mapped, or else copied.
    pub shift: Option<Shift>,
}

/// A root that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Where.
    pub path: PathBuf,
    /// The folders it is made of, bottom first: those of the layers, or their copies.
    pub layers: Vec<PathBuf>,
    /// Why owners were shifted in copies, if so: each range of users then has files, and pages in memory, of its own.
    pub copied: Option<String>,
}

/// Why a root could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refuses something.
    #[error("{what}: {source}")]
    Io {
        /// What was to be done.
        what: String,
        /// What it says.
        source: io::Error,
    },
    /// The kernel, or the file system that layers are on, cannot have files belong to other users.
    #[error("owners cannot be shifted as files are looked at: {what}: {source}")]
    Shift {
        /// What was to be done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// It has no layers, or too many.
    #[error("the image has {0} layers; a root is made of at least 1 and at most {MAX_LAYERS}")]
    Layers(usize),
    /// More of something than we are willing to do.
    #[error("more than {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// Nothing can be mounted there.
    #[error("nothing can be mounted on {path}: {why}")]
    Target {
        /// Within.
        path: String,
        /// What is in the way.
        why: &'static str,
    },
}

impl Error {
    fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io { what: what.into(), source: source.into() }
    }
}

impl Root {
    /// Mounts the root of `stack` for this thread and what it starts.
    pub fn assemble(_: &PrivateMounts, stack: &Stack<'_>) -> Result<Self, Error> {
        // What a layer hides that hides all is not mounted at all: overlayfs does not look at the roots of layers.
        let bottom = stack.layers.iter().rposition(|layer| layer.hides_all).unwrap_or(0);
        let above = stack.layers.get(bottom..).unwrap_or_default();
        // Builders repeat empty layers, and the kernel stacks no folder twice. The upper one says all that the lower one does.
        let mut seen = HashSet::new();
        let mut layers: Vec<Layer<'_>> =
            above.iter().rev().filter(|layer| seen.insert(layer.path)).copied().collect();
        layers.reverse();
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            return Err(Error::Layers(layers.len()));
        }
        if stack.targets.len() > MAX_TARGETS {
            return Err(Error::Limit { what: "mount points", limit: MAX_TARGETS });
        }
        let stack = &Stack { layers: &layers, ..*stack };
        let why = match stack.shift {
            Some(Shift::Copied) => "it was asked for".to_owned(),
            shift => match stack::assemble(stack, Shift::Mapped) {
                // With copies everything else would fail again, and copies would have been made for nothing.
                Err(Error::Shift { what, source }) if shift.is_none() => format!("{what}: {source}"),
                done => return done,
            },
        };
        Ok(Self { copied: Some(why), ..stack::assemble(stack, Shift::Copied)? })
    }
}
