//! Feeds for people: what there is, how old it is, what became of an update.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use boltseal_feed::{Fetched, Outcome, Report as Imports, Stored, Tally};
use boltseal_flow::feeds::{Built, Published, Pulled, Status};
use boltseal_model::{SnapshotInfo, Timestamp};
use serde::Serialize;

use super::{
    packages::grid,
    paint::{Paint, count},
};

/// What an import took in: one line for each feed, however many files it came in.
pub fn imported(imports: &Imports, paint: Paint) -> String {
    let mut feeds: BTreeMap<&str, (Tally, BTreeSet<&str>)> = BTreeMap::new();
    for part in &imports.feeds {
        let (tally, sources) = feeds.entry(&part.id).or_default();
        tally.add(&part.tally);
        sources.insert(place(&part.source));
    }
    let rows = feeds.into_iter().map(|(id, (tally, sources))| {
        let sources = sources.into_iter().collect::<Vec<_>>().join(", ");
        [id.to_owned(), tally.records.to_string(), left_out(&tally), sources]
    });
    grid(&["feed", "records", "left out", "from"], rows, paint)
}

/// What became of each feed of an update.
pub fn fetched(fetched: &[Fetched], paint: Paint) -> String {
    let rows = fetched.iter().map(|one| {
        let outcome = match &one.outcome {
            Outcome::Updated(tally) => format!("updated: {} records", tally.records),
            Outcome::Unchanged => "unchanged".to_owned(),
            Outcome::Absent => "not published".to_owned(),
            Outcome::Failed(_) => "FAILED: see below".to_owned(),
        };
        [one.id.clone(), outcome]
    });
    grid(&["feed", "outcome"], rows, paint)
}

/// The snapshot that is now in use.
pub fn built(built: &Built) -> String {
    let mut line = format!(
        "snapshot {} in use: {}, {}.{} MB",
        built.snapshot.id,
        count(built.snapshot.feeds.len(), "feed"),
        built.bytes / 1_000_000,
        built.bytes / 100_000 % 10
    );
    if built.rejected > 0 {
        let _ = write!(line, ", {} records left out", built.rejected);
    }
    line.push('\n');
    line
}

/// What was published, and where.
pub fn published(published: &Published, place: &str) -> String {
    let (new, all) = published.chunks;
    let (sent, whole) = published.bytes;
    format!("published to {place}: {new} of {all} chunks new, {} of {}\n", kilobytes(sent), kilobytes(whole))
}

/// What a pull fetched.
pub fn pulled(pulled: &Pulled, place: &str) -> String {
    let (new, all) = pulled.chunks;
    let (fetched, whole) = pulled.bytes;
    let mut line = format!(
        "feeds of {} from {place}: {new} of {all} chunks fetched, {} of {}",
        pulled.published.strftime("%Y-%m-%d %H:%M UTC"),
        kilobytes(fetched),
        kilobytes(whole)
    );
    if pulled.built.is_none() {
        line.push_str("; they were in use already");
    } else if !pulled.same {
        line.push_str("; with feeds of this machine besides, or linked by another version");
    }
    line.push('\n');
    line
}

/// `1,234 kB`, as precise as people ask.
fn kilobytes(bytes: u64) -> String {
    let kilobytes = bytes.div_ceil(1000);
    if kilobytes < 10_000 { format!("{kilobytes} kB") } else { format!("{} MB", kilobytes / 1000) }
}

/// What there is.
pub fn status(status: &Status, now: Timestamp, paint: Paint) -> String {
    let mut out = match &status.snapshot {
        Some(snapshot) => format!(
            "snapshot {} of {}, built {} ago\n",
            snapshot.id,
            count(snapshot.feeds.len(), "feed"),
            age(snapshot.built, now)
        ),
        None => "no snapshot: run `boltseal feeds update`, or `boltseal feeds import` without a network\n"
            .to_owned(),
    };
    if status.stored.is_empty() {
        return out;
    }
    let rows = status.stored.iter().map(|stored| {
        let info = stored.info();
        let used = if in_use(stored, status.snapshot.as_ref()) { "" } else { "not built yet" };
        let published = info.published.map_or_else(|| "unknown".to_owned(), |at| age(at, now));
        let left_out = left_out(&stored.tally());
        [
            info.id,
            age(info.fetched, now),
            published,
            info.records.to_string(),
            left_out,
            place(&info.source).to_owned(),
            used.to_owned(),
        ]
    });
    out.push('\n');
    out.push_str(&grid(&["feed", "fetched", "published", "records", "left out", "from", ""], rows, paint));
    out
}

/// The same for programs.
#[derive(Serialize)]
pub struct Document<'a> {
    snapshot: Option<&'a SnapshotInfo>,
    feeds: Vec<Feed>,
}

#[derive(Serialize)]
struct Feed {
    #[serde(flatten)]
    info: boltseal_model::FeedInfo,
    in_use: bool,
    tally: Tally,
}

impl<'a> Document<'a> {
    /// What there is.
    pub fn of(status: &'a Status) -> Self {
        let feeds = status.stored.iter().map(|stored| Feed {
            info: stored.info(),
            in_use: in_use(stored, status.snapshot.as_ref()),
            tally: stored.tally(),
        });
        Self { snapshot: status.snapshot.as_ref(), feeds: feeds.collect() }
    }
}

fn in_use(stored: &Stored, snapshot: Option<&SnapshotInfo>) -> bool {
    snapshot.is_some_and(|snapshot| {
        snapshot.feeds.iter().any(|feed| feed.id == stored.id && feed.fetched == stored.fetched)
    })
}

/// The host of a URL, the name of a file: enough to recognise it. `--format json` has all of it.
fn place(source: &str) -> &str {
    match source.split_once("://") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(rest),
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

/// Records that were not taken, in few words.
fn left_out(tally: &Tally) -> String {
    let skipped: u64 = tally.skipped.values().sum();
    let unsupported: u64 = tally.unsupported.values().sum();
    let parts = [(skipped, "by rule"), (unsupported, "not supported"), (tally.rejected, "broken")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, why)| format!("{number} {why}"))
        .collect();
    parts.join(", ")
}

/// `3 days`, `5 hours`, `moments`: how much earlier `at` is than `now`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    let number = |seconds: i64| usize::try_from(seconds).unwrap_or_default();
    match seconds {
        ..60 => "moments".to_owned(),
        60..3600 => count(number(seconds / 60), "minute"),
        3600..172_800 => count(number(seconds / 3600), "hour"),
        _ => format!("{} days", number(seconds / 86_400)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ages() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-11-23T11:59:30Z", "moments"),
            ("2026-11-23T11:58:30Z", "1 minute"),
            ("2026-11-22T12:00:00Z", "24 hours"),
            ("2026-11-20T12:00:00Z", "3 days"),
            ("2027-11-20T12:00:00Z", "moments"),
        ] {
            assert_eq!(super::age(at.parse().unwrap(), now), expected, "{at}");
        }
    }
}
