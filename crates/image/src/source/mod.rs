//! The places people keep images in: one file per transport of skopeo and podman.

pub mod archive;
pub mod docker;
pub mod files;
pub mod folder;
pub mod layout;
pub mod registry;
pub mod rootfs;
