//! What differs between the findings that are stored of an image and those of a new judgement. No I/O.

use std::collections::{HashMap, HashSet};

use boltseal_model::Finding;

use super::{Cause, Standing};

/// Vulnerability, package URL, place.
type Key<'a> = (&'a str, &'a str, &'a str);

/// A finding as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) vulnerability: String,
    pub(super) purl: String,
    pub(super) path: String,
    pub(super) package: String,
    pub(super) installed: String,
    pub(super) standing: Standing,
    /// Milliseconds; nothing where it was there before this was kept.
    pub(super) since: Option<i64>,
}

/// What differs.
#[derive(Debug, Default)]
pub(super) struct Difference<'a> {
    /// Not there before.
    pub(super) new: Vec<&'a Finding>,
    /// There, but not as it was; with the cause where that is news.
    pub(super) other: Vec<(&'a Finding, Known, Option<Cause>)>,
    /// There no more.
    pub(super) gone: Vec<Known>,
}

impl Known {
    fn key(&self) -> Key<'_> {
        (&self.vulnerability, &self.purl, &self.path)
    }
}

/// How bad a finding is.
pub(super) fn standing(finding: &Finding) -> Standing {
    Standing {
        severity: finding.severity,
        fixed: finding.fixed.clone(),
        kev: finding.kev.is_some(),
        epss: finding.epss.map(|epss| epss.score),
    }
}

/// Holds `findings` against what is stored. Of two with one key the first counts, which is the worse.
pub(super) fn compare(stored: Vec<Known>, findings: &[Finding]) -> Difference<'_> {
    let places: HashMap<Key<'_>, usize> =
        stored.iter().enumerate().map(|(place, known)| (known.key(), place)).collect();
    let mut met: HashSet<Key<'_>> = HashSet::with_capacity(findings.len());
    // Where each is stored, if it is.
    let pairs: Vec<(&Finding, Option<usize>)> = findings
        .iter()
        .filter_map(|finding| {
            let key = (finding.id.as_str(), finding.purl.as_str(), finding.proof.path.as_str());
            met.insert(key).then(|| (finding, places.get(&key).copied()))
        })
        .collect();
    let mut left: Vec<Option<Known>> = stored.into_iter().map(Some).collect();
    let mut difference = Difference::default();
    for (finding, place) in pairs {
        let Some(known) = place.and_then(|place| left.get_mut(place)).and_then(Option::take) else {
            difference.new.push(finding);
            continue;
        };
        let same_text = known.package == finding.package && known.installed == finding.installed;
        let now = standing(finding);
        if !same_text || known.standing != now {
            let cause = news(&known.standing, &now);
            difference.other.push((finding, known, cause));
        }
    }
    difference.gone.extend(left.into_iter().flatten());
    difference
}

/// What of a change deserves to be told, the worst first; an EPSS score that moves a little does not.
fn news(before: &Standing, now: &Standing) -> Option<Cause> {
    if now.kev && !before.kev {
        Some(Cause::Exploited)
    } else if now.severity > before.severity {
        Some(Cause::Worse)
    } else if tenths(now.epss) > tenths(before.epss) {
        Some(Cause::Likely)
    } else if now.fixed.is_some() && before.fixed.is_none() {
        Some(Cause::Fixable)
    } else {
        None
    }
}

/// Full tenths of a probability.
fn tenths(score: Option<f64>) -> usize {
    const STEPS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
    score.map_or(0, |score| STEPS.iter().take_while(|step| score >= **step).count())
}

#[cfg(test)]
mod tests {
    use boltseal_model::Severity;

    use super::*;

    fn standing(severity: Severity, fixed: Option<&str>, kev: bool, epss: Option<f64>) -> Standing {
        Standing { severity, fixed: fixed.map(str::to_owned), kev, epss }
    }

    #[test]
    fn what_is_news_about_a_finding_that_is_known() {
        let before = standing(Severity::Medium, None, false, Some(0.29));
        for (what, now, expected) in [
            ("nothing", before.clone(), None),
            ("a little more likely", standing(Severity::Medium, None, false, Some(0.295)), None),
            ("less likely", standing(Severity::Medium, None, false, Some(0.1)), None),
            ("a tenth more", standing(Severity::Medium, None, false, Some(0.3)), Some(Cause::Likely)),
            ("no score any more", standing(Severity::Medium, None, false, None), None),
            ("better", standing(Severity::Low, None, false, Some(0.29)), None),
            ("worse", standing(Severity::High, None, false, Some(0.29)), Some(Cause::Worse)),
            ("worse and likely", standing(Severity::High, None, false, Some(0.9)), Some(Cause::Worse)),
            ("exploited", standing(Severity::High, Some("2"), true, Some(0.9)), Some(Cause::Exploited)),
            ("a fix", standing(Severity::Medium, Some("2"), false, Some(0.29)), Some(Cause::Fixable)),
        ] {
            assert_eq!(news(&before, &now), expected, "{what}");
        }
        let fixed = standing(Severity::Medium, Some("2"), true, None);
        assert_eq!(news(&fixed, &standing(Severity::Medium, Some("3"), true, None)), None, "another fix");
    }

    #[test]
    fn full_tenths() {
        for (score, expected) in [(0.0, 0), (0.099, 0), (0.1, 1), (0.3, 3), (0.6, 6), (0.7, 7), (1.0, 10)] {
            assert_eq!(tenths(Some(score)), expected, "{score}");
        }
    }
}
