//! Which records are meant, and how they are found in a data folder.

use boltseal_api::audit::Recorded;
use boltseal_audit::{
    log::{Bundle, Error, Reader, Storage},
    query::Filter,
    record::Activity,
};
use boltseal_model::Timestamp;

use super::{folder::LogFolder, place::failed};
use crate::{exit::Failure, moment};

/// Entries of a bundle.
const BUNDLE: u64 = boltseal_audit::log::TILE_WIDTH as u64;

/// An entry with its number.
type Numbered = (u64, Vec<u8>);

/// Which records.
#[derive(Debug, clap::Args)]
pub struct Meant {
    /// Only what this principal did: name or id
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only this: a word such as sign-in, create, read, delete, grant, judge, or an action, also with * at its end
    #[arg(long, value_name = "WHAT")]
    what: Option<String>,
    /// Only from this moment on: a moment, a date, or a span back such as 2h or 7d
    #[arg(long, value_name = "WHEN", value_parser = moment::past)]
    since: Option<Timestamp>,
    /// Only before this moment
    #[arg(long, value_name = "WHEN", value_parser = moment::past)]
    until: Option<Timestamp>,
    /// Only about this: a scope with all below it, a name, or a digest
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only with this outcome: success, denied, failure or unknown
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only with this text anywhere
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only alerts
    #[arg(long)]
    alerts: bool,
}

impl Meant {
    /// As a filter.
    pub fn filter(&self) -> Result<Filter, Failure> {
        let what = self.what.as_deref().unwrap_or_default();
        let kind = if Activity::named(what).is_some() { "activity" } else { "action" };
        if kind == "action" && !what.is_empty() && !what.contains(['/', '*']) {
            let words = Activity::ALL.map(Activity::name).join(", ");
            return Err(Failure::usage(format_args!(
                "--what `{what}` is neither an action nor one of {words}"
            )));
        }
        let moment = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Filter::parse([
            ("who", text(&self.who)),
            (kind, what.to_owned()),
            ("since", moment(self.since)),
            ("until", moment(self.until)),
            ("subject", text(&self.subject)),
            ("outcome", text(&self.outcome)),
            ("text", text(&self.text)),
            ("alert", self.alerts.to_string()),
        ])
        .map_err(Failure::usage)
    }
}

/// An entry with its place. One that is no JSON, which somebody else must have written, is shown as text.
pub fn recorded(index: u64, sealed: bool, entry: &[u8]) -> Recorded {
    let record =
        serde_json::from_slice(entry).unwrap_or_else(|_| String::from_utf8_lossy(entry).into_owned().into());
    Recorded { index, sealed, record }
}

/// Whether the entry is meant. One that cannot be read is shown rather than passed over.
pub fn is_meant(filter: &Filter, entry: &[u8]) -> bool {
    filter.may_match(entry)
        && boltseal_audit::Record::parse(entry).map_or(true, |record| filter.matches(&record))
}

/// The bundle that holds entry `at`, from there on; `None` where it was archived.
pub fn bundle<S: Storage>(reader: &Reader<S>, at: u64, size: u64) -> Result<Option<Bundle>, Failure> {
    let end = (at / BUNDLE + 1) * BUNDLE;
    match reader.entries(at..end, size).next() {
        Some(Ok(bundle)) => Ok(Some(bundle)),
        Some(Err(Error::Archived { .. })) => Ok(None),
        Some(Err(wrong)) => Err(failed(&wrong)),
        None => Err(failed(&Error::NoEntry { index: at, size })),
    }
}

/// The newest records that are meant.
pub struct Newest {
    /// Oldest first.
    pub found: Vec<Recorded>,
    /// The number of the next entry.
    pub next: u64,
    /// Entries before this one are not there, so they were not looked at.
    pub gone: u64,
}

/// The newest `most` records that are meant.
pub fn newest(folder: &LogFolder, filter: &Filter, most: usize) -> Result<Newest, Failure> {
    let reader = folder.log.reader();
    let (size, waiting) = now(folder, 0)?;
    let next = waiting.last().map_or(size, |(index, _)| index + 1);
    let mut found: Vec<Recorded> = waiting
        .iter()
        .rev()
        .filter(|(_, entry)| is_meant(filter, entry))
        .take(most)
        .map(|(index, entry)| recorded(*index, false, entry))
        .collect();
    let (mut end, mut gone) = (size, 0);
    while end > 0 && found.len() < most {
        let first = (end - 1) / BUNDLE * BUNDLE;
        let Some(bundle) = bundle(reader, first, size)? else {
            gone = end;
            break;
        };
        let entries: Vec<(u64, &[u8])> = bundle.iter().filter(|(index, _)| *index < end).collect();
        let meant = entries.into_iter().rev().filter(|(_, entry)| is_meant(filter, entry));
        found.extend(meant.take(most - found.len()).map(|(index, entry)| recorded(index, true, entry)));
        end = first;
    }
    found.reverse();
    Ok(Newest { found, next, gone })
}

/// The records from entry `from` on that are meant, and the number of the next entry.
pub fn since(folder: &LogFolder, filter: &Filter, from: u64) -> Result<(Vec<Recorded>, u64), Failure> {
    let (size, waiting) = now(folder, from)?;
    let mut found = Vec::new();
    let mut at = from;
    while at < size {
        if let Some(bundle) = bundle(folder.log.reader(), at, size)? {
            let meant = bundle.iter().filter(|(_, entry)| is_meant(filter, entry));
            found.extend(meant.map(|(index, entry)| recorded(index, true, entry)));
        }
        at = ((at / BUNDLE + 1) * BUNDLE).min(size);
    }
    let unsealed = waiting.iter().filter(|(index, entry)| *index >= from && is_meant(filter, entry));
    found.extend(unsealed.map(|(index, entry)| recorded(*index, false, entry)));
    Ok((found, waiting.last().map_or(size, |(index, _)| index + 1).max(from)))
}

/// How many entries are sealed, and those that are not yet, without those far below `from`.
fn now(folder: &LogFolder, from: u64) -> Result<(u64, Vec<Numbered>), Failure> {
    loop {
        let size = folder.log.reader().checkpoint().map_err(|wrong| failed(&wrong))?.checkpoint().size;
        let batches = folder.batches(size.max(from))?;
        // The facts forget what was sealed meanwhile.
        if batches.first().is_none_or(|batch| batch.first <= size.max(from)) {
            let numbered = batches.into_iter().flat_map(|batch| (batch.first..).zip(batch.entries));
            return Ok((size, numbered.filter(|(index, _)| *index >= size).collect()));
        }
    }
}
