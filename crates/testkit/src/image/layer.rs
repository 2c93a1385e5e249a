//! One layer, entry by entry: ustar headers (POSIX.1-1988) with pax records (POSIX.1-2001) and GNU long names.

use std::io::Write as _;

/// How a layer is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Plain,
    /// RFC 1952.
    #[default]
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// `bytes` in this form.
    pub fn pack(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => bytes.to_vec(),
            Self::Gzip => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                out.write_all(bytes).expect("writing to memory");
                out.finish().expect("writing to memory")
            }
            Self::Zstd => zstd::encode_all(bytes, 3).expect("writing to memory"),
        }
    }
}

/// Every field of a tar header that tests like to bend.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Name, at most 255 bytes with a slash to split at, otherwise 100.
    pub path: &'a str,
    /// Type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory, …
    pub kind: u8,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// What a link points to.
    pub target: &'a str,
    /// The bytes that follow.
    pub content: &'a [u8],
    /// The twelve bytes of the size field, when they should not tell the truth.
    pub size: Option<[u8; 12]>,
}

impl<'a> Entry<'a> {
    /// A regular file.
    pub fn file(path: &'a str, content: &'a [u8]) -> Self {
        Self { path, kind: b'0', mode: 0o644, owner: (0, 0), target: "", content, size: None }
    }

    /// An entry of type `kind` without content.
    pub fn bare(path: &'a str, kind: u8, target: &'a str) -> Self {
        Self { kind, target, ..Self::file(path, b"") }
    }
}

/// A tar archive under construction.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    tar: Vec<u8>,
}

impl Layer {
    /// No entries yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A regular file, mode 644.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry::file(path, content.as_ref()))
    }

    /// A regular file, mode 755.
    #[must_use]
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry { mode: 0o755, ..Entry::file(path, content.as_ref()) })
    }

    /// A directory.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        self.entry(&Entry { mode: 0o755, ..Entry::bare(path, b'5', "") })
    }

    /// A symbolic link at `path` to `target`.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(&Entry::bare(path, b'2', target))
    }

    /// A hard link at `path` to the earlier entry `target`.
    #[must_use]
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(&Entry::bare(path, b'1', target))
    }

    /// Hides `path` of the layers below (OCI layer specification, "Whiteouts").
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').map_or(("", path), |(parent, name)| (parent, name));
        let slash = if parent.is_empty() { "" } else { "/" };
        self.file(&format!("{parent}{slash}.wh.{name}"), b"")
    }

    /// Hides everything that layers below have in `dir`.
    #[must_use]
    pub fn opaque(self, dir: &str) -> Self {
        self.file(&format!("{dir}/.wh..wh..opq"), b"")
    }

    /// Any entry. Names that do not fit the header become a GNU long name.
    #[must_use]
    pub fn entry(mut self, entry: &Entry<'_>) -> Self {
        for (flag, text) in [(b'L', entry.path), (b'K', entry.target)] {
            if text.len() > 100 {
                let mut content = text.as_bytes().to_vec();
                content.push(0);
                self.push(&Entry { kind: flag, ..Entry::file("././@LongLink", &content) });
            }
        }
        self.push(entry);
        self
    }

    /// A pax extended header (`x`) for the next entry.
    #[must_use]
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        self.records(b'x', records)
    }

    /// A pax global header (`g`).
    #[must_use]
    pub fn pax_global(self, records: &[(&str, &str)]) -> Self {
        self.records(b'g', records)
    }

    /// Raw bytes, for what no honest tool would write.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// The archive with its two closing blocks.
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = self.tar.clone();
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    /// The archive so far, without an end.
    pub fn unfinished(&self) -> &[u8] {
        &self.tar
    }

    fn records(mut self, flag: u8, records: &[(&str, &str)]) -> Self {
        let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        self.push(&Entry { kind: flag, ..Entry::file("PaxHeaders/0", &content) });
        self
    }

    fn push(&mut self, entry: &Entry<'_>) {
        self.tar.extend_from_slice(&header(entry));
        self.tar.extend_from_slice(entry.content);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
    }
}

/// `length key=value\n`, where the length counts its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n").into_bytes()
}

fn header(entry: &Entry<'_>) -> [u8; 512] {
    let mut block = [0u8; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in block.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, entry.path.as_bytes().get(..100).unwrap_or(entry.path.as_bytes()));
    put(100, format!("{:07o}", entry.mode).as_bytes());
    put(108, format!("{:07o}", entry.owner.0).as_bytes());
    put(116, format!("{:07o}", entry.owner.1).as_bytes());
    put(124, format!("{:011o}", entry.content.len()).as_bytes());
    if let Some(size) = entry.size {
        put(124, &size);
    }
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[entry.kind]);
    put(157, entry.target.as_bytes().get(..100).unwrap_or(entry.target.as_bytes()));
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (place, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *place = byte;
    }
    block
}
