//! The table of contents itself: both formats write the same JSON, but for where a piece ends.

use std::borrow::Cow;

use boltseal_model::{Digest, FileMeta};
use serde::Deserialize;

use super::{MAX_TABLE, Unusable};
use crate::{
    Limits,
    tar::{Entry, Kind, clean},
};

/// Stored bytes of a piece, which is held in memory. Writers cut files into pieces of some kilobytes to 4 MiB.
const MAX_PIECE: u64 = 32 << 20;

/// The entries of a layer, in the order of its archive.
#[derive(Debug)]
pub struct Table {
    /// First one first.
    pub rows: Vec<Row>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// One entry, and where its content is.
#[derive(Debug)]
pub struct Row {
    /// Clean, relative.
    pub path: Box<str>,
    /// What it is.
    pub kind: Kind,
    /// Of a link.
    pub target: Box<str>,
    /// As the table has it.
    pub meta: FileMeta,
    /// All of the content, first byte first; none of an empty file.
    pub pieces: Vec<Piece>,
}

/// A piece of a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// In the blob.
    pub from: u64,
    /// In the blob.
    pub to: u64,
    /// Uncompressed bytes; more may follow before `to` that are not of the file.
    pub size: u64,
    /// Of those.
    pub digest: Digest,
}

/// How pieces end.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// Where the next one begins, at the latest here.
    Next(u64),
    /// Where the entry of the file says, or the next piece of it begins; at the latest here.
    Told(u64),
}

impl Row {
    pub fn entry(&self) -> Entry {
        Entry::listed(self.path.to_string(), self.kind, self.target.to_string(), self.meta)
    }
}

impl Table {
    /// Reads `json`. `bytes` is how much the archive may have.
    pub(super) fn parse(json: &[u8], end: End, limits: &Limits, bytes: u64) -> Result<Self, Unusable> {
        if json.len() as u64 > MAX_TABLE {
            return Err("its table of contents is too large".into());
        }
        let Written { version, entries } =
            serde_json::from_slice(json).map_err(|error| Unusable::from(error.to_string()))?;
        if version != 1 {
            return Err(format!("its table of contents has version {version}").into());
        }
        if entries.len() as u64 > limits.entries {
            return Err("its table of contents has too many entries".into());
        }
        let mut table = Self { rows: Vec::new(), bytes: 0 };
        let mut entries = entries.into_iter().peekable();
        while let Some(first) = entries.next() {
            let mut more = Vec::new();
            while let Some(chunk) = entries.next_if(|next| next.kind == "chunk") {
                more.push(chunk);
            }
            let row = row(&first, &more, limits)?;
            table.bytes =
                table.bytes.checked_add(row.meta.size).ok_or("its table of contents is too large")?;
            table.rows.push(row);
        }
        if table.bytes > bytes {
            return Err("its table of contents tells of more bytes than an image may have".into());
        }
        table.settle(end)?;
        Ok(table)
    }

    /// Tells where pieces end, and checks that each lies behind the one before.
    fn settle(&mut self, end: End) -> Result<(), Unusable> {
        let (last, told) = match end {
            End::Next(last) => (last, false),
            End::Told(last) => (last, true),
        };
        let mut pieces: Vec<&mut Piece> = self.rows.iter_mut().flat_map(|row| &mut row.pieces).collect();
        let mut behind = last;
        for piece in pieces.iter_mut().rev() {
            // A told end, or that of the file's next piece, was put there already.
            if !told || piece.to == 0 {
                piece.to = behind;
            }
            if piece.from >= piece.to || piece.to > behind || piece.to - piece.from > MAX_PIECE {
                return Err("its table of contents has pieces that overlap, are empty or too large".into());
            }
            behind = piece.from;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Written<'a> {
    version: u32,
    #[serde(borrow)]
    entries: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, borrow)]
    link_name: Cow<'a, str>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    mode: u64,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    offset: u64,
    /// zstd:chunked only.
    #[serde(default)]
    end_offset: u64,
    /// eStargz only, of files that share a gzip member.
    #[serde(default)]
    inner_offset: u64,
    #[serde(default)]
    chunk_offset: u64,
    #[serde(default)]
    chunk_size: u64,
    #[serde(default, borrow)]
    digest: Cow<'a, str>,
    #[serde(default, borrow)]
    chunk_digest: Cow<'a, str>,
}

fn row(listed: &Listed<'_>, more: &[Listed<'_>], limits: &Limits) -> Result<Row, Unusable> {
    let odd = || Unusable::from("its table of contents has a path that is none");
    let mut kind = match &*listed.kind {
        "reg" => Kind::File,
        "hardlink" => Kind::HardLink,
        "symlink" => Kind::Symlink,
        "dir" => Kind::Directory,
        "char" | "block" | "fifo" => Kind::Other,
        other => {
            return Err(
                format!("its table of contents has an entry of type {}", crate::error::shown(other)).into()
            );
        }
    };
    let content = kind == Kind::File && listed.size > 0;
    // As in an archive.
    if kind == Kind::File && listed.name.ends_with('/') {
        kind = Kind::Directory;
    }
    let path = clean(&listed.name, limits).map_err(|_| odd())?;
    let target = match kind {
        Kind::HardLink => clean(&listed.link_name, limits).map_err(|_| odd())?,
        Kind::Symlink if listed.link_name.len() <= limits.path => listed.link_name.clone().into_owned(),
        Kind::Symlink => return Err(odd()),
        _ => String::new(),
    };
    if !content && !more.is_empty() {
        return Err("its table of contents has pieces of what is no file".into());
    }
    let pieces = if content { pieces(listed, more)? } else { Vec::new() };
    let meta = FileMeta {
        size: if content { listed.size } else { 0 },
        mode: u32::try_from(listed.mode & 0o7777).unwrap_or_default(),
        uid: listed.uid,
        gid: listed.gid,
    };
    Ok(Row { path: path.into(), kind, target: target.into(), meta, pieces })
}

fn pieces(first: &Listed<'_>, more: &[Listed<'_>]) -> Result<Vec<Piece>, Unusable> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(1 + more.len());
    let mut done = 0u64;
    for (at, listed) in std::iter::once(first).chain(more).enumerate() {
        // Without a size, the piece goes to the end of the file.
        let rest = first
            .size
            .checked_sub(done)
            .ok_or("its table of contents has pieces beyond the end of a file")?;
        let size = if listed.chunk_size == 0 { rest } else { listed.chunk_size };
        if listed.name != first.name || listed.chunk_offset != done || size == 0 || size > rest {
            return Err("its table of contents has pieces that do not make a file".into());
        }
        // A blob begins with a header, so nothing lies at its first byte.
        if listed.offset == 0 || listed.inner_offset != 0 {
            return Err("its table of contents has pieces without a place of their own".into());
        }
        let alone = at == 0 && more.is_empty();
        let digest =
            if listed.chunk_digest.is_empty() && alone { &listed.digest } else { &listed.chunk_digest };
        let digest = digest.parse().map_err(|_| "its table of contents has pieces without a digest")?;
        if let Some(last) = pieces.last_mut().filter(|_| first.end_offset > 0) {
            last.to = listed.offset;
        }
        pieces.push(Piece { from: listed.offset, to: 0, size, digest });
        done += size;
    }
    if done != first.size {
        return Err("its table of contents has pieces that do not make a file".into());
    }
    if let Some(last) = pieces.last_mut() {
        last.to = first.end_offset;
    }
    Ok(pieces)
}
