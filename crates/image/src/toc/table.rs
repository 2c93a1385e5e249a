//! The table of contents itself: both formats write the same JSON, but for where a piece ends.

use std::{borrow::Cow, fmt};

use boltseal_model::{Digest, FileMeta};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use super::{MAX_TABLE, Unusable};
use crate::{
    Limits,
    tar::{Entry, Kind, clean},
};

/// Entries and pieces, of which each takes 200 bytes of memory while the table is read. Layers have some ten thousand.
const MAX_ENTRIES: usize = 300_000;
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
    #[serde(borrow, deserialize_with = "few")]
    entries: Vec<Listed<'a>>,
}

/// As many as a table may have; the bytes of one could list ten times more.
fn few<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Listed<'de>>, D::Error> {
    struct Few;
    impl<'de> Visitor<'de> for Few {
        type Value = Vec<Listed<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_ENTRIES} entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = list.next_element()? {
                if entries.len() == MAX_ENTRIES {
                    return Err(de::Error::invalid_length(MAX_ENTRIES + 1, &self));
                }
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    from.deserialize_seq(Few)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Table, String> {
        let limits = Limits::default();
        Table::parse(json.as_bytes(), End::Told(1 << 40), &limits, 1 << 30).map_err(|why| why.to_string())
    }

    #[test]
    fn as_many_entries_as_memory_should_hold() {
        let table = |count: usize| {
            let entries = vec![r#"{"type":"dir","name":"a"}"#; count].join(",");
            parse(&format!(r#"{{"version":1,"entries":[{entries}]}}"#)).map(|table| table.rows.len())
        };
        assert_eq!(table(3), Ok(3));
        assert_eq!(table(MAX_ENTRIES), Ok(MAX_ENTRIES));
        assert!(table(MAX_ENTRIES + 1).is_err_and(|why| why.contains("at most 300000 entries")));
    }

    #[test]
    fn pieces_lie_one_behind_the_other() {
        let digest = Digest::of(b"");
        let table = |places: [(u64, u64); 2]| {
            let file = |(from, end): (u64, u64)| {
                let place = format!(r#""offset":{from},"endOffset":{end}"#);
                format!(r#"{{"type":"reg","name":"a","size":5,{place},"digest":"{digest}"}}"#)
            };
            parse(&format!(r#"{{"version":1,"entries":[{}]}}"#, places.map(file).join(",")))
        };
        let found = table([(10, 20), (30, 40)]).unwrap();
        let places: Vec<_> = found.rows.iter().flat_map(|row| &row.pieces).map(|p| (p.from, p.to)).collect();
        assert_eq!(places, [(10, 20), (30, 40)]);
        for places in [
            [(10, 31), (30, 40)],
            [(10, 10), (30, 40)],
            [(30, 40), (10, 20)],
            [(10, 20), (1 << 40, (1 << 40) + 1)],
            [(10, 20), (30, 31 + (32 << 20))],
        ] {
            assert!(table(places).is_err_and(|why| why.contains("overlap")), "{places:?}");
        }
    }
}
