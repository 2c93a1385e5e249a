//! What tests of every crate share: the real data of `../shared` and the outside programs we are measured against.
//!
//! A test that lacks either skips with a printed reason, so that `cargo test` passes on a machine with nothing but
//! Rust. Where `BOLTSEAL_TEST_PEERS=required` is set, as in CI, lacking one is a failure: nothing skips in silence.
//!
//! ```
//! # fn example() -> Option<()> {
//! let skopeo = boltseal_testkit::peer("skopeo")?;                          // prints `skipped: no skopeo`
//! let secdb = boltseal_testkit::shared("data/vulns/native/alpine")?;       // prints `skipped: no ../shared/…`
//! let cases = boltseal_testkit::unpacked("data/fixtures/catalog-scalibr.tar.zst")?;
//! assert!(cases.path("catalog").is_dir() && secdb.is_dir() && skopeo.is_file());
//! # Some(())
//! # }
//! ```
//!
//! [`corpus`] gives catalogs of 732 real images. [`image`] makes images, entry by entry, in every form people keep them.
//!
//! [`tries`] is what programs try in sealed containers.
//!
//! [`postgres`] starts a real PostgreSQL, [`Distribution`] a registry of others.
//!
//! [`Guest`] is a machine of its own with another kernel, emulated.
//!
//! [`mutations`] runs the body of a fuzz target over its seeds, what a fuzzer [`found`] and mutations of seeds.
//!
//! Used only by tests; it must not know any crate but `model`.

mod corpus;
mod distribution;
mod guest;
pub mod image;
mod mutations;
mod peers;
mod postgres;
mod s3;
mod shared;
pub mod tries;

pub use corpus::corpus;
pub use distribution::Distribution;
pub use guest::{Ended, Guest};
pub use mutations::{found, mutations};
pub use peers::{peer, skip};
pub use postgres::{Postgres, postgres};
pub use s3::S3;
pub use shared::{Unpacked, shared, unpacked, unzstd};
