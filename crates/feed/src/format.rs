//! Formats of feeds. A new one is one file here and one line in [`ALL`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};

use boltseal_model::Timestamp;

use crate::{Error, Sink, limits};

mod arch_tracker;
mod csaf;
mod csv;
mod cvrf;
mod debian_list;
mod debian_tracker;
mod epss;
mod kev;
mod osv;
mod oval;
mod photon;
mod secdb;
mod ubuntu_tracker;
mod updateinfo;

/// One way to write vulnerability data down.
pub trait Format: Sync {
    /// `osv`, `debian-tracker`, …: the word in feed ids, messages and flags.
    fn id(&self) -> &'static str;

    /// One line for help.
    fn about(&self) -> &'static str;

    /// Whether a document called `name` that starts with `head` (at least 4 KiB of it, if it is that long) is one.
    fn recognises(&self, name: &str, head: &[u8]) -> bool;

    /// How a feed of many documents keeps them; most feeds are one document, or few parts.
    fn bundle(&self) -> Bundle {
        Bundle::Apart
    }

    /// Whether all documents of this format are of one feed, whatever folder or archive they come in.
    fn is_one_feed(&self) -> bool {
        false
    }

    /// Whether a feed has several documents of this format, each a part of it that is named after its file.
    fn is_parted(&self) -> bool {
        false
    }

    /// Reads `document` to its end. Everything it says goes to `sink`, as said by the feed called `feed`.
    ///
    /// An error means that the document as a whole cannot be trusted (cut off, not of this format).
    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error>;
}

/// How documents of one feed are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// Each document is a part of its own, or a feed of its own.
    Apart,
    /// Each is a JSON value or some, and a line of the bundle.
    Lines,
    /// Each is a text, followed by a line that holds only [`SEPARATOR`].
    Separated,
}

/// Ends a text of a bundle: the record separator of ASCII.
pub(crate) const SEPARATOR: u8 = 0x1e;

/// Every format, in the order in which they are asked [`Format::recognises`].
pub const ALL: &[&dyn Format] = &[
    &kev::Kev,
    &epss::Epss,
    &secdb::AlpineSecdb,
    &debian_list::DebianList,
    // These have words that OSV records have too, so they come first.
    &csaf::Csaf,
    &photon::Photon,
    &arch_tracker::ArchTracker,
    &osv::Osv,
    &debian_tracker::DebianTracker,
    &oval::Oval,
    &updateinfo::Updateinfo,
    &cvrf::Cvrf,
    &ubuntu_tracker::UbuntuTracker,
];

/// The format called `id`.
pub fn by_id(id: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.id() == id)
}

/// One decompressed file.
pub struct Document<'a> {
    /// Its path, with that inside an archive; for messages and for telling formats apart.
    pub name: &'a str,
    /// Its bytes.
    pub input: &'a mut dyn BufRead,
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({})", self.name)
    }
}

impl Document<'_> {
    /// The whole of it, at most `limit` bytes.
    pub(crate) fn whole(&mut self, limit: u64, format: &'static str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.input
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::broken(self.name, format, error))?;
        if bytes.len() as u64 > limit {
            return Err(Error::limit(self.name, "the size of the document", limit));
        }
        Ok(bytes)
    }

    /// Hands the texts of a bundle to `each`, or the document itself where it is one text. Each has at most `limit`
    /// bytes.
    pub(crate) fn texts(
        &mut self,
        limit: u64,
        format: &'static str,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut text = Vec::new();
        let mut line = Vec::new();
        while self.line(&mut line, limit, format)? {
            if line == [SEPARATOR] {
                each(&text)?;
                text.clear();
                continue;
            }
            text.extend_from_slice(&line);
            text.push(b'\n');
            if text.len() as u64 > limit {
                return Err(Error::limit(self.name, "the size of a record", limit));
            }
        }
        if text.iter().any(|byte| !byte.is_ascii_whitespace()) {
            each(&text)?;
        }
        Ok(())
    }

    /// The next line without its end, into `line`. `false` at the end of the document.
    pub(crate) fn line(
        &mut self,
        line: &mut Vec<u8>,
        limit: u64,
        format: &'static str,
    ) -> Result<bool, Error> {
        line.clear();
        let read = (&mut *self.input as &mut dyn BufRead)
            .take(limit + 1)
            .read_until(b'\n', line)
            .map_err(|error| Error::broken(self.name, format, error))?;
        if read as u64 > limit {
            return Err(Error::limit(self.name, "the length of a line", limit));
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        Ok(read > 0)
    }
}

/// What a document held, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Records taken: OSV records, Debian facts (package, CVE, release), Alpine facts, KEV and EPSS rows.
    pub records: u64,
    /// Records that made no sense.
    pub rejected: u64,
    /// Records left out for a good reason, by reason: withdrawn, regression update, …
    pub skipped: BTreeMap<String, u64>,
    /// What ecosystems or releases we cannot match yet had to say, in entries.
    pub unsupported: BTreeMap<String, u64>,
    /// Name spaces covered.
    pub spaces: BTreeSet<String>,
    /// When the publisher last changed it, as far as the document says.
    pub published: Option<Timestamp>,
    /// What the document calls itself, where one format has several feeds: `v3.19`, `DSA`.
    pub feed: Option<String>,
    /// Which part of that feed it is: `main`, `community`.
    pub part: Option<String>,
}

impl Tally {
    /// Counts one record left out.
    pub(crate) fn skip(&mut self, reason: &str) {
        *self.skipped.entry(reason.to_owned()).or_default() += 1;
    }

    /// Counts one entry of an ecosystem we cannot match. Only so many different ones: the names are not ours.
    pub(crate) fn unsupported(&mut self, ecosystem: &str) {
        const MAX_NAMES: usize = 500;
        let known = self.unsupported.len() < MAX_NAMES || self.unsupported.contains_key(ecosystem);
        let name = if known { ecosystem.chars().take(80).collect() } else { "others".to_owned() };
        *self.unsupported.entry(name).or_default() += 1;
    }

    /// Counts one record that makes no sense, and tells `sink`.
    pub(crate) fn reject(&mut self, sink: &mut dyn Sink, what: &str, why: &str) {
        self.rejected += 1;
        if self.rejected <= limits::MAX_QUOTED as u64 {
            sink.rejected(what, why);
        }
    }

    /// Adds another document of the same feed.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.rejected += other.rejected;
        for (sum, more) in [(&mut self.skipped, &other.skipped), (&mut self.unsupported, &other.unsupported)]
        {
            for (name, count) in more {
                *sum.entry(name.clone()).or_default() += count;
            }
        }
        self.spaces.extend(other.spaces.iter().cloned());
        self.published = self.published.max(other.published);
    }
}

/// Whether `head` has `words` in it.
pub(crate) fn has(head: &[u8], words: &[u8]) -> bool {
    memchr::memmem::find(head, words).is_some()
}

/// `text` cut to at most `limit` bytes, at a character.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit.saturating_sub(3)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The CVE ids in `text`, in order, each once. Of `CVE-2017-17434-1`, a part of one, the whole.
pub(crate) fn cves(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let end = word.match_indices('-').nth(2).map_or(word.len(), |(at, _)| at);
        let word = word.get(..end).unwrap_or_default();
        if is_cve(word) && !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

/// Whether `word` is `CVE-`, a year, `-` and a number.
pub(crate) fn is_cve(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let rest = word.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(year, number)| year.len() == 4 && digits(year) && number.len() < 20 && digits(number))
}

/// Skips a UTF-8 byte order mark.
pub(crate) fn skip_mark(input: &mut dyn BufRead) -> io::Result<()> {
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    Ok(())
}
