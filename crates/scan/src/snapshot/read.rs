//! Single advisories and vulnerabilities, for output.

use boltseal_model::{Advisory, Affected, Cvss, Epss, Kev, Range, Severity, Status};

use super::{
    Snapshot,
    layout::{self, BILLION, Kind, Row, Section},
    view::{View, damaged, run},
    words,
};
use crate::Error;

/// CVSS scores end here (CVSS 3.1 specification, section 5).
const MAX_SCORE: f64 = 10.0;

/// Everything the feeds say about one vulnerability.
#[derive(Clone, Debug, PartialEq)]
pub struct Vulnerability {
    /// The CVE where there is one.
    pub id: String,
    /// Every other id, sorted.
    pub aliases: Vec<String>,
    /// Every vector known.
    pub cvss: Vec<Cvss>,
    /// Present when it is known to be exploited.
    pub kev: Option<Kev>,
    /// Present when FIRST predicts its exploitation.
    pub epss: Option<Epss>,
    /// The records of every feed that knows it, the preferred one first.
    pub advisories: Vec<Advisory>,
}

impl Snapshot {
    /// The record that a feed calls `id`, for output. Where several feeds do, the one that matching prefers.
    pub fn advisory(&self, id: &str) -> Result<Option<Advisory>, Error> {
        let view = self.view()?;
        let mut best = None;
        for group in view.groups_of(id) {
            for member in view.members_of(group)? {
                let record = view.record(member)?;
                if view.string(record.id.get())? == id {
                    best = best.into_iter().chain([(record.rank, member)]).min();
                }
            }
        }
        let Some((_, member)) = best else { return Ok(None) };
        Ok(view.advisories(&[member])?.pop())
    }

    /// Everything about the vulnerability that has `id` among its ids.
    pub fn vulnerability(&self, id: &str) -> Result<Option<Vulnerability>, Error> {
        let view = self.view()?;
        for group in view.groups_of(id) {
            let ids = view.ids_of(group)?;
            let mut members = view.members_of(group)?;
            let mut known = ids.contains(&id);
            for member in &members {
                known |= view.string(view.record(*member)?.id.get())? == id;
            }
            if !known {
                continue; // another id with the same hash
            }
            members.sort_by_key(|member| view.record(*member).map_or(u8::MAX, |record| record.rank));
            let mut ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            let first = if ids.is_empty() { id.to_owned() } else { ids.remove(0) };
            return Ok(Some(Vulnerability {
                id: first,
                aliases: ids,
                cvss: view.cvss_of(group)?,
                kev: view.kev_of(group)?,
                epss: view.epss_of(group)?,
                advisories: view.advisories(&members)?,
            }));
        }
        Ok(None)
    }
}

/// What is known about a vulnerability as a whole.
impl<'a> View<'a> {
    /// Its advisories, by index.
    pub(super) fn members_of(&self, group: u32) -> Result<Vec<u32>, Error> {
        let group = self.group(group)?;
        let members = run(self.members, group.first_member, group.members, Section::Members)?;
        Ok(members.iter().map(|member| member.get()).collect())
    }

    /// Its ids, a CVE first.
    pub(crate) fn ids_of(&self, group: u32) -> Result<Vec<&'a str>, Error> {
        let group = self.group(group)?;
        let ids = run(self.group_ids, group.first_id, group.ids, Section::GroupIds)?;
        ids.iter().map(|id| self.string(id.get())).collect()
    }

    /// Its CVSS vectors.
    pub(crate) fn cvss_of(&self, group: u32) -> Result<Vec<Cvss>, Error> {
        let group = self.group(group)?;
        let vectors = run(self.vectors, group.first_vector, group.vectors, Section::Vectors)?;
        let cvss = |vector: &layout::Vector| {
            let score = f64::from_bits(vector.score.get());
            if !(0.0..=MAX_SCORE).contains(&score) {
                return Err(damaged(
                    Section::Vectors,
                    vector.text.get(),
                    "a CVSS score is not between 0 and 10",
                ));
            }
            Ok(Cvss { vector: self.string(vector.text.get())?.to_owned(), score })
        };
        vectors.iter().map(cvss).collect()
    }

    /// Whether it is known to be exploited.
    pub(crate) fn kev_of(&self, group: u32) -> Result<Option<Kev>, Error> {
        let record = self.group(group)?;
        if record.flags & layout::KEV == 0 {
            return Ok(None);
        }
        let day = |number: i32| words::day(number).map_err(|what| damaged(Section::Groups, group, what));
        let added = day(record.kev_added.get())?.ok_or_else(|| damaged(Section::Groups, group, "no day"))?;
        let ransomware = record.flags & layout::RANSOMWARE != 0;
        Ok(Some(Kev { added, due: day(record.kev_due.get())?, ransomware }))
    }

    /// How likely its exploitation is.
    pub(crate) fn epss_of(&self, group: u32) -> Result<Option<Epss>, Error> {
        let group = self.group(group)?;
        if group.flags & layout::EPSS == 0 {
            return Ok(None);
        }
        let fraction = |billionths: u32| match f64::from(billionths) / BILLION {
            fraction if fraction <= 1.0 => Ok(fraction),
            _ => Err(damaged(Section::Groups, group.first_id.get(), "an EPSS fraction is more than 1")),
        };
        let (score, percentile) = (fraction(group.epss_score.get())?, fraction(group.epss_percentile.get())?);
        Ok(Some(Epss { score, percentile }))
    }

    /// Advisories with the packages they speak about; the rows are read through once for all of them.
    fn advisories(&self, members: &[u32]) -> Result<Vec<Advisory>, Error> {
        let mut advisories: Vec<(u32, Advisory)> =
            members.iter().map(|member| Ok((*member, self.text(*member)?))).collect::<Result<_, Error>>()?;
        for (index, row) in self.rows.iter().enumerate() {
            let wanted = row.advisory.get();
            if let Some((_, advisory)) = advisories.iter_mut().find(|(member, _)| *member == wanted) {
                self.add_row(index, row, advisory)?;
            }
        }
        Ok(advisories.into_iter().map(|(_, advisory)| advisory).collect())
    }

    /// Adds `row` to the package of `advisory` that it belongs to.
    fn add_row(&self, index: usize, row: &Row, advisory: &mut Advisory) -> Result<(), Error> {
        let after = self.packages.partition_point(|package| package.first_row.get() as usize <= index);
        let package = after.checked_sub(1).and_then(|at| self.packages.get(at));
        let package = package.ok_or_else(|| damaged(Section::Rows, index, "a range without a package"))?;
        let (space, name) = (self.string(package.space.get())?, self.string(package.name.get())?);
        let wrong = |what| damaged(Section::Rows, index, what);
        let status: Status = words::status(row.status).map_err(wrong)?;
        let severity: Option<Severity> = words::severity(row.severity).map_err(wrong)?;
        let cpus = self.maybe(row.cpus.get())?;
        let cpus: Vec<String> =
            cpus.into_iter().flat_map(|cpus| cpus.split(',')).map(str::to_owned).collect();
        let same = |affected: &Affected| {
            affected.space == space
                && affected.package == name
                && affected.status == status
                && affected.severity == severity
                && affected.architectures == cpus
        };
        if !advisory.affected.iter().any(same) {
            let (space, package) = (space.to_owned(), name.to_owned());
            let architectures = cpus.clone();
            let (ranges, versions) = (Vec::new(), Vec::new());
            advisory.affected.push(Affected {
                space,
                package,
                ranges,
                versions,
                status,
                severity,
                architectures,
            });
        }
        let Some(affected) = advisory.affected.iter_mut().find(|affected| same(affected)) else {
            return Ok(());
        };
        if row.kind == Kind::Listed as u8 {
            for version in run(self.lists, row.a, row.b, Section::Lists)? {
                affected.versions.push(self.string(version.get())?.to_owned());
            }
        } else {
            let bound = |at: u32| Ok::<_, Error>(self.maybe(at)?.map(str::to_owned));
            affected.ranges.push(Range {
                introduced: bound(row.a.get())?,
                fixed: bound(row.b.get())?,
                last_affected: bound(row.c.get())?,
                fixed_on: words::day(row.day.get()).map_err(wrong)?,
            });
        }
        Ok(())
    }
}
