//! Tables of contents of layers, in both formats. Whatever one says, no byte outside of the blob is asked for, and an image
//! ends in a tree within the limits, or an error.

use std::{
    io::{Cursor, Read},
    ops::Range,
};

use boltseal_image::{Blobs, Error, Options, read};
use boltseal_model::{Digest, FileMeta, GapKind, Selector, Want};

/// Wants names that begin so.
struct Some;

impl Selector for Some {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        match path.bytes().next() {
            Option::Some(b'w') => Want::Whole,
            Option::Some(b'h') => Want::Hashed,
            _ if meta.mode & 0o111 != 0 => Want::Distilled,
            _ => Want::Skip,
        }
    }

    fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(Option::Some(bytes.to_vec()))
    }
}

/// An image of one layer.
struct One {
    manifest: Vec<u8>,
    config: Vec<u8>,
    blob: Vec<u8>,
}

impl Blobs for One {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let all = [&self.manifest, &self.config, &self.blob];
        let found = all.into_iter().find(|bytes| Digest::of(bytes) == *digest);
        Ok(Box::new(Cursor::new(found.map(Vec::as_slice).unwrap_or_default())))
    }

    fn stretch(&self, _: &Digest, range: Range<u64>) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        let place = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert!(!range.is_empty(), "asked for nothing");
        Ok(Option::Some(Box::new(&self.blob[place])))
    }
}

/// The first byte chooses the format; the third one takes the rest as the end of an eStargz blob.
pub fn body(bytes: &[u8]) {
    let Option::Some((format, rest)) = bytes.split_first() else { return };
    let content = b"hello, world\n".repeat(300);
    let (blob, annotations) = match format % 3 {
        0 => {
            let mut blob =
                [gzip(b""), gzip(&content), gzip(&content[..1000]), gzip(&content[..100])].concat();
            let offset = blob.len();
            blob.extend(gzip(&archive(rest)));
            blob.extend(footer(offset));
            let digest = Digest::of(rest);
            (blob, format!(r#""containerd.io/snapshot/stargz/toc.digest":"{digest}""#))
        }
        1 => {
            let mut blob =
                [zstd(b""), zstd(&content), zstd(&content[..1000]), zstd(&content[..100])].concat();
            let table = zstd(rest);
            blob.extend([0x50, 0x2a, 0x4d, 0x18]);
            blob.extend(u32::try_from(table.len()).unwrap_or_default().to_le_bytes());
            let (offset, key) = (blob.len(), "io.github.containers.zstd-chunked.manifest");
            blob.extend(&table);
            let (digest, stored, length) = (Digest::of(&table), table.len(), rest.len());
            (blob, format!(r#""{key}-checksum":"{digest}","{key}-position":"{offset}:{stored}:{length}:1""#))
        }
        _ => {
            (rest.to_vec(), format!(r#""containerd.io/snapshot/stargz/toc.digest":"{}""#, Digest::of(b"{}")))
        }
    };
    look(blob, &annotations);
}

fn look(blob: Vec<u8>, annotations: &str) {
    let layer = Digest::of(&blob);
    // Read whole, it is refused: so whatever comes out was read by its table.
    let config = format!(r#"{{"rootfs":{{"diff_ids":["{}"]}}}}"#, Digest::of(b"another"));
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{}","size":{}}},
            "layers":[{{"digest":"{layer}","size":{},"annotations":{{{annotations}}}}}]}}"#,
        Digest::of(config.as_bytes()),
        config.len(),
        blob.len()
    );
    let one = One { manifest: manifest.into_bytes(), config: config.into_bytes(), blob };
    let mut options = Options::default();
    options.lazy = true;
    options.limits.bytes = 8 << 20;
    options.limits.kept = 1 << 20;
    options.limits.executable = 1 << 20;
    let Ok(image) = read(&one, &Digest::of(&one.manifest), None, "x", &Some, &options) else { return };
    let tree = image.tree;
    assert!(tree.gaps.iter().any(|gap| gap.kind == GapKind::LayerNotVerified), "{:?}", tree.gaps);
    assert!(tree.bytes <= 8 << 20, "{} bytes", tree.bytes);
    for (path, file) in &tree.files {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "path {path:?}");
        if path.starts_with('w') {
            assert_eq!(file.content.len() as u64, file.meta.size, "{path:?}");
        }
    }
}

/// `bytes` as `stargz.index.json` in an archive.
fn archive(bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0u8; 512];
    header[..17].copy_from_slice(b"stargz.index.json");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(bytes);
    header.resize(header.len().next_multiple_of(512) + 1024, 0);
    header
}

fn footer(offset: usize) -> Vec<u8> {
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, b'S', b'G', 22, 0];
    footer.extend(format!("{offset:016x}STARGZ").as_bytes());
    footer.extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    footer
}

/// `bytes` in stored blocks (RFC 1951, 3.2.4) of a gzip member (RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let blocks: Vec<&[u8]> = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(65535).collect() };
    for (at, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        out.push(u8::from(at + 1 == blocks.len()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(*block);
    }
    let sum = bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    });
    out.extend((!sum).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    out
}

/// `bytes` in raw blocks of a zstd frame (RFC 8878, 3.1.1).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend(u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    let blocks: Vec<&[u8]> = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(100_000).collect() };
    for (at, block) in blocks.iter().enumerate() {
        let header =
            u32::from(at + 1 == blocks.len()) | (u32::try_from(block.len()).unwrap_or_default() << 3);
        out.extend(header.to_le_bytes().get(..3).unwrap_or_default());
        out.extend(*block);
    }
    out
}
