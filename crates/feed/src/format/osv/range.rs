//! Which packages and versions a record hits.
//!
//! Source: OSV schema, `affected[].ranges` and its evaluation algorithm.

use std::cmp::Ordering;

use boltseal_ecosystem::{Ecosystem, of_space, rpm, space_of_osv};
use boltseal_model::{self as model, Severity, Status};

use super::{
    record::{Event, Record},
    severity,
};
use crate::{Sink, format::Tally};

/// Events of one range that have to be sorted; sorting takes the square of it. Real ones are below 100.
const MAX_UNSORTED_EVENTS: usize = 1000;

/// Listed versions times ranges that are compared; beyond it lists are kept as they are. Real ones are below 100,000.
const MAX_COMPARISONS: usize = 1_000_000;

/// The packages of a record.
pub(super) enum Affects {
    /// At least one that we can match.
    Some(Vec<model::Affected>),
    /// Packages, but none of an ecosystem that we know.
    Unsupported,
    /// No package, or none with versions.
    Nothing,
    /// Made no sense; counted already.
    Rejected,
}

/// The packages of `record` that we can match. The others are counted in `tally`.
pub(super) fn affected(record: &Record, sink: &mut dyn Sink, tally: &mut Tally) -> Affects {
    let mut found = Vec::new();
    let (mut foreign, mut rejected) = (false, false);
    for one in &record.affected {
        let Some(package) = &one.package else { continue };
        let Some(space) = space_of_osv(&package.ecosystem) else {
            foreign = true;
            tally.unsupported(shown(&package.ecosystem));
            continue;
        };
        let Some(ecosystem) = of_space(&space) else { continue };
        let mut ranges = Vec::new();
        for range in one.ranges.iter().filter(|range| range.kind != "GIT") {
            match spans(&range.events, ecosystem) {
                Ok(spans) => ranges.extend(spans),
                Err(why) => {
                    rejected = true;
                    tally.reject(sink, &format!("{} ({})", record.id, package.name), &why);
                }
            }
        }
        if ranges.is_empty() && one.versions.is_empty() {
            continue;
        }
        let versions = outside(&one.versions, &ranges, &space, ecosystem);
        let urgency = one.ecosystem_specific.urgency.as_str().or(one.database_specific.urgency.as_str());
        found.push(model::Affected {
            package: name(ecosystem, &package.name, &ranges, &record.summary),
            space,
            ranges,
            versions,
            status: if urgency == Some("end-of-life") { Status::EndOfLife } else { Status::Affected },
            severity: severity::package_word(one).filter(|word| *word != Severity::Unknown),
            architectures: Vec::new(),
        });
    }
    match (found.is_empty(), foreign, rejected) {
        (false, ..) => Affects::Some(found),
        (true, _, true) => Affects::Rejected,
        (true, true, false) => Affects::Unsupported,
        (true, false, false) => Affects::Nothing,
    }
}

/// What the advisory calls the package. The schema has no place for the stream of a module, so that is taken from the
/// summary: "Important: nodejs:18 security update".
fn name(ecosystem: &dyn Ecosystem, name: &str, ranges: &[model::Range], summary: &str) -> String {
    let name = ecosystem.normalise(name);
    let modular = |range: &model::Range| {
        [&range.fixed, &range.last_affected].into_iter().flatten().any(|version| rpm::is_modular(version))
    };
    if ecosystem.id() == rpm::ID && ranges.iter().any(modular) {
        rpm::in_module(rpm::stream_in(summary), &name)
    } else {
        name
    }
}

/// The listed versions that no range covers. Writers list the versions of a range once more for readers that cannot
/// compare; we can, and such lists are nine tenths of an export.
fn outside(
    listed: &[String],
    ranges: &[model::Range],
    space: &str,
    ecosystem: &dyn Ecosystem,
) -> Vec<String> {
    // Distributions derive their lists from their ranges.
    let derived = space.contains(':') && !ranges.is_empty();
    if derived || ranges.iter().any(|range| *range == model::Range::default()) {
        return Vec::new();
    }
    if listed.len().saturating_mul(ranges.len()) > MAX_COMPARISONS {
        return listed.to_vec();
    }
    let covers = |range: &model::Range, version: &str| {
        let order =
            |bound: &Option<String>| bound.as_deref().map(|bound| ecosystem.compare(version, bound).ok());
        // A version or bound outside the grammar covers nothing: then the list says more than the range.
        order(&range.introduced).is_none_or(|order| order.is_some_and(Ordering::is_ge))
            && order(&range.fixed).is_none_or(|order| order.is_some_and(Ordering::is_lt))
            && order(&range.last_affected).is_none_or(|order| order.is_some_and(Ordering::is_le))
    };
    listed.iter().filter(|version| !ranges.iter().any(|range| covers(range, version))).cloned().collect()
}

/// For counting: the release matters only where we know some releases.
fn shown(ecosystem: &str) -> &str {
    let base = ecosystem.split(':').next().unwrap_or(ecosystem);
    if matches!(base, "Debian" | "Ubuntu" | "Alpine") { ecosystem } else { base }
}

/// Pairs the events of one range: from each `introduced` to the next `fixed` or `last_affected`.
fn spans(events: &[Event], ecosystem: &dyn Ecosystem) -> Result<Vec<model::Range>, String> {
    let mut steps: Vec<Step<'_>> = events.iter().filter_map(Step::of).collect();
    // The order of events in a record means nothing; writers mostly give them in turns, which needs no sorting.
    let in_turns =
        steps.iter().enumerate().all(|(at, step)| (at % 2 == 0) == matches!(step, Step::Introduced(_)));
    if !in_turns {
        if steps.len() > MAX_UNSORTED_EVENTS {
            return Err(format!("{} events out of order; the limit is {MAX_UNSORTED_EVENTS}", steps.len()));
        }
        sort(&mut steps, ecosystem)?;
    }
    let mut spans = Vec::new();
    let mut open: Option<Option<String>> = None;
    for step in steps {
        match step {
            Step::Introduced(version) => {
                open.get_or_insert_with(|| (version != "0").then(|| version.to_owned()));
            }
            Step::Fixed(version) => {
                if let Some(introduced) = open.take() {
                    spans.push(model::Range {
                        introduced,
                        fixed: Some(version.to_owned()),
                        ..model::Range::default()
                    });
                }
            }
            Step::Last(version) => {
                if let Some(introduced) = open.take() {
                    let last_affected = Some(version.to_owned());
                    spans.push(model::Range { introduced, last_affected, ..model::Range::default() });
                }
            }
        }
    }
    if let Some(introduced) = open {
        spans.push(model::Range { introduced, ..model::Range::default() });
    }
    if spans.is_empty() && !events.is_empty() {
        return Err("a range without `introduced`".to_owned());
    }
    Ok(spans)
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Introduced(&'a str),
    Fixed(&'a str),
    Last(&'a str),
}

impl<'a> Step<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let introduced = event.introduced.as_deref().map(Self::Introduced);
        introduced
            .or_else(|| event.fixed.as_deref().map(Self::Fixed))
            .or_else(|| event.last_affected.as_deref().map(Self::Last))
    }

    /// At one version, what ends comes before what begins, except that `last_affected` still includes it.
    fn key(self) -> (&'a str, u8) {
        match self {
            Self::Fixed(version) => (version, 0),
            Self::Introduced(version) => (version, 1),
            Self::Last(version) => (version, 2),
        }
    }
}

fn sort(steps: &mut [Step<'_>], ecosystem: &dyn Ecosystem) -> Result<(), String> {
    let mut odd = None;
    let mut order = |a: &str, b: &str| match (a, b) {
        ("0", "0") => Ordering::Equal,
        ("0", _) => Ordering::Less,
        (_, "0") => Ordering::Greater,
        _ => ecosystem.compare(a, b).unwrap_or_else(|error| {
            odd = Some(error.to_string());
            Ordering::Equal
        }),
    };
    // Insertion sort: it cannot panic on an order that is not total, and lists are short.
    for end in 1..steps.len() {
        let mut at = end;
        while at > 0 {
            let (Some(left), Some(right)) = (steps.get(at - 1), steps.get(at)) else { break };
            let ((a, i), (b, j)) = (left.key(), right.key());
            if order(a, b).then(i.cmp(&j)) != Ordering::Greater {
                break;
            }
            steps.swap(at - 1, at);
            at -= 1;
        }
    }
    odd.map_or(Ok(()), Err)
}
