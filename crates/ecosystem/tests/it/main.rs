//! The crate against real data: version vectors, package files, images, executables.

mod catalog;
mod executables;
mod images;
mod purls;
mod shared;
mod versions;
