//! Records into chunks.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use boltseal_model::{Advisory, Digest, Enrichment, FeedInfo, SnapshotInfo};

use super::{ChunkInfo, Index, MAX_CHUNK_BYTES, PackError, Record, index::MAX_CHUNKS};

/// Around which size chunks end, before compression. Smaller ones make a change smaller and the whole larger: at
/// 128 KiB an advisory that changes moves some 20 KB.
pub(super) const TARGET: u64 = 128 << 10;

/// The same for enrichments: EPSS changes as a whole, every day.
const ENRICHMENT_TARGET: u64 = 1 << 20;

/// Good, and still several times faster than feeds are read.
const LEVEL: i32 = 9;

/// Collects records in any order; they wait in an unnamed file, and 100 bytes for each in memory.
pub struct Packer {
    waiting: BufWriter<File>,
    length: u64,
    entries: Vec<Entry>,
    feeds: Vec<FeedInfo>,
}

/// Where a record waits. The order of the fields is the order of the pack.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Feed and id.
    key: Box<str>,
    hash: u64,
    offset: u64,
    length: u32,
}

impl Packer {
    /// With records waiting in `folder`.
    pub fn in_folder(folder: &Path) -> Result<Self, PackError> {
        let waiting = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?);
        Ok(Self { waiting, length: 0, entries: Vec::new(), feeds: Vec::new() })
    }

    /// Adds an advisory.
    pub fn advisory(&mut self, advisory: Advisory) -> Result<(), PackError> {
        let key = format!("{}\n{}", advisory.feed, advisory.id);
        self.record(key, &Record::Advisory(Box::new(advisory)))
    }

    /// Adds what a feed says about a CVE.
    pub fn enrichment(&mut self, enrichment: Enrichment) -> Result<(), PackError> {
        // Behind all feeds.
        let key = match &enrichment {
            Enrichment::Kev { cve, .. } => format!("\u{7f}kev\n{cve}"),
            Enrichment::Epss { cve, .. } => format!("\u{7f}epss\n{cve}"),
        };
        self.record(key, &Record::Enrichment(enrichment))
    }

    /// Adds a source.
    pub fn feed(&mut self, feed: FeedInfo) {
        self.feeds.push(feed);
    }

    fn record(&mut self, key: String, record: &Record) -> Result<(), PackError> {
        let line = serde_json::to_vec(record).map_err(|error| PackError::Io(error.into()))?;
        let what = "a record of feeds";
        if line.len() as u64 >= MAX_CHUNK_BYTES {
            let why = format!("it is larger than {MAX_CHUNK_BYTES} bytes");
            return Err(PackError::Form { what, why });
        }
        let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
        let hash = xxhash_rust::xxh3::xxh3_64(&line);
        self.waiting.write_all(&line)?;
        self.entries.push(Entry { key: key.into(), hash, offset: self.length, length });
        self.length += u64::from(length);
        Ok(())
    }

    /// Makes chunks of everything, hands each to `each`, and gives the index of them. `snapshot` is what a builder made
    /// of the same records.
    pub fn finish(
        self,
        snapshot: &SnapshotInfo,
        each: &mut dyn FnMut(&ChunkInfo, &[u8]) -> std::io::Result<()>,
    ) -> Result<Index, PackError> {
        let Self { waiting, mut entries, mut feeds, .. } = self;
        let file = waiting.into_inner().map_err(|error| PackError::Io(error.into_error()))?;
        entries.sort_unstable();
        feeds.sort_by(|a, b| a.id.cmp(&b.id));
        let mut chunks = Vec::new();
        let mut plain: Vec<u8> = Vec::new();
        let mut before: Option<&Entry> = None;
        for entry in &entries {
            // The same record twice says nothing twice.
            if before.is_some_and(|before| (&before.key, before.hash) == (&entry.key, entry.hash)) {
                continue;
            }
            if ends(before, entry, plain.len() as u64) {
                chunk(&mut plain, &mut chunks, each)?;
            }
            let start = plain.len();
            plain.resize(start + entry.length as usize, 0);
            file.read_exact_at(plain.get_mut(start..).unwrap_or_default(), entry.offset)?;
            plain.push(b'\n');
            before = Some(entry);
        }
        if !plain.is_empty() {
            chunk(&mut plain, &mut chunks, each)?;
        }
        if chunks.len() > MAX_CHUNKS {
            let why = format!("it makes more than {MAX_CHUNKS} chunks");
            return Err(PackError::Form { what: "the pack", why });
        }
        Ok(Index::new(snapshot.built, snapshot.id.clone(), feeds, chunks))
    }
}

/// Whether a chunk ends between two records: with a chance of one in as many records of this size as make the target,
/// decided by the key, so that it is decided alike tomorrow; and always between feeds.
fn ends(before: Option<&Entry>, next: &Entry, length: u64) -> bool {
    let Some(before) = before else { return false };
    let feed = |entry: &Entry| {
        entry
            .key
            .find('\n')
            .map_or(0, |end| xxhash_rust::xxh3::xxh3_64(entry.key.get(..end).unwrap_or_default().as_bytes()))
    };
    let target = if before.key.starts_with('\u{7f}') { ENRICHMENT_TARGET } else { TARGET };
    let share = u64::MAX / target * u64::from(before.length).min(target);
    // Four times the target at most, unless one record is larger.
    length + u64::from(next.length) > 4 * target
        || xxhash_rust::xxh3::xxh3_64(before.key.as_bytes()) < share
        || feed(before) != feed(next)
}

fn chunk(
    plain: &mut Vec<u8>,
    chunks: &mut Vec<ChunkInfo>,
    each: &mut dyn FnMut(&ChunkInfo, &[u8]) -> std::io::Result<()>,
) -> Result<(), PackError> {
    let bytes = zstd::bulk::compress(plain, LEVEL)?;
    let info = ChunkInfo { digest: Digest::of(&bytes), bytes: bytes.len() as u64, plain: plain.len() as u64 };
    each(&info, &bytes)?;
    chunks.push(info);
    plain.clear();
    Ok(())
}
