//! Layers with a table of contents, written as the specifications have them: eStargz (`docs/estargz.md` of
//! stargz-snapshotter) and zstd:chunked (`docs/containers-storage-zstd-chunked.md` of containers/storage).

use boltseal_model::Digest;
use serde_json::{Value, json};

use super::{Compression, Layer, stack::bytes};

/// A layer as stored, and what its descriptor says.
#[derive(Clone, Debug)]
pub struct Seekable {
    /// The archive.
    pub tar: Vec<u8>,
    /// As stored.
    pub blob: Vec<u8>,
    /// How it is compressed.
    pub compression: Compression,
    /// Of the descriptor in the manifest.
    pub annotations: Value,
}

/// `layer` as eStargz, in pieces of at most `piece` bytes. `change` may bend the table before it is packed.
pub fn estargz(layer: &Layer, piece: usize, change: &dyn Fn(&mut Value)) -> Seekable {
    let mut out = Members::new(Compression::Gzip);
    let mut entries = Vec::new();
    for entry in walk(layer.unfinished()) {
        out.plain(entry.headers);
        if entry.content.is_empty() {
            entries.push(entry.json());
            continue;
        }
        let pieces: Vec<&[u8]> = entry.content.chunks(piece).collect();
        for (at, content) in pieces.iter().enumerate() {
            out.cut();
            let mut listed =
                if at == 0 { entry.json() } else { json!({ "name": entry.name, "type": "chunk" }) };
            set(&mut listed, "offset", json!(out.stored.len()));
            set(&mut listed, "chunkDigest", json!(Digest::of(content)));
            if at == 0 {
                set(&mut listed, "digest", json!(Digest::of(entry.content)));
            } else {
                set(&mut listed, "chunkOffset", json!(at * piece));
            }
            if at + 1 < pieces.len() {
                set(&mut listed, "chunkSize", json!(content.len()));
            }
            out.plain(content);
            entries.push(listed);
        }
        out.plain(entry.padding);
    }
    out.cut();
    let offset = out.stored.len();
    let mut table = json!({ "version": 1, "entries": entries });
    change(&mut table);
    let table = bytes(&table);
    out.plain(&Layer::new().file("stargz.index.json", &table).tar());
    out.cut();
    out.stored.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, b'S', b'G', 22, 0]);
    out.stored.extend(format!("{offset:016x}STARGZ").as_bytes());
    out.stored.extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    let annotations = json!({ "containerd.io/snapshot/stargz/toc.digest": Digest::of(&table) });
    Seekable { tar: out.tar, blob: out.stored, compression: Compression::Gzip, annotations }
}

/// `layer` as zstd:chunked, in pieces of at most `piece` bytes. `change` may bend the table before it is packed.
pub fn zstd_chunked(layer: &Layer, piece: usize, change: &dyn Fn(&mut Value)) -> Seekable {
    let mut out = Members::new(Compression::Zstd);
    let mut entries = Vec::new();
    for entry in walk(layer.unfinished()) {
        out.plain(entry.headers);
        let pieces: Vec<&[u8]> = entry.content.chunks(piece).collect();
        let first = entries.len();
        for (at, content) in pieces.iter().enumerate() {
            out.cut();
            let mut listed =
                if at == 0 { entry.json() } else { json!({ "name": entry.name, "type": "chunk" }) };
            set(&mut listed, "offset", json!(out.stored.len()));
            if at == 0 {
                set(&mut listed, "digest", json!(Digest::of(entry.content)));
            } else {
                set(&mut listed, "chunkOffset", json!(at * piece));
            }
            if pieces.len() > 1 {
                set(&mut listed, "chunkSize", json!(content.len()));
                set(&mut listed, "chunkDigest", json!(Digest::of(content)));
            }
            out.plain(content);
            entries.push(listed);
        }
        if pieces.is_empty() {
            entries.push(entry.json());
        } else {
            out.cut();
            if let Some(listed) = entries.get_mut(first) {
                set(listed, "endOffset", json!(out.stored.len()));
            }
        }
        out.plain(entry.padding);
    }
    out.plain(&[0; 1024]);
    out.cut();
    let mut table = json!({ "version": 1, "entries": entries });
    change(&mut table);
    let table = bytes(&table);
    let packed = Compression::Zstd.pack(&table);
    let offset = out.stored.len() + 8;
    let position = format!("{offset}:{}:{}:1", packed.len(), table.len());
    let mut footer: Vec<u8> = [offset, packed.len(), table.len(), 1, 0, 0, 0]
        .iter()
        .flat_map(|number| (*number as u64).to_le_bytes())
        .collect();
    footer.extend(b"GNUlInUx");
    for frame in [&packed, &footer] {
        out.stored.extend([0x50, 0x2a, 0x4d, 0x18]);
        out.stored.extend(u32::try_from(frame.len()).expect("a small frame").to_le_bytes());
        out.stored.extend(frame);
    }
    let annotations = json!({
        "io.github.containers.zstd-chunked.manifest-checksum": Digest::of(&packed),
        "io.github.containers.zstd-chunked.manifest-position": position,
    });
    Seekable { tar: out.tar, blob: out.stored, compression: Compression::Zstd, annotations }
}

/// Pieces that are packed one by one.
struct Members {
    compression: Compression,
    tar: Vec<u8>,
    stored: Vec<u8>,
    open: Vec<u8>,
}

impl Members {
    const fn new(compression: Compression) -> Self {
        Self { compression, tar: Vec::new(), stored: Vec::new(), open: Vec::new() }
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.tar.extend_from_slice(bytes);
        self.open.extend_from_slice(bytes);
    }

    fn cut(&mut self) {
        if !self.open.is_empty() {
            self.stored.extend(self.compression.pack(&std::mem::take(&mut self.open)));
        }
    }
}

/// An entry of an archive that `Layer` wrote.
struct Walked<'t> {
    /// With those of long names before.
    headers: &'t [u8],
    content: &'t [u8],
    padding: &'t [u8],
    name: String,
    target: String,
    kind: u8,
    mode: u64,
    owner: (u64, u64),
}

impl Walked<'_> {
    fn json(&self) -> Value {
        let kind = match self.kind {
            b'0' | 0 => "reg",
            b'1' => "hardlink",
            b'2' => "symlink",
            b'5' => "dir",
            _ => "fifo",
        };
        let mut listed = json!({ "name": self.name, "type": kind, "mode": self.mode });
        for (key, number) in
            [("uid", self.owner.0), ("gid", self.owner.1), ("size", self.content.len() as u64)]
        {
            if number > 0 {
                set(&mut listed, key, json!(number));
            }
        }
        if !self.target.is_empty() {
            set(&mut listed, "linkName", json!(self.target));
        }
        listed
    }
}

fn walk(tar: &[u8]) -> Vec<Walked<'_>> {
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
    };
    let (mut walked, mut at, mut start) = (Vec::new(), 0, 0);
    let (mut long_name, mut long_target) = (None, None);
    while let Some(header) = tar.get(at..at + 512) {
        let field = |from: usize, length: usize| text(header.get(from..from + length).unwrap_or_default());
        let number = |from: usize, length: usize| u64::from_str_radix(&field(from, length), 8).unwrap_or(0);
        let size = usize::try_from(number(124, 12)).expect("a small file");
        let content = tar.get(at + 512..at + 512 + size).expect("a whole file");
        let end = at + 512 + size.next_multiple_of(512);
        let kind = header.get(156).copied().unwrap_or_default();
        match kind {
            0 if header.iter().all(|byte| *byte == 0) => break,
            b'x' => {
                long_name = pax(content, "path").or(long_name);
                long_target = pax(content, "linkpath").or(long_target);
            }
            b'g' => {}
            b'L' => long_name = Some(text(content)),
            b'K' => long_target = Some(text(content)),
            _ => {
                walked.push(Walked {
                    headers: tar.get(start..at + 512).expect("what was walked"),
                    content,
                    padding: tar.get(at + 512 + size..end).expect("what was walked"),
                    name: long_name.take().unwrap_or_else(|| match field(345, 155) {
                        prefix if !prefix.is_empty() && field(257, 6) == "ustar" => {
                            format!("{prefix}/{}", field(0, 100))
                        }
                        _ => field(0, 100),
                    }),
                    target: long_target.take().unwrap_or_else(|| field(157, 100)),
                    kind,
                    mode: number(100, 8),
                    owner: (number(108, 8), number(116, 8)),
                });
                start = end;
            }
        }
        at = end;
    }
    walked
}

/// The value of `key` in pax records.
fn pax(records: &[u8], key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(records);
    let found = text.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix(key)?.strip_prefix('='));
    found.map(str::to_owned)
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
