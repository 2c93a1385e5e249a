//! Image bytes to a tree of files: layouts, archives, registries.
//!
//! [`open`] takes what people write after `scan`, in the words of skopeo and podman, and gives the files that a
//! [`Selector`] asks for; [`read`] does the same for any source of [`Blobs`]. Every digest is checked while the bytes
//! stream by, and memory stays bounded whatever the image.
//!
//! ```no_run
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

mod blobs;
mod error;
mod limits;
pub mod manifest;
mod options;

pub use blobs::Blobs;
pub use error::{At, Error, LayerName};
pub use limits::{Limits, MAX_CONFIG, MAX_INDEX, MAX_MANIFEST, MAX_NESTING};
pub use options::{Credentials, Options, Progress};

use boltseal_model::{Config, Digest, Selector, Subject, Tree};

/// An image, read once.
#[derive(Clone, Debug)]
pub struct Image {
    /// Which image it is.
    pub subject: Subject,
    /// The files that were asked for.
    pub tree: Tree,
    /// How it says it wants to run.
    pub config: Config,
}

/// Opens the image that `target` names.
///
/// `docker://HOST/REPOSITORY[:TAG][@DIGEST]`, `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`,
/// `docker-archive:FILE[:REFERENCE]`, `dir:FOLDER`, `rootfs:FOLDER`; or a bare path, whose kind is recognised by its
/// content; or else a reference in a registry.
pub fn open(target: &str, selector: &dyn Selector, options: &Options<'_>) -> Result<Image, Error> {
    let _ = (selector, options);
    Err(Error::target(target, "no transport is built in"))
}

/// Reads the image (or, from an index, the image for the wanted platform) whose manifest is `digest` in `blobs`.
///
/// `reference` is how reports shall name it; `media_type` what the source says the manifest is, if it does.
pub fn read(
    blobs: &dyn Blobs,
    digest: &Digest,
    media_type: Option<&str>,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let _ = (blobs, digest, media_type, selector, options);
    Err(Error::target(reference, "no transport is built in"))
}
