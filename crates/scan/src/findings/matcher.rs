//! One package after the other against a snapshot; each distinct source version is judged once.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use boltseal_ecosystem::{Ecosystem, by_id};
use boltseal_model::{Distro, Finding, Gap, GapKind, Package};

use super::{
    coverage::Covers,
    proof::{self, Matched, Place},
    versions::{Opinion, Unclear, opinion},
};
use crate::{Error, Snapshot, snapshot::View};

/// Matching with one snapshot.
pub(crate) struct Matcher<'a> {
    view: View<'a>,
    pub covers: Covers<'a>,
    /// By space, name, version, and the CPU where that matters.
    opinions: HashMap<(String, String, String, Option<String>), Rc<Opinion<'a>>>,
}

/// What is known about one package before it is placed in an image.
pub(crate) struct Judged<'a> {
    ecosystem: &'static dyn Ecosystem,
    pub space: String,
    /// In the order of [`Ecosystem::known_as`], first of `space`, then of the space below.
    opinions: Vec<Rc<Opinion<'a>>>,
}

/// Where advisories about `package` live; `None` where no feed could speak about it.
pub(crate) fn space(package: &Package, distro: Option<&Distro>) -> Option<(&'static dyn Ecosystem, String)> {
    let ecosystem = by_id(&package.ecosystem)?;
    Some((ecosystem, ecosystem.space(package, distro)?))
}

/// A package that no feed could ever speak about, such as one of a distribution that nobody recognised.
pub(crate) fn homeless(package: &Package) -> Gap {
    let detail = format!(
        "{} packages were not matched, because the release of the distribution is not known: \
         check /etc/os-release of the image",
        package.ecosystem
    );
    Gap::new(GapKind::FeedMissing, &package.ecosystem, detail)
}

/// The snapshot cannot be read: everything about `subject` is open.
pub(crate) fn unreadable(subject: &str, error: &Error) -> Gap {
    Gap::new(GapKind::FeedMissing, subject, error.to_string())
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Result<Self, Error> {
        Ok(Self { view: snapshot.view()?, covers: Covers::of(snapshot.info()), opinions: HashMap::new() })
    }

    /// What the feeds say about `package`, which lives in `space`.
    pub(crate) fn judge(
        &mut self,
        package: &Package,
        ecosystem: &'static dyn Ecosystem,
        space: String,
    ) -> Result<Judged<'a>, Error> {
        let mut opinions = Vec::with_capacity(1);
        let cpu = package.architecture.as_deref();
        let below = ecosystem.space_below(&space);
        for space in [Some(&space), below.as_ref()].into_iter().flatten() {
            for (name, version) in ecosystem.known_as(package) {
                opinions.push(self.opinion(space, name, version, cpu, ecosystem)?);
            }
        }
        Ok(Judged { ecosystem, space, opinions })
    }

    fn opinion(
        &mut self,
        space: &str,
        name: Cow<'_, str>,
        version: &str,
        cpu: Option<&str>,
        ecosystem: &'static dyn Ecosystem,
    ) -> Result<Rc<Opinion<'a>>, Error> {
        let cpu = if self.view.tells_cpus_apart(space, &name)? { cpu.map(str::to_owned) } else { None };
        let key = (space.to_owned(), name.into_owned(), version.to_owned(), cpu);
        if let Some(known) = self.opinions.get(&key) {
            return Ok(Rc::clone(known));
        }
        let lines = self.view.lines(&key.0, &key.1, key.3.as_deref())?;
        let opinion = Rc::new(opinion(&lines, version, ecosystem));
        self.opinions.insert(key, Rc::clone(&opinion));
        Ok(opinion)
    }

    /// One finding for each vulnerability that hits `package`, found at `place`.
    pub(crate) fn findings(
        &self,
        judged: &Judged<'a>,
        package: &Package,
        place: &Place<'_>,
    ) -> Result<Vec<Finding>, Error> {
        let names = judged.ecosystem.known_as(package);
        let mut findings = Vec::new();
        let below = judged.ecosystem.space_below(&judged.space);
        let spaces = [Some(&judged.space), below.as_ref()].into_iter().flatten();
        let names = spaces.flat_map(|space| names.iter().map(move |(name, version)| (space, name, version)));
        for (index, (opinion, (space, name, version))) in judged.opinions.iter().zip(names).enumerate() {
            for hit in opinion.hits.iter().filter(|hit| judged.decides(index, hit.line.group)) {
                let matched = Matched { space, name, version };
                findings.push(proof::finding(&self.view, hit, package, place, &matched, judged.ecosystem)?);
            }
        }
        Ok(findings)
    }

    /// The gap that `package` leaves, if there are advisories that its version cannot be compared with.
    pub(crate) fn unclear(&self, judged: &Judged<'a>, package: &Package) -> Result<Option<Gap>, Error> {
        let mut unclear = judged.opinions.iter().enumerate().flat_map(|(index, opinion)| {
            opinion.unclear.iter().filter(move |unclear| judged.decides(index, unclear.group))
        });
        let Some(Unclear { advisory, error, .. }) = unclear.next() else { return Ok(None) };
        let advisory = self.view.notice(*advisory)?.id;
        let more = unclear.count();
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let (name, version) = (package.source_name(), package.source_version());
        let detail = if version.is_empty() {
            let place = package.paths.first().map(|path| format!(" ({path})")).unwrap_or_default();
            format!(
                "nobody can say whether {advisory}{more} hits {name}, whose version is not told{place}; look at the advisory"
            )
        } else {
            format!(
                "nobody can say whether {advisory}{more} hits {name} {version}: {error}; look at the advisory"
            )
        };
        Ok(Some(Gap::new(GapKind::VersionNotComparable, &package.purl, detail)))
    }
}

impl Judged<'_> {
    /// Whether there is neither a finding nor a gap.
    pub(crate) fn is_clean(&self) -> bool {
        self.opinions.iter().all(|opinion| opinion.hits.is_empty() && opinion.unclear.is_empty())
    }

    /// Whether what the name with `index` says about the vulnerability `group` counts: no name before it speaks of it.
    fn decides(&self, index: usize, group: u32) -> bool {
        !self.opinions.iter().take(index).any(|opinion| opinion.spoken.binary_search(&group).is_ok())
    }
}
