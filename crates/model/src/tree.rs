//! The files of an image after its layers are applied, each knowing its layer.
//!
//! A tree holds only what somebody asked for. A [`Selector`] says, for every file that streams by, whether its
//! bytes are wanted; the rest is counted and forgotten. That is what keeps memory bounded whatever the image.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Digest, Gap};

/// How many symbolic links [`Tree::resolve`] follows before it gives up, as Linux does (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// Chooses the files of an image whose bytes are worth keeping. Implemented by the package ecosystems.
///
/// What is answered may depend on nothing but the arguments: a layer that many images share is read once, and its answers
/// are used again. Only [`Selector::passes`] and [`Selector::remark`] are told of every image's files anew.
pub trait Selector: Sync {
    /// What to keep of the file at `path` (relative, clean, `/`-separated, no leading slash).
    fn want(&self, path: &str, meta: &FileMeta) -> Want;

    /// The same for a file of a plain folder, which may be source code rather than an installed system.
    fn want_in_folder(&self, path: &str, meta: &FileMeta) -> Want {
        self.want(path, meta)
    }

    /// Boils a file down to a small record; asked only for files answered with [`Want::Distilled`].
    ///
    /// `bytes` is the whole file. `Ok(None)`: nothing of interest, forget the file. `Err`: the file claims to be
    /// of interest but cannot be read; the sentence becomes a gap of the catalog.
    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String>;

    /// Whether [`Selector::distill_hashed`] is to be asked in the place of [`Selector::distill`].
    fn hashes(&self) -> bool {
        false
    }

    /// The same, with the SHA-256 of `bytes`: whoever reads an archive hashes it anyway, and a file in it for half the
    /// price on the way.
    fn distill_hashed(&self, path: &str, bytes: &[u8], sha256: &Digest) -> Result<Option<Vec<u8>>, String> {
        let _ = sha256;
        self.distill(path, bytes)
    }

    /// Hears of every regular file of layer number `layer` that passes, wanted or not, before its content does.
    fn passes(&self, layer: u32, path: &str, meta: &FileMeta) {
        let _ = (layer, path, meta);
    }

    /// Whether [`Selector::inspect`] wants to see the text of the file as it passes, whatever is kept of it.
    fn inspects(&self, path: &str, meta: &FileMeta) -> bool {
        let _ = (path, meta);
        false
    }

    /// Sees text of a file as it passes, also of one that a later layer hides, and says what is remarkable about it, in
    /// bytes that only the selector has to understand.
    fn inspect(&self, path: &str, text: Text<'_>) -> Option<Vec<u8>> {
        let _ = (path, text);
        None
    }

    /// Takes what [`Selector::inspect`] said of all pieces of a file of layer number `layer`, now or when the layer was
    /// read for another image; also when it said nothing. True: remember that the file was there, so that the tree tells
    /// whether it still is.
    fn remark(&self, layer: u32, path: &str, meta: &FileMeta, remarks: &[Vec<u8>]) -> bool {
        let _ = (layer, path, meta, remarks);
        false
    }
}

/// A piece of a file without NUL in its first bytes.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The piece; a long file comes in several, each of which repeats the end of the one before.
    pub bytes: &'a [u8],
    /// Line ends before the piece.
    pub lines: usize,
    /// Whether this is all of the file.
    pub whole: bool,
}

/// What to keep of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Skip,
    /// Its bytes as they are.
    Whole,
    /// The SHA-256 of its bytes in place of them, 32 bytes: enough to tell whether it is the same elsewhere.
    Hashed,
    /// What [`Selector::distill`] makes of it, if it starts as an executable (ELF, PE, Mach-O magic) or a zip archive does.
    Distilled,
}

/// What an archive says about a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileMeta {
    /// Bytes.
    pub size: u64,
    /// Permission bits and setuid, setgid, sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Of the blob as stored, mostly compressed. Absent for a plain folder.
    pub digest: Option<Digest>,
    /// Of the uncompressed archive (OCI image configuration, `rootfs.diff_ids`). Absent for a plain folder.
    pub diff_id: Option<Digest>,
    /// Bytes of the blob as stored.
    pub size: u64,
    /// The build step, from the image's history.
    pub created_by: Option<String>,
}

/// A file that was asked for.
#[derive(Clone, Debug)]
pub struct File {
    /// Index into [`Tree::layers`].
    pub layer: u32,
    /// What the archive said.
    pub meta: FileMeta,
    /// The bytes, or their hash, or the distilled record.
    pub content: Arc<[u8]>,
    /// Older versions that upper layers replaced, newest first: (layer, content). Best effort within the memory
    /// budget; used to tell which layer first brought a package.
    pub earlier: Vec<(u32, Arc<[u8]>)>,
}

/// The parts of the OCI image configuration that later hops use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// RFC 3339, as written by the builder. Not trusted for decisions.
    pub created: Option<String>,
    /// `config.User`; empty means root.
    pub user: String,
    /// `config.Env`.
    pub env: Vec<String>,
    /// `config.Labels`.
    pub labels: BTreeMap<String, String>,
    /// `config.Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `config.Cmd`.
    pub command: Vec<String>,
    /// `config.WorkingDir`; empty means the root.
    #[serde(default)]
    pub working_dir: String,
    /// `config.ExposedPorts`: `8080/tcp`.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Whether `config.Healthcheck` says how to tell that it works (Docker's extension).
    #[serde(default)]
    pub healthcheck: bool,
}

/// The selected files of one image.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// By clean path without leading slash.
    pub files: BTreeMap<Box<str>, File>,
    /// Symbolic links by clean path; the target as written.
    pub links: BTreeMap<Box<str>, Box<str>>,
    /// What could not be read, and so may hide something.
    pub gaps: Vec<Gap>,
    /// Entries seen in all layers, selected or not.
    pub entries: u64,
    /// Uncompressed bytes seen in all layers.
    pub bytes: u64,
}

impl Tree {
    /// The file at `path`, following symbolic links inside the tree.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path).or_else(|| self.files.get(self.resolve(path)?.as_str()))
    }

    /// The bytes of [`Tree::file`].
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        self.file(path).map(|file| &*file.content)
    }

    /// The layer that `file` came from.
    pub fn layer_of(&self, file: &File) -> Option<&Layer> {
        self.layers.get(file.layer as usize)
    }

    /// `path` with every symbolic link replaced, never leaving the tree. `None` on a cycle.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut followed = 0;
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let Some(target) = self.links.get(done.join("/").as_str()) else { continue };
            followed += 1;
            if followed > MAX_LINKS {
                return None;
            }
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            todo.extend(target.split('/').rev().map(str::to_owned));
        }
        Some(done.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(links: &[(&str, &str)]) -> Tree {
        Tree { links: links.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(), ..Tree::default() }
    }

    #[test]
    fn resolves_inside_the_tree_only() {
        let tree = tree(&[("lib", "usr/lib"), ("usr/lib/apk", "/../../etc/apk"), ("a", "b"), ("b", "a")]);
        assert_eq!(tree.resolve("lib/os-release").unwrap(), "usr/lib/os-release");
        assert_eq!(tree.resolve("lib/apk/db").unwrap(), "etc/apk/db");
        assert_eq!(tree.resolve("a/x"), None);
    }
}
