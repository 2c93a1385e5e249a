//! The crate against real data: version vectors, package files, images, executables.

mod body;
mod catalog;
mod executables;
mod images;
mod mutations;
mod purls;
mod shared;
mod versions;
