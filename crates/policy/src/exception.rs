//! Exceptions: a pardon from a rule, with an owner, a reason and an end.

use std::{collections::HashMap, fmt};

use boltseal_model::{Date, Decision, Digest, Finding, Leak, Place, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    pattern::{ImagePattern, PackagePattern, Wild},
    text::Day,
};

/// Entries of one scope that are named in a sentence.
const SHOWN: usize = 6;

/// One entry of `exceptions:`. Every scope that is given must fit.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) name: String,
    pub(crate) rules: Option<Vec<String>>,
    pub(crate) findings: Option<Vec<Wild>>,
    pub(crate) packages: Option<Vec<PackagePattern>>,
    pub(crate) images: Option<Vec<ImagePattern>>,
    pub(crate) gaps: Option<Vec<Wild>>,
    pub(crate) paths: Option<Vec<Wild>>,
    pub(crate) owner: String,
    pub(crate) reason: String,
    pub(crate) expires: Day,
    pub(crate) known: Option<Known>,
    /// Of all of the above and the name of the policy: what people approve.
    pub(crate) digest: Digest,
    /// Who approved it, each once.
    pub(crate) approved_by: Vec<String>,
}

/// `known:` what was known of a vulnerability when its pardon was granted. When it turns out to be worse, the pardon ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// Whether it was known to be exploited.
    kev: Option<bool>,
    /// Its EPSS score.
    epss: Option<f64>,
}

/// By how much an EPSS score must rise to be another one: scores move a little every day.
const RISE: f64 = 0.1;

impl Known {
    /// What makes it meaningless.
    pub(crate) fn problem(self) -> Option<&'static str> {
        match self {
            Self { kev: None, epss: None } => {
                Some("known needs kev, epss or both: what was known when it was granted")
            }
            Self { epss: Some(epss), .. } if !(0.0..=1.0).contains(&epss) => {
                Some("known.epss is between 0 and 1")
            }
            _ => None,
        }
    }
}

/// What a rule hit, as far as an exception may ask about it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hit<'a> {
    pub(crate) finding: Option<&'a Finding>,
    /// Name and purl.
    pub(crate) package: Option<(&'a str, &'a str)>,
    /// What a gap is about.
    pub(crate) gap: Option<&'a str>,
    /// A credential.
    pub(crate) leak: Option<&'a Leak>,
    /// A check of how the image is made.
    pub(crate) check: Option<&'a str>,
    /// A file.
    pub(crate) path: Option<&'a str>,
}

impl<'a> Hit<'a> {
    /// What stands in place of a vulnerability's id.
    fn rule(self) -> Option<&'a str> {
        self.leak.map(|leak| leak.rule.as_str()).or(self.check)
    }

    /// What names one credential wherever it lies.
    fn fingerprint(self) -> Option<String> {
        self.leak.and_then(|leak| leak.fingerprint).map(|fingerprint| fingerprint.to_string())
    }
}

impl Exception {
    /// Whether it speaks about `rule`.
    pub(crate) fn speaks_of(&self, rule: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.iter().any(|name| name == rule))
    }

    /// Whether it covers this hit in this image, whatever the date.
    pub(crate) fn covers(&self, subject: &Subject, hit: Hit<'_>) -> bool {
        self.covers_finding(hit)
            && self.covers_package(hit)
            && self.covers_gap(hit)
            && self.covers_path(hit)
            && self.images.as_ref().is_none_or(|list| list.iter().any(|pattern| pattern.covers(subject)))
    }

    fn covers_finding(&self, hit: Hit<'_>) -> bool {
        let Some(patterns) = &self.findings else { return true };
        let named = |name: &str| patterns.iter().any(|pattern| pattern.fits(name));
        hit.rule().is_some_and(named)
            || hit.fingerprint().is_some_and(|fingerprint| named(&fingerprint))
            || hit.finding.is_some_and(|finding| {
                patterns
                    .iter()
                    .any(|p| p.fits(&finding.id) || finding.aliases.iter().any(|alias| p.fits(alias)))
            })
    }

    fn covers_package(&self, hit: Hit<'_>) -> bool {
        let Some(patterns) = &self.packages else { return true };
        hit.package.is_some_and(|(name, purl)| patterns.iter().any(|pattern| pattern.fits(name, purl)))
    }

    fn covers_gap(&self, hit: Hit<'_>) -> bool {
        let Some(patterns) = &self.gaps else { return true };
        hit.gap.is_some_and(|gap| patterns.iter().any(|pattern| pattern.fits(gap)))
    }

    /// Where a credential lies: the path of a file, or what [`Place`] writes of anything else (`variable NAME`).
    fn covers_path(&self, hit: Hit<'_>) -> bool {
        let Some(patterns) = &self.paths else { return true };
        let fits = |place: &str| patterns.iter().any(|pattern| pattern.fits(place));
        hit.path.is_some_and(fits)
            || hit.leak.is_some_and(|leak| match &leak.place {
                Place::File { path, .. } => fits(path),
                place => fits(&place.to_string()),
            })
    }

    /// What is known by now of what it pardons and was not when it was granted: the old value and the new one.
    pub(crate) fn reopened(&self, hit: Hit<'_>) -> Option<String> {
        let (known, finding) = (self.known?, hit.finding?);
        if let (Some(false), Some(kev)) = (known.kev, &finding.kev) {
            let added = kev.added;
            return Some(format!("{} was not known to be exploited, and is since {added} (KEV)", finding.id));
        }
        let (before, now) = (known.epss?, finding.epss?.score);
        let text = format!("the EPSS score of {} was {before}, and is {now}", finding.id);
        (now - before >= RISE).then_some(text)
    }

    /// The first moment at which it no longer holds: the end of its last day, UTC.
    pub(crate) const fn ends(&self) -> Timestamp {
        self.expires.end
    }

    /// Whether it says what it pardons.
    pub(crate) const fn has_scope(&self) -> bool {
        self.rules.is_some()
            || self.findings.is_some()
            || self.packages.is_some()
            || self.images.is_some()
            || self.gaps.is_some()
            || self.paths.is_some()
    }

    /// Whether a scope is given without an entry.
    pub(crate) fn has_empty_scope(&self) -> bool {
        self.rules.as_ref().is_some_and(Vec::is_empty)
            || self.findings.as_ref().is_some_and(Vec::is_empty)
            || self.packages.as_ref().is_some_and(Vec::is_empty)
            || self.images.as_ref().is_some_and(Vec::is_empty)
            || self.gaps.as_ref().is_some_and(Vec::is_empty)
            || self.paths.as_ref().is_some_and(Vec::is_empty)
    }

    /// What it pardons, in words.
    pub(crate) fn scope(&self) -> String {
        let texts = |what: &str, list: Option<Vec<String>>| {
            list.map(|list| format!("{what} {}", crate::text::listed(&list, SHOWN)))
        };
        let wild = |list: Option<&[Wild]>| -> Option<Vec<String>> {
            list.map(|list| list.iter().map(|one| one.text().to_owned()).collect())
        };
        let packages = self.packages.as_ref().map(|l| l.iter().map(|one| one.text().to_owned()).collect());
        let images = self.images.as_ref().map(|l| l.iter().map(|one| one.text().to_owned()).collect());
        let parts = [
            texts("rules", self.rules.clone()),
            texts("findings", wild(self.findings.as_deref())),
            texts("packages", packages),
            texts("images", images),
            texts("gaps", wild(self.gaps.as_deref())),
            texts("paths", wild(self.paths.as_deref())),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// All that it says, in whatever policy.
    pub(crate) fn whole(&self) -> String {
        format!("{:?}", Self { digest: Digest::of(b""), approved_by: Vec::new(), ..self.clone() })
    }

    /// Its last day.
    pub(crate) const fn last_day(&self) -> Date {
        self.expires.date
    }
}

/// The exceptions that may pardon from one rule, by index in the policy. Most name findings by their exact id, and a
/// fleet has millions of hits, so those are looked up instead of tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pardons {
    by_id: HashMap<String, Vec<usize>>,
    others: Vec<usize>,
}

impl Pardons {
    pub(crate) fn of<'a>(exceptions: impl Iterator<Item = (usize, &'a Exception)>) -> Self {
        let mut pardons = Self::default();
        for (index, exception) in exceptions {
            match &exception.findings {
                Some(ids) if ids.iter().all(Wild::is_exact) => {
                    for id in ids {
                        pardons.by_id.entry(id.text().to_ascii_lowercase()).or_default().push(index);
                    }
                }
                _ => pardons.others.push(index),
            }
        }
        pardons
    }

    /// Those that may cover `hit`; each has still to be asked.
    pub(crate) fn candidates<'a>(&'a self, hit: Hit<'a>) -> impl Iterator<Item = usize> + 'a {
        let named = hit.finding.filter(|_| !self.by_id.is_empty());
        let ids = named.into_iter().flat_map(|finding| std::iter::once(&finding.id).chain(&finding.aliases));
        let by_id = ids.filter_map(|id| self.by_id.get(&id.to_ascii_lowercase())).flatten();
        let rule = hit.rule().and_then(|rule| self.by_id.get(rule)).into_iter().flatten();
        let fingerprint = hit.fingerprint().and_then(|name| self.by_id.get(&name)).into_iter().flatten();
        self.others.iter().chain(by_id).chain(rule).chain(fingerprint).copied()
    }
}

/// What is left of a decision that was pardoned: a refusal stays visible as a warning, a warning is allowed.
pub(crate) const fn pardoned(decision: Decision) -> Decision {
    match decision {
        Decision::Deny | Decision::Unknown => Decision::Warn,
        Decision::Warn | Decision::Allow => Decision::Allow,
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, until {}): {}", self.name, self.owner, self.last_day(), self.reason)
    }
}
