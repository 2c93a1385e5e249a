//! The layer that first brought a package.
