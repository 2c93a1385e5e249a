//! What matching asks: everything about one package, decoded.

use boltseal_model::{Date, Severity, Status, Timestamp};

use super::{
    layout::{self, Kind, NO_TIME, Row, Section},
    view::{View, damaged, run},
    words,
};
use crate::Error;

/// What packages that run on every CPU say: RPM, dpkg, pacman.
const EVERYWHERE: [&str; 3] = ["noarch", "all", "any"];

/// What one advisory says about the package that was asked for: one range, or one list of versions.
#[derive(Clone)]
pub(crate) struct Line<'a> {
    /// The vulnerability.
    pub group: u32,
    /// How much its source is preferred; lower is better.
    pub rank: u8,
    /// The advisory.
    pub advisory: u32,
    /// What the vendor says.
    pub status: Status,
    /// The vendor's word for this package.
    pub severity: Option<Severity>,
    /// Which versions.
    pub versions: Versions<'a>,
}

/// The versions that a line is about.
#[derive(Clone)]
pub(crate) enum Versions<'a> {
    /// As in [`boltseal_model::Range`].
    Range {
        introduced: Option<Bound<'a>>,
        fixed: Option<Bound<'a>>,
        last: Option<Bound<'a>>,
        fixed_on: Option<Date>,
    },
    /// Exactly these.
    Listed(Vec<&'a str>),
}

/// A version in a range. Equal texts of one snapshot have the same number.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    /// Where the snapshot keeps it.
    pub number: u32,
    /// The version.
    pub text: &'a str,
}

/// What findings say about an advisory besides its ranges.
pub(crate) struct Notice<'a> {
    pub id: &'a str,
    pub feed: &'a str,
    pub severity: Option<Severity>,
    pub published: Option<Timestamp>,
    pub title: &'a str,
    pub references: Vec<&'a str>,
}

impl<'a> View<'a> {
    /// Every line about package `name` (normalised) of `space`: grouped by vulnerability, preferred sources first.
    ///
    /// What is about other CPUs than `cpu` is left out; packages for all CPUs, and such that do not tell, hear it all.
    pub(crate) fn lines(&self, space: &str, name: &str, cpu: Option<&str>) -> Result<Vec<Line<'a>>, Error> {
        // Each listed version belongs to one row, so an honest file cannot name more than it has. A hostile one could
        // have a million rows share a list of a million, and keep us busy for days.
        let mut left = self.lists.len();
        let mut line = |row: &Row| {
            let line = self.line(row)?;
            if let Versions::Listed(listed) = &line.versions {
                let too_many =
                    || damaged(Section::Rows, row.advisory.get(), "rows share their listed versions");
                left = left.checked_sub(listed.len()).ok_or_else(too_many)?;
            }
            Ok::<_, Error>(line)
        };
        let cpu = cpu.filter(|cpu| !EVERYWHERE.contains(cpu));
        let mut lines = Vec::new();
        for row in self.rows_of(space, name)? {
            let cpus = self.maybe(row.cpus.get())?;
            let meant = |cpu: &str| cpus.is_none_or(|cpus| cpus.split(',').any(|one| one == cpu));
            if cpu.is_none_or(meant) {
                lines.push(line(row)?);
            }
        }
        Ok(lines)
    }

    /// Whether anything about package `name` of `space` holds on some CPUs only.
    pub(crate) fn tells_cpus_apart(&self, space: &str, name: &str) -> Result<bool, Error> {
        Ok(self.rows_of(space, name)?.iter().any(|row| row.cpus.get() != layout::NONE))
    }

    fn line(&self, row: &Row) -> Result<Line<'a>, Error> {
        let advisory = row.advisory.get();
        let record = self.record(advisory)?;
        let wrong = |what| damaged(Section::Rows, advisory, what);
        let versions = if row.kind == Kind::Listed as u8 {
            let listed = run(self.lists, row.a, row.b, Section::Lists)?;
            Versions::Listed(
                listed.iter().map(|version| self.string(version.get())).collect::<Result<_, _>>()?,
            )
        } else {
            let bound = |number: u32| Ok::<_, Error>(self.maybe(number)?.map(|text| Bound { number, text }));
            Versions::Range {
                introduced: bound(row.a.get())?,
                fixed: bound(row.b.get())?,
                last: bound(row.c.get())?,
                fixed_on: words::day(row.day.get()).map_err(wrong)?,
            }
        };
        Ok(Line {
            group: record.group.get(),
            rank: record.rank,
            advisory,
            status: words::status(row.status).map_err(wrong)?,
            severity: words::severity(row.severity).map_err(wrong)?,
            versions,
        })
    }

    /// What `advisory` says to people.
    pub(crate) fn notice(&self, advisory: u32) -> Result<Notice<'a>, Error> {
        let record = self.record(advisory)?;
        let (title, references) = self.brief(advisory)?;
        Ok(Notice {
            id: self.string(record.id.get())?,
            feed: self.string(record.feed.get())?,
            severity: words::severity(record.severity)
                .map_err(|what| damaged(Section::Advisories, advisory, what))?,
            published: Some(record.published.get())
                .filter(|seconds| *seconds != NO_TIME)
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
            title,
            references,
        })
    }

    /// The advisory that describes a vulnerability best, and the worst that anybody says about it.
    pub(crate) fn about(&self, group: u32) -> Result<(Option<u32>, Option<Severity>), Error> {
        let record = self.group(group)?;
        let about = Some(record.about.get()).filter(|about| *about != layout::NONE);
        Ok((about, words::severity(record.severity).map_err(|what| damaged(Section::Groups, group, what))?))
    }
}
