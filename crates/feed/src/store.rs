//! The folder of raw feeds.
//!
//! ```text
//! raw/<feed id>/feed.json                 what there is: the last file to be written, by rename
//! raw/<feed id>/<part>-<digest>.zst       one document, as its publisher wrote it, compressed by us
//! ```
//!
//! A part never changes: new data is a new file, and `feed.json` switches to it in one step. So whatever happens, a
//! feed is wholly the old one or wholly the new one. OSV exports are kept as JSON lines.

use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use boltseal_model::{Digest, FeedInfo, Timestamp};
use serde::{Deserialize, Serialize};

use crate::format::{Document, Tally, by_id};
use crate::{Error, Sink};

pub(crate) mod coverage;
pub(crate) mod lock;
pub(crate) mod part;

/// One feed as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// `osv:PyPI`, `debian-tracker`, `alpine-secdb:v3.19`, `kev`, …
    pub id: String,
    /// Id of its [`Format`](crate::Format).
    pub format: String,
    /// When it was imported, fetched, or last confirmed to be the newest.
    pub fetched: Timestamp,
    /// Sorted by name; most feeds have one.
    pub parts: Vec<Part>,
}

/// One document of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `main`, `community`; `data` where there is only one.
    pub name: String,
    /// In the folder of the feed.
    pub file: String,
    /// Of the file's bytes.
    pub digest: Digest,
    /// Where it came from: a URL or a file name.
    pub source: String,
    /// For asking again only if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The same, for servers without `ETag`, as the server wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// What was in it.
    pub tally: Tally,
}

/// The name of the file that lists the parts.
const INDEX: &str = "feed.json";

impl Stored {
    /// What is in all parts together.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for part in &self.parts {
            sum.add(&part.tally);
        }
        sum
    }

    /// What the feed tells a snapshot about itself.
    pub fn info(&self) -> FeedInfo {
        self.info_of(&self.tally())
    }

    fn info_of(&self, tally: &Tally) -> FeedInfo {
        let source = self.parts.first().map(|part| part.source.clone()).unwrap_or_default();
        FeedInfo {
            id: self.id.clone(),
            source,
            records: tally.records,
            published: tally.published.or_else(|| self.modified()),
            fetched: self.fetched,
            spaces: coverage::spaces(self, tally),
        }
    }

    /// The newest `Last-Modified` of the parts, for feeds that carry no date themselves.
    fn modified(&self) -> Option<Timestamp> {
        let http = |text: &str| {
            let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
            Some(zoned.timestamp())
        };
        self.parts.iter().filter_map(|part| http(part.last_modified.as_deref()?)).max()
    }
}

/// Every feed in the folder `raw`, sorted by id; none where the folder does not exist.
pub fn list(raw: &Path) -> Result<Vec<Stored>, Error> {
    let entries = match fs::read_dir(raw) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(raw)(error)),
    };
    let mut feeds = Vec::new();
    for entry in entries {
        let index = entry.map_err(Error::io(raw))?.path().join(INDEX);
        if index.is_file() {
            feeds.push(read_index(&index)?);
        }
    }
    feeds.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(feeds)
}

/// Reads every feed in the folder `raw` into `sink`, sorted by id, and calls [`Sink::feed`] after each.
///
/// A stored file that cannot be read is an error: an answer from half the data would look like a good one.
pub fn read_all(raw: &Path, sink: &mut dyn Sink) -> Result<Vec<FeedInfo>, Error> {
    let _lock = lock::shared(raw)?;
    let mut read = Vec::new();
    for stored in list(raw)? {
        let mut tally = Tally::default();
        for part in &stored.parts {
            tally.add(&read_part(raw, &stored, part, sink)?);
        }
        let info = stored.info_of(&tally);
        sink.feed(info.clone());
        read.push(info);
    }
    Ok(read)
}

/// Forgets the feed called `id`.
pub fn remove(raw: &Path, id: &str) -> Result<(), Error> {
    let _lock = lock::exclusive(raw)?;
    let known = list(raw)?;
    if !known.iter().any(|stored| stored.id == id) {
        let known: Vec<String> = known.into_iter().map(|stored| stored.id).collect();
        return Err(Error::Unknown { id: id.to_owned(), known: known.join(", ") });
    }
    let folder = folder(raw, id);
    // The index first: without it there is no feed, whatever else is left.
    fs::remove_file(folder.join(INDEX)).map_err(Error::io(&folder))?;
    fs::remove_dir_all(&folder).map_err(Error::io(&folder))
}

/// The feed called `id`, if there is one.
pub(crate) fn find(raw: &Path, id: &str) -> Result<Option<Stored>, Error> {
    let index = folder(raw, id).join(INDEX);
    if index.is_file() { read_index(&index).map(Some) } else { Ok(None) }
}

/// Where the feed called `id` lies. Ids are made by [`clean`], so they are good folder names.
pub(crate) fn folder(raw: &Path, id: &str) -> PathBuf {
    raw.join(id)
}

/// Makes `stored` what there is, durably, and removes parts that it does not have any more.
pub(crate) fn commit(raw: &Path, stored: &Stored) -> Result<(), Error> {
    let folder = folder(raw, &stored.id);
    let text = serde_json::to_vec_pretty(stored).map_err(|error| Error::io(&folder)(error.into()))?;
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(Error::io(&folder))?;
    file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(Error::io(&folder))?;
    file.persist(folder.join(INDEX)).map_err(|error| Error::io(&folder)(error.error))?;
    sync(&folder)?;
    sync(raw)?;
    for entry in fs::read_dir(&folder).map_err(Error::io(&folder))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let old = part::is_part(&name) && !stored.parts.iter().any(|part| part.file == name);
        if old {
            // Left over it does no harm; the next commit tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Makes new names in `folder` durable.
pub(crate) fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))
}

/// `text` as a part of an id that is also a good file name.
pub(crate) fn clean(text: &str) -> String {
    const MAX: usize = 60;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let clean: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).take(MAX).collect();
    let clean = clean.trim().trim_start_matches('.');
    if clean.is_empty() { "import".to_owned() } else { clean.to_owned() }
}

fn read_index(index: &Path) -> Result<Stored, Error> {
    let text = fs::read(index).map_err(Error::io(index))?;
    serde_json::from_slice(&text)
        .map_err(|error| Error::broken(&index.display().to_string(), "feed index", error))
}

fn read_part(raw: &Path, stored: &Stored, part: &Part, sink: &mut dyn Sink) -> Result<Tally, Error> {
    let path = folder(raw, &stored.id).join(&part.file);
    let name = path.display().to_string();
    let format = by_id(&stored.format).ok_or_else(|| Error::broken(&name, "feed", "an unknown format"))?;
    let file = File::open(&path).map_err(Error::io(&path))?;
    let plain = zstd::Decoder::new(file).map_err(Error::io(&path))?;
    let mut input = BufReader::with_capacity(1 << 16, plain);
    format.read(&mut Document { name: &name, input: &mut input }, &stored.id, sink)
}
