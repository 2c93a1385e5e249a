//! Which images and which running containers have something, and whether they use it.
//!
//! ```
//! use boltseal_inventory::{Container, File, How, Image, Inventory, Use};
//! use boltseal_model::{Digest, Finding, Package, Severity, Timestamp};
//!
//! let digest = Digest::of(b"manifest");
//! let package = Package { name: "xz-utils".into(), version: "5.6.0".into(), purl: "pkg:deb/debian/xz-utils@5.6.0".into(), ..Package::default() };
//! # let finding = boltseal_inventory::example::finding("CVE-2024-3094", &package);
//! let library = File { path: "usr/lib/liblzma.so.5".into(), sha256: Digest::of(b"library"), package: Some(0) };
//!
//! let mut inventory = Inventory::default();
//! inventory.put(&Image {
//!     digest: &digest,
//!     names: &["shop/web:1".to_owned()],
//!     layers: &[],
//!     packages: &[package],
//!     findings: &[finding],
//!     keys: &[],
//!     files: Some(&[library]),
//!     is_complete: true,
//! });
//! inventory.start(Container {
//!     id: "4f1c".into(),
//!     name: "shop/web".into(),
//!     node: "node-1".into(),
//!     image: digest,
//!     since: Timestamp::UNIX_EPOCH,
//!     is_watched: true,
//! });
//! inventory.saw("4f1c", "/usr/lib/liblzma.so.5", How::Loaded);
//!
//! let answer = inventory.find("CVE-2024-3094");
//! assert_eq!(answer.images[0].found[0].package, "xz-utils");
//! assert_eq!(answer.running[0].used, Use::Loaded { path: "usr/lib/liblzma.so.5".into() });
//! ```
//!
//! | type | what |
//! |---|---|
//! | [`Inventory`] | what is stored and what runs, told piece by piece |
//! | [`Image`], [`Container`], [`How`] | what it is told |
//! | [`Answer`], [`Use`] | what [`Inventory::find`] says about a vulnerability, package, digest or key |
//! | [`Row`] | what [`Inventory::running`] says about every container |
//!
//! *Executed* and *loaded* mean that a file of the package was, in this container, since it started. *Present* means that it is
//! there, and why no more is known: nobody watches the container, events were lost, it was not seen, or it has no file that is
//! executed or loaded at all, as a library of a language that is read as text. So *present* never means unused.
//!
//! What is not known is said: containers of images that nobody looked into, and images that were looked into only in part.
//!
//! Names are kept once, and lists of who has what are kept both ways: an answer costs what it says, and not how much there is.
//! Limits: files seen in a container, named below. It is told things by those who have limits on everything else.
//!
//! This crate must not know: where any of this comes from, the clock, I/O.

mod answer;
mod find;
mod names;
mod running;
mod stored;
mod told;

pub use answer::{Answer, Counted, Found, Has, Kind, Row, Running, Use, Why, Worst};
pub use running::MAX_SEEN;
pub use stored::Inventory;
pub use told::{Container, File, How, Image};

#[doc(hidden)]
pub mod example;
