//! The crate against real data: version vectors, package files, images, executables.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test says what it expects in the plainest way, and why it is skipped"
)]

mod cases;
mod catalog;
mod executables;
mod images;
mod jars;
mod locks;
mod mutations;
mod owners;
mod programs;
mod purls;
mod rpm;
mod shared;
mod systems;
mod versions;
