//! Image bytes to a tree of files: layouts, archives, registries; and a client for registries.
//!
//! [`open`] takes what people write after `scan`, in the words of skopeo and podman, and gives the files that a
//! [`Selector`](boltseal_model::Selector) asks for; [`read`] does the same for any source of [`Blobs`]. Every digest
//! is checked while the bytes stream by, and memory stays bounded whatever the image.
//!
//! ```
//! use boltseal_model::{FileMeta, Selector, Want};
//! use boltseal_testkit::image::{Image, Layer};
//!
//! struct Release;
//! impl Selector for Release {
//!     fn want(&self, path: &str, _: &FileMeta) -> Want {
//!         if path == "etc/os-release" { Want::Whole } else { Want::Skip }
//!     }
//!     fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
//!         Ok(None)
//!     }
//! }
//!
//! let folder = tempfile::tempdir().unwrap();
//! let image = Image::new().layer(Layer::new().file("etc/os-release", "ID=alpine\n")).build();
//! image.write_oci(folder.path(), None);
//!
//! let target = format!("oci:{}", folder.path().display());
//! let opened = boltseal_image::open(&target, &Release, &boltseal_image::Options::default()).unwrap();
//! assert_eq!(opened.tree.content("etc/os-release"), Some(b"ID=alpine\n".as_slice()));
//! assert_eq!(opened.subject.digest, Some(image.manifest));
//! ```
//!
//! The types: [`Options`] (platform, [`Limits`], [`Credentials`], [`Progress`]) go in, an [`Image`] comes out, or an
//! [`Error`] that names the layer and the path. What can be read only in part is a gap of the tree, never silence.
//!
//! What a damaged or hostile image meets:
//!
//! * the digests of manifest, configuration, stored layer and archive, all checked; a wrong one is an error;
//! * [`Limits`] on bytes, compression ratio, entries, names, depth, headers and kept content, each with its reason;
//! * names and links that would leave the root stay in it, as containerd has it; circles of links are gaps;
//! * layers that cannot be read (encrypted, foreign and absent, of unknown kinds) are gaps.
//!
//! Formats: OCI image specification 1.1 and distribution specification 1.1, Docker image manifest version 2 schema 2,
//! `docker save` archives, skopeo's `dir:`; POSIX and GNU tar, gzip (RFC 1952), zstd (RFC 8878).
//!
//! A layer that was read before need not be read again: [`Extracts`] keep what it gave. With [`Options::lazy`], layers with
//! a table of contents (eStargz, zstd:chunked) are read by it, which fetches less and checks less, and says so.
//!
//! [`Layers`] unpacks layers into folders, each once: what roots of containers are stacked from.
//!
//! [`remote`] is the client of registries that the scanner reads through. It also writes: pushes, tags, deletes, copies
//! between registries and layouts with everything attached, attaches and discovers artifacts.
//!
//! This crate must not know: packages, advisories, policies, or what the kept files mean.

// In the order in which an image passes through them.
mod target;

mod source;

pub mod remote;

mod read;

pub mod manifest;

pub mod config;

mod single;

mod assemble;

mod layer;

mod extract;

mod toc;

mod tar;

mod overlay;

mod unpack;

// What all of them share.
mod blobs;
mod error;
mod gaps;
mod limits;
mod options;

pub use blobs::Blobs;
pub use error::{At, Error, LayerName};
pub use extract::Extracts;
pub use limits::{Limits, MAX_CONFIG, MAX_INDEX, MAX_MANIFEST, MAX_NESTING};
pub use options::{Credentials, Options, Progress};
pub use read::read;
pub use single::layer;
pub use target::{is_in_registry, layout_of, open, transport};
pub use unpack::{Executable, Index, Layers, Unpacked};

use boltseal_model::{Config, Subject, Tree};

/// An image, read once.
#[derive(Clone, Debug)]
pub struct Image {
    /// Which image it is.
    pub subject: Subject,
    /// Whether the layers were read: false only where [`Options::known`] said that nobody needs them.
    pub read: bool,
    /// The files that were asked for; only the list of layers where those were not read.
    pub tree: Tree,
    /// How it says it wants to run.
    pub config: Config,
    /// How it says it was built, first step first.
    pub history: Vec<config::Made>,
}
