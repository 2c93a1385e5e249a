//! Layers that say where each of their files is: eStargz and zstd:chunked. Of a layer in a registry, only the table of
//! contents and the wanted files are fetched then.
//!
//! ```no_run
//! # struct Databases;
//! # impl boltseal_model::Selector for Databases {
//! #     fn want(&self, path: &str, _: &boltseal_model::FileMeta) -> boltseal_model::Want {
//! #         if path == "lib/apk/db/installed" { boltseal_model::Want::Whole } else { boltseal_model::Want::Skip }
//! #     }
//! #     fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> { Ok(None) }
//! # }
//! let mut options = boltseal_image::Options::default();
//! options.lazy = true;
//! let image = boltseal_image::open("docker://example.org/app:1", &Databases, &options)?;
//! // Each layer that was read so is a gap of kind `layer-not-verified`.
//! # Ok::<(), boltseal_image::Error>(())
//! ```
//!
//! What is checked: the digest of the table against the layer's annotation in the manifest, and with it against the
//! manifest's digest; the digest of every piece of a file against the table. What is not: the digest of the layer. A table
//! may say something else than the archive that it belongs to, and a container runtime that unpacks the archive then sees
//! other files. So this is done only where the caller asks for it, and the tree has a gap that says so.
//!
//! A table is written by whoever built the image: [`Table`] has limits on bytes, entries, paths and pieces, and takes only
//! pieces that lie in the blob one behind the other. With anything else, and from registries that cannot send a part of a
//! blob, the layer is read whole; so is one of which nearly everything is wanted, or whose texts somebody inspects.
//!
//! Formats: eStargz 0.x (`docs/estargz.md` of stargz-snapshotter; table inside of the blob, no `innerOffset`),
//! zstd:chunked (`docs/containers-storage-zstd-chunked.md` of containers/storage, manifest type 1).
//!
//! This module must not know: HTTP, and what files are for.

mod chunked;
mod estargz;
mod lazy;
mod pieces;
mod table;

pub use lazy::Lazy;
pub use table::{Row, Table};

use std::{fmt, io::Read as _};

use boltseal_model::Digest;

use crate::{Blobs, Limits, manifest::Descriptor};

/// Bytes of a table of contents, stored or not. About 100,000 files; a layer with more is read whole.
pub const MAX_TABLE: u64 = 48 << 20;

/// A layer that has a table of contents.
pub struct Place<'a> {
    blobs: &'a dyn Blobs,
    digest: Digest,
    /// Bytes of the blob.
    size: u64,
    format: Format,
}

/// Where the table is, and what it must hash to.
enum Format {
    Estargz { table: Digest },
    Chunked { offset: u64, stored: u64, length: u64, table: Digest },
}

/// Why a table cannot be used; the layer is read whole then.
#[derive(Debug)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<String>> From<T> for Unusable {
    fn from(why: T) -> Self {
        Self(why.into())
    }
}

impl<'a> Place<'a> {
    /// Of the layer that `descriptor` points to, if its annotations tell of a table.
    pub fn of(blobs: &'a dyn Blobs, descriptor: &Descriptor) -> Option<Self> {
        let format = chunked::announced(&descriptor.annotations)
            .or_else(|| estargz::announced(&descriptor.annotations))?;
        Some(Self { blobs, digest: descriptor.digest.clone(), size: descriptor.size, format })
    }

    /// For messages.
    pub fn name(&self) -> String {
        self.digest.to_string()
    }

    /// Fetches the table and checks it.
    fn table(&self, limits: &Limits, bytes: u64) -> Result<Table, Unusable> {
        match &self.format {
            Format::Estargz { table } => estargz::fetch(self, table, limits, bytes),
            Format::Chunked { offset, stored, length, table } => {
                chunked::fetch(self, (*offset, *stored, *length), table, limits, bytes)
            }
        }
    }

    /// A small stretch of the blob.
    fn bytes(&self, from: u64, length: u64) -> Result<Vec<u8>, Unusable> {
        let end = from.checked_add(length).filter(|end| *end <= self.size && length <= MAX_TABLE);
        let end = end.ok_or("its table of contents lies outside of it")?;
        let stretch = self.blobs.stretch(&self.digest, from..end).map_err(|error| error.to_string())?;
        let stretch = stretch.ok_or("the registry sends no parts of it")?;
        let mut bytes = Vec::new();
        stretch.take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err("the registry sends less than was asked for".into())
        }
    }
}

/// Checks what a table hashes to.
fn check(bytes: &[u8], expected: &Digest) -> Result<(), Unusable> {
    if Digest::of(bytes) == *expected {
        Ok(())
    } else {
        Err("its table of contents is not what the manifest promises".into())
    }
}
