//! Statements about packages, put together.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::of_space;
use boltseal_model::{Affected, Date, Range, Status};

/// What an advisory says about packages, while it is put together: the same for many CPUs becomes one.
#[derive(Default)]
pub(crate) struct Gathered(BTreeMap<Key, BTreeMap<Span, BTreeSet<String>>>);

/// Whom something is said about, and what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub space: String,
    /// As [`super::named`] makes it.
    pub package: String,
    pub status: Status,
}

/// From, to before, up to and including, day of the fix; [`Span::default`] is every version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub introduced: Option<String>,
    pub fixed: Option<String>,
    pub last: Option<String>,
    pub on: Option<Date>,
}

impl Gathered {
    /// Adds one statement; an empty `architecture` means all.
    pub(crate) fn add(&mut self, key: Key, span: Span, architecture: &str) {
        self.0.entry(key).or_default().entry(span).or_default().insert(architecture.to_owned());
    }

    /// The name spaces that something is said about.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = &String> {
        self.0.keys().map(|key| &key.space)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What an advisory lists. CPUs are left out where what is said about them is the same, because then a package for
    /// one that is not listed is most likely hit as well.
    pub(crate) fn affected(self) -> Vec<Affected> {
        let mut all = Vec::new();
        for (key, spans) in self.0 {
            let mut by_cpus: BTreeMap<Vec<String>, Vec<Span>> = BTreeMap::new();
            let alike = spans.len() == 1;
            for (span, cpus) in spans {
                let everywhere = alike || cpus.iter().any(|cpu| cpu.is_empty() || cpu == "noarch");
                let cpus = if everywhere { Vec::new() } else { cpus.into_iter().collect() };
                by_cpus.entry(cpus).or_default().push(span);
            }
            let ecosystem = of_space(&key.space);
            let alike = by_cpus.len() == 1;
            for (cpus, spans) in by_cpus {
                let architectures = if alike { Vec::new() } else { cpus };
                let spans = streams(spans, &key.space);
                let not_affected = key.status == Status::NotAffected;
                let range = |span: Span| Range {
                    introduced: span.introduced,
                    fixed: span.fixed,
                    last_affected: span.last,
                    fixed_on: span.on,
                };
                all.push(Affected {
                    package: ecosystem.map_or_else(|| key.package.clone(), |e| e.normalise(&key.package)),
                    space: key.space.clone(),
                    ranges: spans
                        .into_iter()
                        .filter(|span| !not_affected || span.fixed.is_some() || span.introduced.is_some())
                        .map(range)
                        .collect(),
                    versions: Vec::new(),
                    status: key.status,
                    severity: None,
                    architectures,
                });
            }
        }
        all
    }
}

/// Several fixes of one vulnerability in one release: Red Hat lists one for each minor release, and the first build of
/// the next minor release, without the fix, orders above the fixed build of the one before.
///
/// `7.76.1-23.el9_2.4` and `7.76.1-26.el9_3.2` mean: everything before the first, and what was built for 9.3 before the
/// second. That starts where its release number starts (`7.76.1-26`), or, where that is the same, at its tag.
fn streams(mut spans: Vec<Span>, space: &str) -> Vec<Span> {
    let Some(ecosystem) = of_space(space) else { return spans };
    let plain = |span: &Span| span.introduced.is_none() && span.last.is_none() && span.fixed.is_some();
    if spans.len() < 2 || spans.len() > MAX_STREAMS || !spans.iter().all(plain) {
        return spans;
    }
    let order = |a: &str, b: &str| ecosystem.compare(a, b).unwrap_or(Ordering::Equal);
    let fixed = |span: &Span| span.fixed.clone().unwrap_or_default();
    spans.sort_by(|a, b| order(&fixed(a), &fixed(b)));
    let mut before: Option<String> = None;
    for span in &mut spans {
        let own = fixed(span);
        if let Some(before) = &before {
            let [number, tag] = starts(&own);
            span.introduced = Some(if order(before, &number).is_lt() { number } else { tag });
        }
        before = Some(own);
    }
    spans
}

/// Minor releases have ten at most; beyond it something else is meant, and every range counts.
const MAX_STREAMS: usize = 16;

/// Where the builds of a release begin: `7.76.1-26` and `7.76.1-26.el9_3` of `7.76.1-26.el9_3.2`.
fn starts(evr: &str) -> [String; 2] {
    let (version, release) = evr.rsplit_once('-').unwrap_or((evr, ""));
    let digits = release.bytes().take_while(u8::is_ascii_digit).count();
    let number = release.get(..digits).unwrap_or_default();
    let tag = release.match_indices(".el").next().map_or(release, |(at, _)| {
        let rest = release.get(at + 1..).unwrap_or_default();
        let end = rest.find('.').map_or(release.len(), |dot| at + 1 + dot);
        release.get(..end).unwrap_or(release)
    });
    [format!("{version}-{number}"), format!("{version}-{tag}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fix_for_each_minor_release() {
        let fixes = |fixes: &[&str]| {
            let span = |fix: &&str| Span { fixed: Some((*fix).to_owned()), ..Span::default() };
            let spans = streams(fixes.iter().map(span).collect(), "redhat:9");
            spans
                .iter()
                .map(|span| {
                    format!(
                        "{}..{}",
                        span.introduced.as_deref().unwrap_or("*"),
                        span.fixed.as_deref().unwrap()
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            fixes(&["7.76.1-26.el9_3.2", "7.76.1-23.el9_2.4"]),
            ["*..7.76.1-23.el9_2.4", "7.76.1-26..7.76.1-26.el9_3.2"]
        );
        assert_eq!(fixes(&["1-5.el9_2.1", "1-5.el9_3.1"]), ["*..1-5.el9_2.1", "1-5.el9_3..1-5.el9_3.1"]);
        assert_eq!(fixes(&["1-5.el9"]), ["*..1-5.el9"]);
    }
}
