//! One package after the other against a snapshot; each distinct source version is judged once.

use std::{collections::HashMap, rc::Rc};

use boltseal_ecosystem::{Ecosystem, by_id};
use boltseal_model::{Distro, Finding, Gap, GapKind, Package};

use super::{
    coverage::Covers,
    proof::{self, Place},
    versions::{Opinion, opinion},
};
use crate::{Error, Snapshot, snapshot::View};

/// Matching with one snapshot.
pub(crate) struct Matcher<'a> {
    view: View<'a>,
    pub covers: Covers<'a>,
    opinions: HashMap<(String, String, String), Rc<Opinion<'a>>>,
}

/// What is known about one package before it is placed in an image.
pub(crate) struct Judged<'a> {
    ecosystem: &'static dyn Ecosystem,
    pub space: String,
    opinion: Rc<Opinion<'a>>,
}

/// Where advisories about `package` live; `None` where no feed could speak about it.
pub(crate) fn space(package: &Package, distro: Option<&Distro>) -> Option<(&'static dyn Ecosystem, String)> {
    let ecosystem = by_id(&package.ecosystem)?;
    Some((ecosystem, ecosystem.space(package, distro)?))
}

/// Whether `space` is a release of an operating system, whose vendor publishes its own data.
pub(crate) fn is_release(space: &str) -> bool {
    space.contains(':')
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
        let (name, version) = (ecosystem.normalise(package.source_name()), package.source_version());
        let key = (space, name, version.to_owned());
        if let Some(known) = self.opinions.get(&key) {
            return Ok(Judged { ecosystem, opinion: Rc::clone(known), space: key.0 });
        }
        let lines = self.view.lines(&key.0, &key.1)?;
        let opinion = Rc::new(opinion(&lines, version, ecosystem));
        let space = key.0.clone();
        self.opinions.insert(key, Rc::clone(&opinion));
        Ok(Judged { ecosystem, space, opinion })
    }

    /// One finding for each vulnerability that hits `package`, found at `place`.
    pub(crate) fn findings(
        &self,
        judged: &Judged<'a>,
        package: &Package,
        place: &Place<'_>,
    ) -> Result<Vec<Finding>, Error> {
        let hits = judged.opinion.hits.iter();
        hits.map(|hit| proof::finding(&self.view, hit, package, place, &judged.space, judged.ecosystem))
            .collect()
    }

    /// The gap that `package` leaves, if there are advisories that its version cannot be compared with.
    pub(crate) fn unclear(&self, judged: &Judged<'a>, package: &Package) -> Result<Option<Gap>, Error> {
        let Some((advisory, error)) = judged.opinion.unclear.first() else { return Ok(None) };
        let advisory = self.view.notice(*advisory)?.id;
        let more = judged.opinion.unclear.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let detail = format!(
            "nobody can say whether {advisory}{more} hits {} {}: {error}; look at the advisory",
            package.source_name(),
            package.source_version()
        );
        Ok(Some(Gap::new(GapKind::VersionNotComparable, &package.purl, detail)))
    }
}

impl Judged<'_> {
    /// Whether there is neither a finding nor a gap.
    pub(crate) fn is_clean(&self) -> bool {
        self.opinion.hits.is_empty() && self.opinion.unclear.is_empty()
    }
}
