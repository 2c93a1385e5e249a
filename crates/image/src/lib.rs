//! Image bytes to a tree of files: layouts, archives, registries.
//!
//! [`open`] takes what people write after `scan`, in the words of skopeo and podman, and gives the files that a
//! [`boltseal_model::Selector`] asks for; [`read`] does the same for any source of [`Blobs`]. Every digest is checked while the bytes
//! stream by, and memory stays bounded whatever the image.
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
//! This crate must not know: packages, advisories, policies, or what the kept files mean.

mod assemble;
mod blobs;
mod config;
mod error;
mod gaps;
mod layer;
mod limits;
pub mod manifest;
mod options;
mod overlay;
mod read;
mod single;
mod source;
mod tar;
mod target;

pub use blobs::Blobs;
pub use error::{At, Error, LayerName};
pub use limits::{Limits, MAX_CONFIG, MAX_INDEX, MAX_MANIFEST, MAX_NESTING};
pub use options::{Credentials, Options, Progress};
pub use read::read;
pub use single::layer;
pub use target::open;

use boltseal_model::{Config, Subject, Tree};

/// An image, read once.
#[derive(Clone, Debug)]
pub struct Image {
    /// Which image it is.
    pub subject: Subject,
    /// Whether the layers were read: false only where [`Options::known`] said that nobody needs them.
    pub read: bool,
    /// The files that were asked for; none where the layers were not read.
    pub tree: Tree,
    /// How it says it wants to run.
    pub config: Config,
}
