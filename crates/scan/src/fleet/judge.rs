//! One re-match of a fleet: distinct packages judged, distinct findings written, images put together.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use boltseal_model::{Finding, Gap, Package};

use super::{Entry, Fleet, Resident};
use crate::{
    Error, Matching, Snapshot,
    findings::{
        matcher::{self, Judged, Matcher},
        proof::Place,
    },
};

/// Everything known so far in one re-match.
pub(super) struct Judge<'a> {
    fleet: &'a Fleet,
    matcher: Matcher<'a>,
    spaces: Vec<&'a str>,
    residents: Vec<Opinion<'a>>,
    placed: HashMap<Entry, Placed>,
    gaps: HashMap<Hole, Arc<[Gap]>>,
    /// Every distinct finding, in the order it was found.
    pub(super) findings: Vec<Finding>,
}

/// What is known of a package wherever it is.
struct Opinion<'a> {
    /// Index into [`Judge::spaces`]; none where no feed could speak about it.
    space: Option<u32>,
    /// Of an operating system that feeds cover.
    vendor: bool,
    /// Of a language, and brought by an operating system package.
    owned: bool,
    /// Absent where there is nothing to say.
    judged: Option<Judged<'a>>,
    gap: Option<Gap>,
}

/// What is known of a package in one place.
struct Placed {
    findings: Range<u32>,
    broken: Option<Gap>,
}

/// What decides about an image's gaps: the spaces of its packages, and the packages that leave gaps of their own.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Hole {
    spaces: BTreeSet<u32>,
    residents: BTreeSet<u32>,
    broken: BTreeSet<Gap>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(fleet: &'a Fleet, snapshot: &'a Snapshot) -> Result<Self, Error> {
        let mut judge = Self {
            fleet,
            matcher: Matcher::new(snapshot)?,
            spaces: Vec::new(),
            residents: Vec::with_capacity(fleet.residents.all.len()),
            placed: HashMap::new(),
            gaps: HashMap::new(),
            findings: Vec::new(),
        };
        let mut numbers: HashMap<&'a str, u32> = HashMap::new();
        for resident in &fleet.residents.all {
            let space = resident.space.as_deref().map(|space| {
                *numbers.entry(space).or_insert_with(|| {
                    judge.spaces.push(space);
                    number(judge.spaces.len() - 1)
                })
            });
            let opinion = judge.opinion(resident, space);
            judge.residents.push(opinion);
        }
        Ok(judge)
    }

    /// The numbers of an image's findings, and its gaps.
    pub(super) fn image(&mut self, entries: &[Entry], matching: &Matching) -> (Vec<u32>, Arc<[Gap]>) {
        let opinion = |entry: &Entry| self.residents.get(entry.resident as usize);
        let vendor_speaks = entries.iter().filter_map(opinion).any(|opinion| opinion.vendor);
        let mut hole = Hole::default();
        let mut loud: Vec<Entry> = Vec::new();
        let mut last = None;
        for entry in entries {
            let Some(opinion) = opinion(entry).filter(|opinion| !(vendor_speaks && opinion.owned)) else {
                continue;
            };
            if opinion.space != last {
                last = opinion.space; // packages come sorted by ecosystem, so this is rare
                hole.spaces.extend(opinion.space);
            }
            if opinion.gap.is_some() {
                hole.residents.insert(entry.resident);
            }
            if opinion.judged.is_some() {
                loud.push(*entry);
            }
        }
        let mut own = Vec::new();
        for entry in loud {
            let placed = self.placed(entry);
            own.extend(placed.findings.clone());
            hole.broken.extend(placed.broken.clone());
        }
        (own, self.gaps_of(hole, matching))
    }

    fn opinion(&mut self, resident: &Resident, space: Option<u32>) -> Opinion<'a> {
        let package = &resident.package;
        let home = boltseal_ecosystem::by_id(&package.ecosystem).zip(resident.space.as_ref());
        let Some((ecosystem, name)) = home else {
            let gap = Some(matcher::homeless(package));
            return Opinion { space, vendor: false, owned: false, judged: None, gap };
        };
        let system = ecosystem.is_system();
        let judged = self.matcher.judge(package, ecosystem, name.clone());
        let (judged, gap) =
            match judged.and_then(|judged| Ok((self.matcher.unclear(&judged, package)?, judged))) {
                Ok((gap, judged)) => (Some(judged).filter(|judged| !judged.is_clean()), gap),
                Err(error) => (None, Some(matcher::unreadable("snapshot", &error))),
            };
        let vendor = system && self.matcher.covers.covers(name);
        Opinion { space, vendor, owned: !system && package.owner.is_some(), judged, gap }
    }

    fn placed(&mut self, entry: Entry) -> &Placed {
        let Self { fleet, matcher, residents, placed, findings, .. } = self;
        placed.entry(entry).or_insert_with(|| {
            let start = number(findings.len());
            let broken = write(fleet, matcher, residents, entry, findings).err();
            let broken = broken.map(|error| matcher::unreadable("snapshot", &error));
            Placed { findings: start..number(findings.len()), broken }
        })
    }

    fn gaps_of(&mut self, hole: Hole, matching: &Matching) -> Arc<[Gap]> {
        if let Some(known) = self.gaps.get(&hole) {
            return Arc::clone(known);
        }
        let name = |space: &u32| self.spaces.get(*space as usize).map(|space| (*space).to_owned());
        let spaces: BTreeSet<String> = hole.spaces.iter().filter_map(name).collect();
        let own = |resident: &u32| self.residents.get(*resident as usize)?.gap.clone();
        let mut gaps = self.matcher.covers.gaps(&spaces, matching);
        gaps.extend(hole.residents.iter().filter_map(own));
        gaps.extend(hole.broken.iter().cloned());
        gaps.sort();
        gaps.dedup();
        let gaps: Arc<[Gap]> = gaps.into();
        self.gaps.insert(hole, Arc::clone(&gaps));
        gaps
    }
}

/// Adds the findings of one package in one place.
fn write(
    fleet: &Fleet,
    matcher: &Matcher<'_>,
    residents: &[Opinion<'_>],
    entry: Entry,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let judged = residents.get(entry.resident as usize).and_then(|opinion| opinion.judged.as_ref());
    let resident = fleet.residents.get(entry.resident);
    let (Some(judged), Some(resident), Some((layer, path))) =
        (judged, resident, fleet.places.get(entry.place))
    else {
        return Ok(());
    };
    // The command that fixes it may name the file.
    let package = Package { paths: vec![path.clone()], ..resident.package.clone() };
    findings.extend(matcher.findings(judged, &package, &Place { layer: layer.as_ref(), path })?);
    Ok(())
}

/// Four thousand million findings do not fit in memory, so no number is used twice.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
