//! Collects advisories, compactly: names are kept once, texts wait in a temporary file.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Seek, Write},
    mem,
    path::Path,
    sync::Arc,
};

use boltseal_ecosystem::Ecosystem;
use boltseal_model::{
    Advisory, Affected, Enrichment, FeedInfo, Range, Severity, SnapshotInfo, Status, Timestamp,
};

use super::{
    enrich::Enrichments,
    layout::{self, NONE},
    texts, write,
};
use crate::Error;

/// Collects advisories in any order and writes them as a snapshot.
///
/// Memory: some 700 bytes for each record with its ranges, whatever its texts; 146,000 records took 114 MiB.
pub struct Builder {
    pub(super) names: Names,
    pub(super) drafts: Vec<Draft>,
    by_id: HashMap<(u32, u32), usize>,
    pub(super) enrichments: Enrichments,
    pub(super) feeds: Vec<FeedInfo>,
    pub(super) texts: BufWriter<File>,
    pub(super) texts_length: u64,
}

/// One advisory while it waits.
pub(super) struct Draft {
    pub id: u32,
    pub feed: u32,
    pub aliases: Vec<u32>,
    pub published: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub severity: Option<Severity>,
    pub vectors: Box<[(u32, u64)]>,
    pub text: Text,
    pub rows: Vec<DraftRow>,
}

/// Where a draft's texts wait: first what findings show, then the whole as JSON.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub offset: u64,
    pub brief: u32,
    pub whole: u32,
    /// Decides between two texts of the same advisory, so that the order of arrival does not.
    hash: u64,
    pub has_title: bool,
}

/// One row of a package. Strings are references into [`Names`].
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DraftRow {
    pub space: u32,
    pub package: u32,
    pub introduced: u32,
    pub fixed: u32,
    pub last: u32,
    pub day: i32,
    pub status: Status,
    pub severity: Option<Severity>,
    pub cpus: u32,
    /// Exact versions; such a row has no range.
    pub listed: Box<[u32]>,
}

/// Every name and version once.
#[derive(Default)]
pub(super) struct Names {
    by_text: HashMap<Arc<str>, u32>,
    pub all: Vec<Arc<str>>,
}

impl Builder {
    /// With long texts waiting in the system's temporary folder.
    pub fn new() -> Result<Self, Error> {
        Self::in_folder(&std::env::temp_dir())
    }

    /// With long texts waiting in an unnamed file in `folder`, where the system's temporary folder is memory.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            names: Names::default(),
            drafts: Vec::new(),
            by_id: HashMap::new(),
            enrichments: Enrichments::default(),
            feeds: Vec::new(),
            texts: BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?),
            texts_length: 0,
        })
    }

    /// Adds a record. Where the same feed has two with one id, the one modified later counts; if neither was, both do.
    pub fn advisory(&mut self, mut advisory: Advisory) -> Result<(), Error> {
        let affected = mem::take(&mut advisory.affected);
        advisory.details = shortened(advisory.details);
        let mut draft = Draft {
            id: self.names.of(&advisory.id)?,
            feed: self.names.of(&advisory.feed)?,
            aliases: advisory.aliases.iter().map(|alias| self.names.of(alias)).collect::<Result<_, _>>()?,
            published: advisory.published,
            modified: advisory.modified,
            severity: advisory.severity,
            vectors: (advisory.cvss.iter())
                .map(|cvss| Ok((self.names.of(&cvss.vector)?, cvss.score.to_bits())))
                .collect::<Result<_, Error>>()?,
            text: self.spill(&advisory)?,
            rows: Vec::new(),
        };
        for affected in affected {
            self.rows(affected, &mut draft.rows)?;
        }
        let place = self.drafts.len();
        match *self.by_id.entry((draft.id, draft.feed)).or_insert(place) {
            new if new == place => self.drafts.push(draft),
            old => {
                if let Some(old) = self.drafts.get_mut(old) {
                    old.join(draft);
                }
            }
        }
        Ok(())
    }

    /// Adds what KEV or EPSS know about a CVE.
    pub fn enrichment(&mut self, enrichment: Enrichment) {
        self.enrichments.add(enrichment);
    }

    /// Adds a source. Advisories name it in [`Advisory::feed`]. Of two with one id the one fetched later counts.
    pub fn feed(&mut self, feed: FeedInfo) {
        let order = |feed: &FeedInfo| (feed.fetched, feed.published, feed.records, feed.source.clone());
        match self.feeds.iter_mut().find(|known| known.id == feed.id) {
            None => self.feeds.push(feed),
            Some(known) => {
                let (mut later, earlier) =
                    if order(&feed) > order(known) { (feed, known.clone()) } else { (known.clone(), feed) };
                later.spaces.extend(earlier.spaces);
                *known = later;
            }
        }
    }

    /// Writes the file. The same content gives the same bytes, whatever order it was added in.
    pub fn finish(mut self, built: Timestamp, out: &mut (impl Write + Seek)) -> Result<SnapshotInfo, Error> {
        let mut feeds = mem::take(&mut self.feeds);
        for feed in &mut feeds {
            feed.spaces.sort();
            feed.spaces.dedup();
        }
        feeds.sort_by(|a, b| a.id.cmp(&b.id));
        write::write(self, SnapshotInfo { id: String::new(), built, feeds }, out)
    }

    /// Puts the texts of `advisory` into the temporary file.
    fn spill(&mut self, advisory: &Advisory) -> Result<Text, Error> {
        let brief = texts::brief(advisory);
        let json =
            |advisory: &Advisory| serde_json::to_vec(advisory).map_err(|error| Error::Io(error.into()));
        let mut whole = json(advisory)?;
        if whole.len() > texts::MAX_TEXT_BYTES {
            // Generated or hostile: what it hits is kept as rows, what it says is not worth the memory of readers.
            whole = json(&Advisory {
                id: advisory.id.clone(),
                feed: advisory.feed.clone(),
                ..Advisory::default()
            })?;
        }
        let offset = self.texts_length;
        self.texts.write_all(&brief)?;
        self.texts.write_all(&whole)?;
        self.texts_length += (brief.len() + whole.len()) as u64;
        Ok(Text {
            offset,
            brief: count(brief.len(), "bytes in one advisory")?,
            whole: count(whole.len(), "bytes in one advisory")?,
            hash: xxhash_rust::xxh3::xxh3_64(&whole),
            has_title: brief.get(1..5) != Some(&[0; 4]),
        })
    }

    fn rows(&mut self, affected: Affected, rows: &mut Vec<DraftRow>) -> Result<(), Error> {
        let ecosystem = boltseal_ecosystem::of_space(&affected.space);
        let everything = affected.ranges.is_empty() && affected.versions.is_empty();
        let cpus = Some(affected.architectures.join(",")).filter(|cpus| !cpus.is_empty());
        let blank = DraftRow {
            space: self.names.of(&affected.space)?,
            package: self.names.of(&affected.package)?,
            introduced: NONE,
            fixed: NONE,
            last: NONE,
            day: 0,
            status: affected.status,
            severity: affected.severity,
            cpus: self.names.maybe(cpus.as_deref())?,
            listed: Box::default(),
        };
        let whole = everything.then(Range::default);
        for range in affected.ranges.iter().chain(&whole) {
            rows.push(DraftRow {
                // OSV writes "0" for the beginning of everything.
                introduced: self.names.maybe(range.introduced.as_deref().filter(|v| *v != "0"))?,
                fixed: self.names.maybe(range.fixed.as_deref())?,
                last: self.names.maybe(range.last_affected.as_deref())?,
                day: super::words::day_number(range.fixed_on),
                ..blank.clone()
            });
        }
        let mut listed = affected.versions;
        listed.retain(|version| {
            !ecosystem.is_some_and(|e| affected.ranges.iter().any(|r| covers(e, r, version)))
        });
        listed.sort();
        listed.dedup();
        if !listed.is_empty() {
            let listed = listed.iter().map(|version| self.names.of(version)).collect::<Result<_, _>>()?;
            rows.push(DraftRow { listed, ..blank });
        }
        Ok(())
    }
}

impl Draft {
    /// Takes in another draft of the same advisory of the same feed, so that the order of the two does not matter.
    fn join(&mut self, mut other: Self) {
        let same_age = self.modified == other.modified;
        if (other.modified, other.text.hash) > (self.modified, self.text.hash) {
            mem::swap(self, &mut other);
        }
        if same_age {
            self.rows.append(&mut other.rows);
            self.aliases.append(&mut other.aliases);
        }
    }
}

impl Names {
    /// The reference of `text`.
    pub fn of(&mut self, text: &str) -> Result<u32, Error> {
        if let Some(known) = self.by_text.get(text) {
            return Ok(*known);
        }
        let new = count(self.all.len(), "different names and versions")?;
        let text: Arc<str> = text.into();
        self.by_text.insert(Arc::clone(&text), new);
        self.all.push(text);
        Ok(new)
    }

    fn maybe(&mut self, text: Option<&str>) -> Result<u32, Error> {
        text.map_or(Ok(NONE), |text| self.of(text))
    }

    /// What [`Names::of`] was given.
    pub fn text(&self, name: u32) -> &str {
        self.all.get(name as usize).map_or("", AsRef::as_ref)
    }
}

/// `number` as the file counts, one value being [`NONE`].
pub(super) fn count(number: usize, what: &'static str) -> Result<u32, Error> {
    let limit = u64::from(layout::NONE);
    u32::try_from(number).ok().filter(|n| *n != NONE).ok_or(Error::TooMuch { what, limit })
}

/// Whether `range` surely contains `version`, so that listing it says nothing new.
fn covers(ecosystem: &dyn Ecosystem, range: &Range, version: &str) -> bool {
    let below = |bound: &Option<String>, most: std::cmp::Ordering| {
        bound.as_ref().is_none_or(|bound| ecosystem.compare(version, bound).is_ok_and(|order| order <= most))
    };
    let above = range.introduced.as_ref().filter(|v| *v != "0");
    // A version that the grammar does not know stays listed, also under a range without bounds.
    ecosystem.compare(version, version).is_ok()
        && above.is_none_or(|bound| ecosystem.compare(version, bound).is_ok_and(std::cmp::Ordering::is_ge))
        && below(&range.fixed, std::cmp::Ordering::Less)
        && below(&range.last_affected, std::cmp::Ordering::Equal)
}

/// Details nobody reads to the end.
fn shortened(mut details: String) -> String {
    /// The longest details of real feeds are some 100 KB of generated lists.
    const MAX_DETAILS: usize = 16 << 10;
    if details.len() > MAX_DETAILS {
        let end = (0..=MAX_DETAILS).rev().find(|end| details.is_char_boundary(*end)).unwrap_or(0);
        details.truncate(end);
        details.push('…');
    }
    details
}
