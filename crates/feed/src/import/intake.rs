//! Documents that belong together, on their way into the folder of raw feeds: checked by reading them as a snapshot
//! build would, and written at the same time. Nothing is visible before [`Intake::close`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Cursor, Read as _, Write as _};
use std::path::Path;

use boltseal_model::{Advisory, Enrichment, FeedInfo, Timestamp};

use super::{Imported, tee::Tee};
use crate::container::Found;
use crate::format::{ALL, Bundle, Document, Format, SEPARATOR, Tally};
use crate::store::{self, Part, Stored, clean, part};
use crate::{Error, Sink, limits};

/// Feeds of which there is one in the world: the newer one wins.
const UNIQUE: [&str; 2] = ["kev", "epss"];

/// The part of feeds that have one.
pub(crate) const DATA: &str = "data";

pub(crate) struct Intake<'i> {
    raw: &'i Path,
    now: Timestamp,
    open: BTreeMap<(String, String), Open>,
    /// Where the next document came from, as an HTTP server described it.
    pub origin: Origin,
    rejected: Vec<(String, String)>,
}

/// What a server said about a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// One part being written.
struct Open {
    format: &'static dyn Format,
    writer: part::Writer,
    tally: Tally,
    sources: BTreeSet<String>,
    origin: Origin,
}

/// What [`Intake::close`] did.
#[derive(Default)]
pub(crate) struct Closed {
    pub imported: Vec<Imported>,
    pub empty: Vec<Error>,
}

/// Collects what was rejected and forgets the rest.
struct Check<'c> {
    rejected: &'c mut Vec<(String, String)>,
}

impl Sink for Check<'_> {
    fn advisory(&mut self, _: Advisory) {}
    fn enrichment(&mut self, _: Enrichment) {}
    fn feed(&mut self, _: FeedInfo) {}
    fn rejected(&mut self, what: &str, why: &str) {
        if self.rejected.len() < limits::MAX_QUOTED {
            self.rejected.push((what.to_owned(), why.to_owned()));
        }
    }
}

impl<'i> Intake<'i> {
    pub(crate) fn new(raw: &'i Path, now: Timestamp) -> Self {
        Self { raw, now, open: BTreeMap::new(), origin: Origin::default(), rejected: Vec::new() }
    }

    /// Takes one document in. `false` when no format claims it.
    pub(crate) fn document(&mut self, mut found: Found<'_>, source: &str) -> Result<bool, Error> {
        let Some(format) = ALL.iter().copied().find(|format| format.recognises(&found.name, found.head))
        else {
            return Ok(false);
        };
        match format.bundle() {
            Bundle::Apart => self.whole(&mut found, format, source)?,
            bundle => self.record(found, format, bundle, source)?,
        }
        Ok(true)
    }

    /// A document that is a part of its own.
    fn whole(
        &mut self,
        found: &mut Found<'_>,
        format: &'static dyn Format,
        source: &str,
    ) -> Result<(), Error> {
        let mut writer = part::Writer::new(self.raw)?;
        let mut check = Check { rejected: &mut self.rejected };
        let mut input = BufReader::with_capacity(1 << 16, Tee { from: &mut *found.input, to: &mut writer });
        let tally =
            format.read(&mut Document { name: &found.name, input: &mut input }, format.id(), &mut check)?;
        std::io::copy(&mut input, &mut std::io::sink())
            .map_err(|error| Error::broken(&found.name, format.id(), error))?;
        drop(input);
        let id = match (&tally.feed, UNIQUE.contains(&format.id())) {
            (Some(feed), _) => format!("{}:{}", format.id(), clean(feed)),
            (None, true) => format.id().to_owned(),
            (None, false) if format.is_one_feed() => format.id().to_owned(),
            // The tracker's own address ends in `json`.
            (None, false) if matches!(found.stem.as_str(), "json" | "data") || found.stem == format.id() => {
                format.id().to_owned()
            }
            (None, false) => format!("{}:{}", format.id(), clean(&found.stem)),
        };
        let named = || if format.is_parted() { part_of(found) } else { DATA.to_owned() };
        let name = tally.part.as_deref().map_or_else(named, clean);
        let key = (id, name);
        let newer = self.open.get(&key).is_none_or(|other| tally.published > other.tally.published);
        if newer || !UNIQUE.contains(&format.id()) {
            let sources = BTreeSet::from([source.to_owned()]);
            self.open.insert(key, Open { format, writer, tally, sources, origin: self.origin.clone() });
        }
        Ok(())
    }

    /// A document that is one record, or some, of a collection.
    fn record(
        &mut self,
        found: Found<'_>,
        format: &'static dyn Format,
        bundle: Bundle,
        source: &str,
    ) -> Result<(), Error> {
        let id = if format.is_one_feed() {
            format.id().to_owned()
        } else {
            format!("{}:{}", format.id(), clean(&found.group))
        };
        let key = (id, DATA.to_owned());
        if !self.open.contains_key(&key) {
            let writer = part::Writer::new(self.raw)?;
            let (tally, sources) = (Tally::default(), BTreeSet::new());
            let open = Open { format, writer, tally, sources, origin: self.origin.clone() };
            self.open.insert(key.clone(), open);
        }
        let Some(open) = self.open.get_mut(&key) else { return Ok(()) };
        if !open.sources.contains(source) {
            open.sources.insert(source.to_owned());
        }
        let mut check = Check { rejected: &mut self.rejected };
        let mut bytes = Vec::new();
        let broken = |error| crate::container::of_io(&found.name, error);
        (&mut *found.input).take(limits::MAX_RECORD_BYTES).read_to_end(&mut bytes).map_err(broken)?;
        if (bytes.len() as u64) < limits::MAX_RECORD_BYTES {
            let mut input = Cursor::new(&bytes);
            match format.read(&mut Document { name: &found.name, input: &mut input }, &key.0, &mut check) {
                Ok(tally) => {
                    open.tally.add(&tally);
                    let kept = if bundle == Bundle::Lines { lines(bytes) } else { separated(bytes) };
                    open.writer.write_all(&kept).map_err(Error::io(self.raw))?;
                }
                // One bad record of many; a file that was cut off as a whole was noticed by its container.
                Err(error) => open.tally.reject(&mut check, &found.name, &error.to_string()),
            }
            return Ok(());
        }
        if bundle == Bundle::Separated {
            return Err(Error::limit(&found.name, "the size of a record", limits::MAX_RECORD_BYTES));
        }
        let mut all = Cursor::new(bytes).chain(found.input);
        let mut input = BufReader::with_capacity(1 << 16, Tee { from: &mut all, to: &mut open.writer });
        let tally =
            format.read(&mut Document { name: &found.name, input: &mut input }, &key.0, &mut check)?;
        open.tally.add(&tally);
        drop(input);
        open.writer.write_all(b"\n").map_err(Error::io(self.raw))
    }

    /// Forgets every part that `source` had a share in.
    pub(crate) fn spoil(&mut self, source: &str) {
        self.open.retain(|_, open| !open.sources.contains(source));
    }

    /// Ids of the feeds that are on their way.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.open.keys().map(|(id, _)| id.clone()).collect();
        ids.dedup();
        ids
    }

    /// Makes everything taken in visible, feed by feed.
    pub(crate) fn close(self, rejected: &mut Vec<(String, String)>) -> Result<Closed, Error> {
        let room = limits::MAX_QUOTED.saturating_sub(rejected.len());
        rejected.extend(self.rejected.into_iter().take(room));
        let mut closed = Closed::default();
        if self.open.is_empty() {
            return Ok(closed);
        }
        let _lock = store::lock::exclusive(self.raw)?;
        for ((id, name), open) in self.open {
            let source = source_of(&open.sources);
            let tally = open.tally.clone();
            if tally.records == 0 && tally.skipped.is_empty() && tally.unsupported.is_empty() {
                closed.empty.push(Error::Empty { name: source, rejected: tally.rejected });
                continue;
            }
            let known = store::find(self.raw, &id)?;
            let kept_newer = UNIQUE.contains(&open.format.id())
                && known.as_ref().is_some_and(|known| known.tally().published > tally.published);
            if !kept_newer {
                install(self.raw, self.now, known, &id, &name, open, source.clone())?;
            }
            match closed.imported.last_mut().filter(|last| last.id == id) {
                Some(other_part) => other_part.tally.add(&tally),
                None => closed.imported.push(Imported { id, source, tally, kept_newer }),
            }
        }
        Ok(closed)
    }
}

/// What the part is called that a file makes: after the file, without the hash that repositories put before its name; after its
/// folder where the file has the name that all have.
fn part_of(found: &Found<'_>) -> String {
    let hash = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let stem =
        found.stem.split_once('-').filter(|(before, _)| hash(before)).map_or(&*found.stem, |(_, rest)| rest);
    clean(if stem == "updateinfo" { &found.group } else { stem })
}

fn install(
    raw: &Path,
    now: Timestamp,
    known: Option<Stored>,
    id: &str,
    name: &str,
    open: Open,
    source: String,
) -> Result<(), Error> {
    let format = open.format.id().to_owned();
    let (file, digest) = open.writer.finish(raw, id, name)?;
    let Origin { etag, last_modified } = open.origin;
    let part = Part { name: name.to_owned(), file, digest, source, etag, last_modified, tally: open.tally };
    let mut stored = known.unwrap_or_else(|| Stored {
        id: id.to_owned(),
        format: String::new(),
        fetched: now,
        parts: Vec::new(),
    });
    stored.format = format;
    stored.fetched = now;
    stored.parts.retain(|other| other.name != part.name);
    stored.parts.push(part);
    stored.parts.sort_by(|a, b| a.name.cmp(&b.name));
    store::commit(raw, &stored)
}

/// One source as it is; of a folder's many files the folder.
fn source_of(sources: &BTreeSet<String>) -> String {
    let (first, last) =
        (sources.first().cloned().unwrap_or_default(), sources.last().cloned().unwrap_or_default());
    if sources.len() < 2 {
        return first;
    }
    let common: String =
        first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    common.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}

/// Records as JSON lines. Line breaks of JSON stand only between its words, never inside a string, so a record
/// over several lines may simply lose them.
fn lines(mut bytes: Vec<u8>) -> Vec<u8> {
    let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let already = first.is_some_and(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
    if !already {
        let mut flat = Vec::with_capacity(bytes.len());
        for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            flat.extend_from_slice(line.trim_ascii_start());
        }
        bytes = flat;
    }
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes
}

/// A text of a bundle, with what ends it. It may be a bundle itself.
fn separated(mut bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    if !bytes.ends_with(&[SEPARATOR, b'\n']) {
        bytes.extend([SEPARATOR, b'\n']);
    }
    bytes
}
