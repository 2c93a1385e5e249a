//! What the feeds of a snapshot cover, and how old they are.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Catalog, FeedInfo, Gap, GapKind, SnapshotInfo, Timestamp};
use jiff::tz::TimeZone;

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

/// The gap of a release whose vendor has stopped: fixes that come out now are for newer releases only.
pub fn ended(catalog: &Catalog, now: Timestamp) -> Option<Gap> {
    let distro = catalog.distro.as_ref()?;
    let last = distro.end_of_life?;
    let today = now.to_zoned(TimeZone::UTC).date();
    (today > last).then(|| {
        let detail = format!(
            "security support of {} ended on {last}, so vulnerabilities found since may be missing: \
             rebuild on a supported release",
            distro.name
        );
        Gap::new(GapKind::EndOfLife, format!("{} {}", distro.id, distro.version), detail)
    })
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
        let detail = format!(
            "feed {} is from {}, more than {} days ago: run `boltseal feeds update`, or import a newer file",
            feed.id,
            current_at(feed).to_zoned(TimeZone::UTC).date(),
            limit / (24 * 60 * 60)
        );
        Gap::new(GapKind::FeedStale, &feed.id, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_lasts_through_its_last_day() {
        let distro = |end: Option<&str>| boltseal_model::Distro {
            id: "alpine".to_owned(),
            version: "3.11.5".to_owned(),
            name: "Alpine Linux v3.11".to_owned(),
            end_of_life: end.map(|day| day.parse().unwrap()),
        };
        let now = "2021-11-01T23:59:59Z".parse().unwrap();
        for (end, expected) in [(None, false), (Some("2021-11-01"), false), (Some("2021-10-31"), true)] {
            let catalog = Catalog { distro: Some(distro(end)), ..Catalog::default() };
            let gap = ended(&catalog, now);
            assert_eq!(gap.as_ref().map(|gap| gap.kind), expected.then_some(GapKind::EndOfLife), "{end:?}");
            assert!(
                gap.is_none_or(|gap| gap.detail.contains("2021-10-31") && gap.subject == "alpine 3.11.5")
            );
        }
    }
}
