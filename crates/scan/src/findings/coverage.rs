//! What the feeds of a snapshot cover, and how old they are.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{FeedInfo, Gap, GapKind, SnapshotInfo, Timestamp};

use super::Matching;

/// Which feeds speak about which space.
pub(crate) struct Covers<'a> {
    feeds: BTreeMap<&'a str, Vec<&'a FeedInfo>>,
    everywhere: Vec<&'a FeedInfo>,
}

impl<'a> Covers<'a> {
    pub(crate) fn of(info: &'a SnapshotInfo) -> Self {
        let mut feeds: BTreeMap<&str, Vec<&FeedInfo>> = BTreeMap::new();
        for feed in &info.feeds {
            for space in &feed.spaces {
                feeds.entry(space).or_default().push(feed);
            }
        }
        // KEV and EPSS name no space: they speak about the vulnerabilities of all.
        let everywhere = info.feeds.iter().filter(|feed| feed.spaces.is_empty()).collect();
        Self { feeds, everywhere }
    }

    /// Whether any feed speaks about `space`.
    pub(crate) fn covers(&self, space: &str) -> bool {
        self.feeds.contains_key(space)
    }

    /// One gap for each of `spaces` that no feed covers, and for each feed used that is too old.
    pub(crate) fn gaps(&self, spaces: &BTreeSet<String>, matching: &Matching) -> Vec<Gap> {
        if spaces.is_empty() {
            return Vec::new(); // nothing to match, nothing that could be missing
        }
        let mut gaps: Vec<Gap> = Vec::new();
        for space in spaces {
            match self.feeds.get(space.as_str()) {
                None => gaps.push(missing(space)),
                Some(feeds) => gaps.extend(feeds.iter().filter_map(|feed| stale(feed, matching))),
            }
        }
        gaps.extend(self.everywhere.iter().filter_map(|feed| stale(feed, matching)));
        gaps.sort();
        gaps.dedup();
        gaps
    }
}

fn missing(space: &str) -> Gap {
    let detail = format!(
        "packages of {space} were not matched, because no feed in the snapshot covers it: \
         run `boltseal feeds update`, or `boltseal feeds import` with a feed for {space}"
    );
    Gap::new(GapKind::FeedMissing, space, detail)
}

/// A feed's age counts from when its content was surely current: what was fetched from its publisher was so at that
/// time; a file that somebody brought was so when the publisher wrote it.
fn current_at(feed: &FeedInfo) -> Timestamp {
    let fetched = feed.source.starts_with("https://") || feed.source.starts_with("http://");
    if fetched { feed.fetched } else { feed.published.unwrap_or(feed.fetched) }
}

fn stale(feed: &FeedInfo, matching: &Matching) -> Option<Gap> {
    let seconds = matching.now.as_second().saturating_sub(current_at(feed).as_second());
    let limit = i64::try_from(matching.stale_after.as_secs()).unwrap_or(i64::MAX);
    (seconds > limit).then(|| {
        let days = |seconds: i64| seconds / (24 * 60 * 60);
        let detail = format!(
            "feed {} is {} days old, more than {}: run `boltseal feeds update`, or import a newer file",
            feed.id,
            days(seconds),
            days(limit)
        );
        Gap::new(GapKind::FeedStale, &feed.id, detail)
    })
}
