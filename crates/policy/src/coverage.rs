//! Rules about what was not looked at, and about the age of the data it was looked at with.

use std::borrow::Cow;

use boltseal_model::{FeedInfo, Gap, GapKind, Package, Timestamp};

use crate::{
    Facts,
    exception::Hit,
    judge::{Case, Judge},
    rule::{Check, Coverage, Feeds, Rule},
    text::{count, listed},
};

/// More subjects than this in one reason are counted instead.
const SHOWN: usize = 5;
/// The command that brings fresh data.
const UPDATE: &str = "boltseal feeds update";

/// One reason per kind of gap.
pub(crate) fn gaps<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Coverage, gaps: &[Gap]) {
    let mut cases: Vec<(Option<usize>, &Gap)> = gaps
        .iter()
        .filter(|gap| check.speaks_of(gap.kind))
        .map(|gap| (judge.pardon(rule, Hit { gap: Some(&gap.subject), ..Hit::default() }), gap))
        .collect();
    cases.sort_by_key(|(pardon, gap)| (gap.kind, *pardon));
    for group in cases.chunk_by(|a, b| a.0 == b.0 && a.1.kind == b.1.kind) {
        let Some((pardon, first)) = group.first() else { continue };
        let subjects: Vec<&str> = group.iter().map(|(_, gap)| gap.subject.as_str()).collect();
        let found = match subjects.len() {
            1 => format!("{}: {}", first.kind.word(), first.subject),
            number => format!("{number} times {}: {}", first.kind.word(), listed(&subjects, SHOWN)),
        };
        let wanted = (!rule.is_built_in()).then(|| format!("no gap of kind {}", first.kind.word()));
        let fix = Some(first.detail.clone());
        judge.add(rule, Case { decision: rule.effect, pardon: *pardon, found, wanted, fix });
    }
}

/// The gaps of `facts`, and one more when packages were compared with no data at all.
pub(crate) fn all_gaps<'a>(facts: &Facts<'a>) -> Cow<'a, [Gap]> {
    let missing = facts.gaps.iter().any(|gap| gap.kind == GapKind::FeedMissing);
    if facts.snapshot.is_some() || facts.packages.is_empty() || missing {
        return Cow::Borrowed(facts.gaps);
    }
    let detail = format!("the packages were compared with nothing: run {UPDATE}, then scan again");
    let mut gaps = facts.gaps.to_vec();
    gaps.push(Gap::new(GapKind::FeedMissing, "no vulnerability data", detail));
    Cow::Owned(gaps)
}

/// What no rule of a policy speaks about is still not allowed in silence, if the policy looks inside images.
pub(crate) fn guard(judge: &mut Judge<'_>, gaps: &[Gap]) {
    let policy = judge.policy;
    let inside = |rule: &Rule| match &rule.check {
        Check::Expression(check) => check.looks_inside(),
        check => !matches!(
            check,
            Check::Coverage(_)
                | Check::Feeds(_)
                | Check::Images(_)
                | Check::EndOfLife(_)
                | Check::Signatures(_)
                | Check::Attestations(_)
                | Check::BaseImages(_)
                | Check::Unscanned
        ),
    };
    if gaps.is_empty() || !policy.rules.iter().any(inside) {
        return;
    }
    let spoken = |rule: &Rule, kind| match &rule.check {
        Check::Coverage(check) => check.speaks_of(kind),
        Check::EndOfLife(_) => kind == GapKind::EndOfLife,
        _ => false,
    };
    let left = gaps.iter().filter(|gap| !policy.rules.iter().any(|rule| spoken(rule, gap.kind)));
    let left: Vec<Gap> = left.cloned().collect();
    self::gaps(judge, &policy.guard, &Coverage { gaps: None }, &left);
}

/// Old feeds in one reason, absent ones in another.
pub(crate) fn feeds<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Feeds, facts: &Facts<'_>) {
    // An image without packages is compared with no feed, so none can be too old for it.
    if facts.packages.is_empty() {
        return;
    }
    let known: &[FeedInfo] = facts.snapshot.map_or(&[], |snapshot| &snapshot.feeds);
    let ecosystems = ecosystems(facts.packages);
    let chosen = |feed: &&FeedInfo| match &check.only {
        Some(list) => list.iter().any(|pattern| pattern.fits(&feed.id)),
        None => speaks_about(feed, facts, &ecosystems),
    };
    let mut old: Vec<String> = Vec::new();
    for feed in known.iter().filter(chosen) {
        if let Some(max) = check.max_age_days
            && is_over(judge, feed.fetched, max)
        {
            old.push(format!("{} (fetched {})", feed.id, day(feed.fetched)));
        } else if let (Some(max), Some(published)) = (check.max_unchanged_days, feed.published)
            && is_over(judge, published, max)
        {
            old.push(format!("{} (unchanged since {})", feed.id, day(published)));
        }
    }
    let is_there = |pattern: &&crate::pattern::Wild| known.iter().any(|feed| pattern.fits(&feed.id));
    let absent: Vec<&str> =
        check.require.iter().filter(|p| !is_there(p)).map(crate::pattern::Wild::text).collect();
    for (found, hit) in [
        (
            format!("old data in {}: {}", count(old.len(), "feed", "feeds"), listed(&old, SHOWN)),
            !old.is_empty(),
        ),
        (format!("no data of feed {}", listed(&absent, SHOWN)), !absent.is_empty()),
    ] {
        if hit {
            let pardon = judge.pardon(rule, Hit::default());
            let fix = Some(UPDATE.to_owned());
            judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix });
        }
    }
}

fn ecosystems(packages: &[Package]) -> Vec<&str> {
    let mut list: Vec<&str> = Vec::new();
    for package in packages {
        if !list.contains(&package.ecosystem.as_str()) {
            list.push(&package.ecosystem);
        }
    }
    list
}

/// Whether the image has something that the feed covers. A feed without name spaces (KEV, EPSS) speaks about all.
fn speaks_about(feed: &FeedInfo, facts: &Facts<'_>, ecosystems: &[&str]) -> bool {
    feed.spaces.is_empty()
        || feed.spaces.iter().any(|space| match space.split_once(':') {
            // The space of an operating system: `debian:12`, `alpine:v3.19`, where a distribution may be 3.19.1.
            Some((id, release)) => facts.distro.is_some_and(|distro| {
                let release = release.trim_start_matches('v');
                distro.id == id
                    && (distro.version == release
                        || distro.version.strip_prefix(release).is_some_and(|rest| rest.starts_with('.')))
            }),
            None => ecosystems.contains(&space.as_str()),
        })
}

/// Whether `since` is more than `days` ago; if not, the verdict changes when it is.
fn is_over(judge: &mut Judge<'_>, since: Timestamp, days: u16) -> bool {
    let hours = jiff::SignedDuration::from_hours(24 * i64::from(days));
    let Ok(end) = since.checked_add(hours) else { return false };
    judge.changes_at(end);
    end <= judge.now
}

fn day(moment: Timestamp) -> boltseal_model::Date {
    moment.to_zoned(jiff::tz::TimeZone::UTC).date()
}
