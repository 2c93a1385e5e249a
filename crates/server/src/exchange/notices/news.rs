//! What became news for one rule, in few lines. No I/O.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use boltseal_api::notifications::Rule;
use boltseal_flow::pattern::fits;
use boltseal_model::{Digest, Severity, Timestamp};
use boltseal_store::{Cause, Change, Counts, ImagePlace, Standing};

/// Vulnerabilities in packages that are told apart for one message: more than any update of feeds brings.
const MAX_GROUPS: usize = 20_000;
/// Places named in a line.
const NAMES: usize = 3;
/// Characters of a text from outside that a line shows.
const MAX_SHOWN: usize = 120;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct News {
    /// In images: one vulnerability of a package that ten images have counts ten times.
    pub(super) findings: u64,
    /// Images that they are in.
    pub(super) images: u64,
    /// By severity.
    pub(super) counts: Counts,
    /// The worst first, as many as the rule wants.
    pub(super) lines: Vec<Line>,
    /// Lines that were left out.
    pub(super) rest: u64,
    /// Whether nothing of it is true.
    pub(super) sample: bool,
}

/// A vulnerability in a package.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) vulnerability: String,
    pub(super) title: String,
    pub(super) package: String,
    /// One of its versions.
    pub(super) installed: String,
    pub(super) standing: Standing,
    pub(super) cause: Cause,
    /// How many have it.
    pub(super) images: u64,
    /// Where some of those are: `team/app:v1`.
    pub(super) names: Vec<String>,
}

/// Whether a finding meets the conditions of a rule and did not before the change, or is known to be exploited since then.
pub(super) fn fires(rule: &Rule, change: &Change) -> bool {
    change.cause != Cause::Gone
        && meets(rule, &change.now)
        && (change.cause == Cause::Exploited
            || !change.before.as_ref().is_some_and(|before| meets(rule, before)))
}

fn meets(rule: &Rule, standing: &Standing) -> bool {
    let least = rule.severity.as_deref().map_or(Some(Severity::Unknown), |word| word.parse().ok());
    least.is_some_and(|least| standing.severity >= least)
        && (!rule.exploited || standing.kev)
        && (!rule.fixable || standing.fixed.is_some())
        && rule.epss.is_none_or(|least| standing.epss.is_some_and(|score| score >= least))
}

/// Whether a rule is about images in some places only.
pub(super) fn is_somewhere(rule: &Rule) -> bool {
    rule.tagged || rule.pulled_within_days.is_some() || rule.repositories != "*"
}

/// Those places of an image that a rule is about.
pub(super) fn here<'p>(rule: &Rule, places: &'p [ImagePlace], now: Timestamp) -> Vec<&'p ImagePlace> {
    let lately = rule.pulled_within_days.map(|days| now - Duration::from_hours(24 * u64::from(days)));
    let fits = |place: &&ImagePlace| {
        fits(&rule.repositories, &place.repository)
            && (!rule.tagged || !place.tags.is_empty())
            && lately.is_none_or(|lately| place.pulled.as_ref().is_some_and(|pulled| pulled.at >= lately))
    };
    places.iter().filter(fits).collect()
}

/// Collects changes.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    groups: HashMap<(String, String), Group>,
    images: HashSet<u64>,
    counts: Counts,
    /// Of groups for which there was no room.
    left_out: u64,
}

#[derive(Debug)]
struct Group {
    line: Line,
    images: HashSet<u64>,
}

impl Gathering {
    /// Takes a change that fires, in an image that is at these places.
    pub(super) fn add(&mut self, change: &Change, places: &[&ImagePlace]) {
        let image = hash(&change.image);
        self.images.insert(image);
        count(&mut self.counts, change.now.severity);
        let room = self.groups.len() < MAX_GROUPS;
        let group = match self.groups.entry((change.vulnerability.clone(), change.package.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) if room => new.insert(Group { line: line(change), images: HashSet::new() }),
            Entry::Vacant(_) => {
                self.left_out += 1;
                return;
            }
        };
        if rank(change.cause, &change.now) > rank(group.line.cause, &group.line.standing) {
            (group.line.cause, group.line.standing) = (change.cause, change.now.clone());
        }
        if group.images.insert(image) {
            group.line.images += 1;
            let room = NAMES.saturating_sub(group.line.names.len());
            group.line.names.extend(places.iter().flat_map(|place| names(place)).take(room));
        }
    }

    /// What there is to say, in so many lines; nothing if there is nothing.
    pub(super) fn news(self, lines: u32) -> Option<News> {
        let (images, findings) = (self.images.len() as u64, self.counts.total());
        if findings == 0 {
            return None;
        }
        let mut all: Vec<Line> = self.groups.into_values().map(|group| group.line).collect();
        all.sort_by(worst_first);
        let rest = (all.len() as u64).saturating_sub(u64::from(lines)) + self.left_out;
        all.truncate(usize::try_from(lines).unwrap_or(usize::MAX));
        Some(News { findings, images, counts: self.counts, lines: all, rest, sample: false })
    }
}

impl News {
    /// For a test: something that nobody takes for true.
    pub(super) fn sample() -> Self {
        let line = Line {
            vulnerability: "CVE-0000-0000".to_owned(),
            title: "a sample, to see whether messages arrive".to_owned(),
            package: "example".to_owned(),
            installed: "1.0".to_owned(),
            standing: Standing {
                severity: Severity::High,
                fixed: Some("1.1".to_owned()),
                kev: false,
                epss: Some(0.1),
            },
            cause: Cause::Feed,
            images: 1,
            names: vec!["example/image:latest".to_owned()],
        };
        let counts = Counts { high: 1, ..Counts::default() };
        Self { findings: 1, images: 1, counts, lines: vec![line], rest: 0, sample: true }
    }

    /// What it is about, in one line.
    pub(super) fn headline(&self) -> String {
        if self.sample {
            return "Test: this rule reaches you".to_owned();
        }
        let number = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let images = number(self.images, "image");
        format!("{} in {images}", number(self.findings, "new finding"))
    }

    /// How many of each severity: `2 critical, 1 high`.
    pub(super) fn severities(&self) -> String {
        let some = Severity::WORST_FIRST.into_iter().map(|one| (one, self.counts.of_severity(one)));
        let words =
            some.filter(|(_, count)| *count > 0).map(|(one, count)| format!("{count} {}", one.word()));
        words.collect::<Vec<_>>().join(", ")
    }

    /// What was left out: `and 7 more vulnerabilities`.
    pub(super) fn remainder(&self) -> Option<String> {
        match self.rest {
            0 => None,
            1 => Some("and 1 more vulnerability".to_owned()),
            rest => Some(format!("and {rest} more vulnerabilities")),
        }
    }
}

impl Line {
    /// `openssl 3.0.1, fixed in 3.0.2`.
    pub(super) fn what(&self) -> String {
        let fix = match &self.standing.fixed {
            Some(version) => format!("fixed in {}", cut(version)),
            None => "no fix".to_owned(),
        };
        format!("{} {}, {fix}", cut(&self.package), cut(&self.installed))
    }

    /// What happened to it.
    pub(super) fn why(&self) -> String {
        let happened = match self.cause {
            Cause::Returned => "is back",
            Cause::Exploited => "is known to be exploited now",
            Cause::Worse => "is more severe now",
            Cause::Likely => "is more likely to be exploited now",
            Cause::Fixable => "has a fix now",
            Cause::Feed | Cause::Scanner | Cause::Push | Cause::Gone => "is new",
        };
        let exploited = self.standing.kev && self.cause != Cause::Exploited;
        let exploited = if exploited { ", known to be exploited" } else { "" };
        let epss =
            self.standing.epss.map(|score| format!(", EPSS {:.0} %", score * 100.0)).unwrap_or_default();
        format!("{happened}{exploited}{epss}")
    }

    /// `3 images: team/app:v1, team/web:2 …`.
    pub(super) fn whereabouts(&self) -> String {
        let images = if self.images == 1 { "1 image".to_owned() } else { format!("{} images", self.images) };
        let more = if self.images > self.names.len() as u64 { " …" } else { "" };
        format!("{images}: {}{more}", self.names.join(", "))
    }
}

fn line(change: &Change) -> Line {
    Line {
        vulnerability: cut(&change.vulnerability),
        title: cut(&change.title),
        package: change.package.clone(),
        installed: change.installed.clone(),
        standing: change.now.clone(),
        cause: change.cause,
        images: 0,
        names: Vec::new(),
    }
}

fn names(place: &ImagePlace) -> Vec<String> {
    match place.tags.as_slice() {
        [] => vec![format!("{} (no tag)", place.repository)],
        tags => tags.iter().map(|tag| format!("{}:{tag}", place.repository)).collect(),
    }
}

fn worst_first(a: &Line, b: &Line) -> std::cmp::Ordering {
    let (x, y) = (&a.standing, &b.standing);
    (y.kev.cmp(&x.kev))
        .then_with(|| y.severity.cmp(&x.severity))
        .then_with(|| y.epss.unwrap_or(0.0).total_cmp(&x.epss.unwrap_or(0.0)))
        .then_with(|| a.vulnerability.cmp(&b.vulnerability))
        .then_with(|| a.package.cmp(&b.package))
}

/// What of two images with the same is told.
fn rank(cause: Cause, standing: &Standing) -> (bool, Severity, bool) {
    (standing.kev, standing.severity, cause == Cause::Exploited)
}

fn count(counts: &mut Counts, severity: Severity) {
    *counts += match severity {
        Severity::Critical => Counts { critical: 1, ..Counts::default() },
        Severity::High => Counts { high: 1, ..Counts::default() },
        Severity::Medium => Counts { medium: 1, ..Counts::default() },
        Severity::Low => Counts { low: 1, ..Counts::default() },
        Severity::Negligible => Counts { negligible: 1, ..Counts::default() },
        Severity::Unknown => Counts { unknown: 1, ..Counts::default() },
    };
}

fn hash(image: &Digest) -> u64 {
    let mut hasher = DefaultHasher::new();
    image.hash(&mut hasher);
    hasher.finish()
}

/// One line of bounded length.
fn cut(text: &str) -> String {
    let plain = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    let short: String = plain.clone().take(MAX_SHOWN).collect();
    if plain.count() > MAX_SHOWN { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests;
