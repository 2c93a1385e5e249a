//! Container images for tests: layers entry by entry, then every form people keep images in.
//!
//! [`Layer`] builds one tar archive, [`Image`] stacks layers under a configuration and a manifest, [`Built`] is the
//! result: blobs by digest, writable as OCI layout, OCI archive, Docker archive or skopeo's `dir:`.
//! The same calls give the same bytes: all times are zero.
//!
//! ```
//! use boltseal_testkit::image::{Image, Layer};
//! let image = Image::new()
//!     .layer(Layer::new().file("etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n"))
//!     .layer(Layer::new().whiteout("etc/os-release"));
//! let folder = tempfile::tempdir().unwrap();
//! image.build().write_oci(folder.path(), Some("latest"));
//! assert!(folder.path().join("index.json").exists());
//! ```
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "test material: a failure here is a failed test"
)]

mod built;
mod layer;
mod stack;
mod toc;

pub use built::{Built, index};
pub use layer::{Compression, Entry, Layer};
pub use stack::{Flavour, Image};
pub use toc::{Seekable, estargz, zstd_chunked};
