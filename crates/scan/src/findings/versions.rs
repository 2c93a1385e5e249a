//! Whether a version is hit, and which version would not be.

use std::{cell::RefCell, cmp::Ordering, collections::HashMap};

use boltseal_ecosystem::{Ecosystem, VersionError};
use boltseal_model::{Date, Status};

use crate::snapshot::{Bound, Line, Versions};

/// What the feeds say about one version of one package.
#[derive(Default)]
pub(crate) struct Opinion<'a> {
    /// One for each vulnerability that hits.
    pub hits: Vec<Hit<'a>>,
    /// Vulnerabilities of which nobody can say whether they hit.
    pub unclear: Vec<Unclear>,
    /// Every vulnerability that the feeds speak about, whatever they say of this version. Sorted.
    pub spoken: Vec<u32>,
}

/// A vulnerability of which nobody can say whether it hits.
pub(crate) struct Unclear {
    /// The vulnerability.
    pub group: u32,
    /// An advisory about it.
    pub advisory: u32,
    /// Why.
    pub error: VersionError,
}

/// A vulnerability that hits.
pub(crate) struct Hit<'a> {
    /// The best of the lines that say so.
    pub line: Line<'a>,
    /// The smallest version above the installed one that no line of the same vulnerability hits.
    pub fixed: Option<&'a str>,
    /// Day that version came out.
    pub fixed_on: Option<Date>,
}

/// Judges `installed` by everything that feeds say about its package: grouped by vulnerability, best sources first.
///
/// Within a vulnerability only the lines of the best source count: where a distribution's tracker has spoken, an
/// older list or a copy does not overrule it. The vendor's `not-affected` removes the vulnerability altogether.
pub(crate) fn opinion<'a>(lines: &[Line<'a>], installed: &str, ecosystem: &dyn Ecosystem) -> Opinion<'a> {
    let order = Order { ecosystem, installed, known: RefCell::default() };
    let mut opinion = Opinion::default();
    for lines in lines.chunk_by(|a, b| a.group == b.group) {
        opinion.spoken.extend(lines.first().map(|line| line.group));
        let best = lines.first().map(|line| line.rank);
        let lines: Vec<&Line<'a>> = lines.iter().filter(|line| Some(line.rank) == best).collect();
        let mut inside: Vec<&Line<'a>> = Vec::new();
        let mut unclear = None;
        for line in &lines {
            match order.contains(&line.versions) {
                Ok(true) => inside.push(line),
                Ok(false) => {}
                Err(error) => {
                    unclear = unclear.or(Some(Unclear { group: line.group, advisory: line.advisory, error }));
                }
            }
        }
        if inside.iter().any(|line| line.status == Status::NotAffected) {
            continue;
        }
        let preference = |line: &&&Line<'a>| (line.status, own_fix(&line.versions).is_none(), line.advisory);
        match inside.iter().min_by_key(preference) {
            None => opinion.unclear.extend(unclear),
            Some(line) => {
                let (fixed, fixed_on) = order.fix(&lines, line).unzip();
                opinion.hits.push(Hit { line: (*line).clone(), fixed, fixed_on: fixed_on.flatten() });
            }
        }
    }
    opinion.spoken.sort_unstable();
    opinion
}

fn own_fix<'a>(versions: &Versions<'a>) -> Option<(Bound<'a>, Option<Date>)> {
    match versions {
        Versions::Range { fixed: Some(fixed), fixed_on, .. } => Some((*fixed, *fixed_on)),
        _ => None,
    }
}

/// The installed version among others. A kernel has thousands of lines and some hundred versions in them, so each
/// comparison is made once.
struct Order<'e> {
    ecosystem: &'e dyn Ecosystem,
    installed: &'e str,
    known: RefCell<HashMap<u32, Result<Ordering, VersionError>>>,
}

impl Order<'_> {
    /// Where the installed version stands, seen from `bound`.
    fn installed(&self, bound: Bound<'_>) -> Result<Ordering, VersionError> {
        let mut known = self.known.borrow_mut();
        known
            .entry(bound.number)
            .or_insert_with(|| self.ecosystem.compare(self.installed, bound.text))
            .clone()
    }

    fn contains(&self, versions: &Versions<'_>) -> Result<bool, VersionError> {
        contains(versions, self.installed, self.ecosystem, &|bound| self.installed(bound))
    }

    /// The smallest fix above the installed version that nothing hits; where there is none, what `line` itself says.
    fn fix<'a>(&self, lines: &[&Line<'a>], line: &Line<'a>) -> Option<(&'a str, Option<Date>)> {
        let vulnerable = || lines.iter().filter(|line| line.status != Status::NotAffected);
        let above = |fix: &(Bound<'a>, Option<Date>)| self.installed(fix.0).is_ok_and(Ordering::is_lt);
        let mut fixes: Vec<_> =
            vulnerable().filter_map(|line| own_fix(&line.versions)).filter(above).collect();
        fixes.sort_by_key(|(bound, _)| bound.text);
        fixes.dedup_by_key(|(bound, _)| bound.text);
        let clean = |fix: &&(Bound<'a>, Option<Date>)| {
            let compare = |bound: Bound<'_>| self.ecosystem.compare(fix.0.text, bound.text);
            !vulnerable()
                .any(|line| contains(&line.versions, fix.0.text, self.ecosystem, &compare) == Ok(true))
        };
        // Smallest first, by choosing: not every order is transitive (Maven's is not), and sorting may panic on those.
        let before = |a: &usize, b: &usize| match (fixes.get(*a), fixes.get(*b)) {
            (Some((a, _)), Some((b, _))) => self
                .ecosystem
                .compare(a.text, b.text)
                .unwrap_or(Ordering::Equal)
                .then_with(|| a.text.cmp(b.text)),
            _ => Ordering::Equal,
        };
        let mut left: Vec<usize> = (0..fixes.len()).collect();
        let mut best = None;
        while let Some(next) = left.iter().copied().min_by(before) {
            left.retain(|index| *index != next);
            best = fixes.get(next).filter(clean).copied();
            if best.is_some() {
                break;
            }
        }
        let best = best.or_else(|| own_fix(&line.versions).filter(above));
        best.map(|(bound, on)| (bound.text, on))
    }
}

/// Whether `version` is one of `versions`. A bound that surely excludes it decides, even if another is nonsense.
fn contains(
    versions: &Versions<'_>,
    version: &str,
    ecosystem: &dyn Ecosystem,
    compare: &dyn Fn(Bound<'_>) -> Result<Ordering, VersionError>,
) -> Result<bool, VersionError> {
    match versions {
        Versions::Listed(listed) => Ok(listed.contains(&version)
            || listed.iter().any(|known| ecosystem.compare(version, known) == Ok(Ordering::Equal))),
        Versions::Range { introduced, fixed, last, .. } => {
            let mut unclear = None;
            for (bound, keeps) in [
                (introduced, Ordering::is_ge as fn(Ordering) -> bool),
                (fixed, Ordering::is_lt),
                (last, Ordering::is_le),
            ] {
                match bound.map(compare) {
                    None => {}
                    Some(Ok(order)) if keeps(order) => {}
                    Some(Ok(_)) => return Ok(false),
                    Some(Err(error)) => unclear = Some(error),
                }
            }
            unclear.map_or(Ok(true), Err)
        }
    }
}
