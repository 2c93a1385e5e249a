//! Which operating system distribution a tree is.
use boltseal_model::{Date, Distro, Gap, Tree};

/// Id of the record that shells and C libraries leave behind.
pub(crate) const USERLAND: &str = "userland";

pub(crate) fn wants(path: &str) -> bool {
    matches!(path, "etc/os-release" | "usr/lib/os-release" | "etc/debian_version" | "etc/alpine-release")
}

pub(crate) fn is_userland(_path: &str) -> bool {
    false
}

/// The distribution of `tree`, and the gap when it has one that no feed covers.
pub fn distro(_tree: &Tree) -> (Option<Distro>, Vec<Gap>) {
    (None, Vec::new())
}

/// Last day of free security support of a release, if we know it.
pub fn end_of_life(_id: &str, _version: &str) -> Option<Date> {
    None
}
