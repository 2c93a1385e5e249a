//! Which operating system package a file belongs to.
//!
//! A language package whose files came with an operating system package is patched by that vendor: `python3-jinja2`
//! of Debian may be a fixed 2.11 though `PyPI` calls 2.11 vulnerable. Matching must know, so every package is told.
//! For that only packages count that the distribution made: it publishes no advisories about what another vendor's
//! `.deb` holds. Whether a file belongs to any package at all is the other question, [`Owners::of`].

use std::collections::{HashMap, HashSet};

use boltseal_model::Tree;

/// Who made a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The distribution, as far as its package manager tells.
    Distribution,
    /// Somebody else.
    Other,
}

impl Maker {
    /// The distribution, if it `is` so.
    pub(crate) const fn distribution(is: bool) -> Self {
        if is { Self::Distribution } else { Self::Other }
    }
}

/// Paths (clean, without leading slash) and the operating system packages that brought them.
#[derive(Debug, Default)]
pub struct Owners {
    packages: Vec<(Box<str>, Maker)>,
    by_path: HashMap<Box<str>, usize>,
    wanted: Option<HashSet<Box<str>>>,
}

impl Owners {
    /// The operating system packages that brought what is at `paths`.
    pub fn at<'a>(tree: &Tree, paths: impl Iterator<Item = &'a str>) -> Self {
        let mut owners = Self::wanted_at(tree, paths);
        for ecosystem in crate::ALL {
            ecosystem.owners(tree, &mut owners);
        }
        owners
    }

    /// Remembers only owners of `paths`: an image has a hundred thousand files, and few matter.
    pub(crate) fn wanted_at<'a>(tree: &Tree, paths: impl Iterator<Item = &'a str>) -> Self {
        let mut wanted: HashSet<Box<str>> = HashSet::new();
        for path in paths {
            wanted.insert(path.into());
            wanted.extend(other_spellings(tree, path));
        }
        Self { wanted: Some(wanted), ..Self::default() }
    }

    /// Says that `paths` came with the package `name`.
    pub(crate) fn add<'a>(&mut self, name: &str, maker: Maker, paths: impl Iterator<Item = &'a str>) {
        let owner = self.owner(name, maker);
        for path in paths {
            self.owns(owner, path);
        }
    }

    /// The number of a new owner called `name`.
    pub(crate) fn owner(&mut self, name: &str, maker: Maker) -> usize {
        self.packages.push((name.into(), maker));
        self.packages.len() - 1
    }

    /// Says that `path` came with the owner of that number.
    pub(crate) fn owns(&mut self, owner: usize, path: &str) {
        let mut path = path;
        while let Some(rest) = path.strip_prefix("./") {
            path = rest;
        }
        while let Some(rest) = path.strip_prefix('/') {
            path = rest;
        }
        let wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(path));
        if wanted && !path.is_empty() {
            self.by_path.insert(path.into(), owner);
        }
    }

    /// The package that owns `path`, whoever made it.
    pub fn of(&self, path: &str) -> Option<&str> {
        self.package(path).map(|(name, _)| &**name)
    }

    fn package(&self, path: &str) -> Option<&(Box<str>, Maker)> {
        self.packages.get(*self.by_path.get(path)?)
    }

    /// The same, where `path` and the package manager may name a folder by different links (`lib`, `usr/lib`).
    pub fn of_linked(&self, tree: &Tree, path: &str) -> Option<&str> {
        self.linked(tree, path).map(|(name, _)| &**name)
    }

    /// The package of the distribution that owns `path`, by any spelling: its vendor speaks for the file.
    pub(crate) fn vendor_of(&self, tree: &Tree, path: &str) -> Option<&str> {
        let package = self.linked(tree, path).filter(|(_, maker)| *maker == Maker::Distribution);
        package.map(|(name, _)| &**name)
    }

    fn linked(&self, tree: &Tree, path: &str) -> Option<&(Box<str>, Maker)> {
        self.package(path)
            .or_else(|| other_spellings(tree, path).find_map(|spelling| self.package(&spelling)))
    }
}

/// Folders that distributions merged into `usr/`; package managers may still list files under the old name.
const MERGED: [&str; 5] = ["bin/", "sbin/", "lib/", "lib64/", "lib32/"];

/// Other names of the file at `path`: with links resolved, and across the merged-usr folders.
fn other_spellings(tree: &Tree, path: &str) -> impl Iterator<Item = Box<str>> {
    let resolved = tree.resolve(path).filter(|resolved| resolved != path).map(String::into_boxed_str);
    let unmerged = path
        .strip_prefix("usr/")
        .filter(|rest| MERGED.iter().any(|folder| rest.starts_with(folder)))
        .map(Into::into);
    let merged =
        MERGED.iter().any(|folder| path.starts_with(folder)).then(|| format!("usr/{path}").into_boxed_str());
    [resolved, unmerged, merged].into_iter().flatten()
}
