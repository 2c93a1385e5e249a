//! What is in an image besides packages: how it wants to run, how it was built, and every file by its hash.

use std::collections::BTreeMap;

use boltseal_image::config::Made;
use boltseal_model::{Config, FileMeta, Gap, Layer, Selector, Subject, Want};
use serde::Serialize;

use crate::{Error, Wanted};

/// The contents of an image.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Which image.
    pub subject: Subject,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// How it says it was built, first step first.
    pub history: Vec<Made>,
    /// How it says it wants to run.
    pub config: Config,
    /// By path; `None` where they were not asked for.
    pub files: Option<BTreeMap<Box<str>, Entry>>,
    /// What could not be read, and so may hide a file.
    pub gaps: Vec<Gap>,
}

/// A file or a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits of a file, and setuid, setgid, sticky.
    pub mode: u32,
    /// Owner and group of a file.
    pub owner: (u32, u32),
    /// Where a symbolic link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<str>>,
    /// SHA-256 of the bytes of a file; empty for a link.
    #[serde(skip)]
    pub hash: Box<[u8]>,
}

/// Wants the hash of every file.
struct Every;

impl Selector for Every {
    fn want(&self, _: &str, _: &FileMeta) -> Want {
        Want::Hashed
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Reads them. Without `files`, the layers of an image that has a manifest are not read.
pub fn contents(wanted: &Wanted<'_>, files: bool) -> Result<Contents, Error> {
    let mut options = wanted.options.clone();
    let unread = |_: &boltseal_model::Digest| !files;
    options.known = Some(&unread);
    let image = boltseal_image::open(wanted.target, &Every, &options)?;
    let tree = image.tree;
    let file = |file: &boltseal_model::File| Entry {
        size: file.meta.size,
        mode: file.meta.mode,
        owner: (file.meta.uid, file.meta.gid),
        link: None,
        hash: file.content.as_ref().into(),
    };
    let link = |target: &str| Entry {
        size: 0,
        mode: 0o777,
        owner: (0, 0),
        link: Some(target.into()),
        hash: Box::default(),
    };
    let listed = files.then(|| {
        let files = tree.files.iter().map(|(path, found)| (path.clone(), file(found)));
        files.chain(tree.links.iter().map(|(path, target)| (path.clone(), link(target)))).collect()
    });
    Ok(Contents {
        subject: image.subject,
        layers: tree.layers,
        history: image.history,
        config: image.config,
        files: listed,
        gaps: tree.gaps,
    })
}
