//! Ubuntu's CVE tracker: one text for each CVE, with a state for each source package of each release.
//!
//! Source: <https://git.launchpad.net/ubuntu-cve-tracker>, its README. Releases of extended maintenance have states of their
//! own (`esm-infra/xenial_openssl`, before 2021 `trusty/esm_openssl`), which live in name spaces of their own
//! (`ubuntu:pro:16.04`), as in Canonical's OSV records.

use std::collections::BTreeMap;

use boltseal_ecosystem::of_space;
use boltseal_model::{Advisory, Affected, Cvss, Range, Severity, Status, Timestamp};

use super::{Bundle, Document, Format, Tally, is_cve, osv, oval::moment};
use crate::{Error, Sink, limits};

/// The format.
pub struct UbuntuTracker;

const ID: &str = "ubuntu-tracker";

/// <https://wiki.ubuntu.com/Releases>.
const RELEASES: [(&str, &str); 45] = [
    ("warty", "4.10"),
    ("hoary", "5.04"),
    ("breezy", "5.10"),
    ("dapper", "6.06"),
    ("edgy", "6.10"),
    ("feisty", "7.04"),
    ("gutsy", "7.10"),
    ("hardy", "8.04"),
    ("intrepid", "8.10"),
    ("jaunty", "9.04"),
    ("karmic", "9.10"),
    ("lucid", "10.04"),
    ("maverick", "10.10"),
    ("natty", "11.04"),
    ("oneiric", "11.10"),
    ("precise", "12.04"),
    ("quantal", "12.10"),
    ("raring", "13.04"),
    ("saucy", "13.10"),
    ("trusty", "14.04"),
    ("utopic", "14.10"),
    ("vivid", "15.04"),
    ("wily", "15.10"),
    ("xenial", "16.04"),
    ("yakkety", "16.10"),
    ("zesty", "17.04"),
    ("artful", "17.10"),
    ("bionic", "18.04"),
    ("cosmic", "18.10"),
    ("disco", "19.04"),
    ("eoan", "19.10"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("hirsute", "21.04"),
    ("impish", "21.10"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
    ("resolute", "26.04"),
    ("stonking", "26.10"),
];

/// Extended maintenance under its names, and the name spaces for it; empty is plain `pro`.
const PRO: [(&str, &str); 7] = [
    ("esm", ""),
    ("esm-infra", ""),
    ("esm-apps", ""),
    ("esm-infra-legacy", ""),
    ("esm-apps-legacy", ""),
    ("fips", "fips:"),
    ("fips-updates", "fips-updates:"),
];

impl Format for UbuntuTracker {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Ubuntu CVE tracker: the files in active/ and retired/"
    }

    fn bundle(&self) -> Bundle {
        Bundle::Separated
    }

    fn is_one_feed(&self) -> bool {
        true
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let candidate = lines.by_ref().take(200).any(|line| line.starts_with(b"Candidate: CVE-"));
        candidate && head.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"Priority"))
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let name = document.name;
        document.texts(limits::MAX_LINE_BYTES, ID, &mut |text| {
            one(&String::from_utf8_lossy(text), name, feed, sink, &mut tally);
            Ok(())
        })?;
        Ok(tally)
    }
}

/// The fields of one text.
#[derive(Default)]
struct Fields<'t> {
    candidate: &'t str,
    published: Option<Timestamp>,
    description: String,
    references: Vec<String>,
    cvss: Vec<Cvss>,
    priority: Option<Severity>,
    priorities: BTreeMap<&'t str, Severity>,
    /// `xenial_openssl`, `released (1.0.2g-1ubuntu4.16)`.
    states: Vec<(&'t str, &'t str)>,
}

impl<'t> Fields<'t> {
    fn of(text: &'t str) -> Self {
        let mut fields = Self::default();
        let mut field = "";
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                fields.more(field, line.trim());
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            field = name.trim();
            let value = value.trim();
            match field {
                "Candidate" => fields.candidate = value,
                "PublicDate" => fields.published = moment(value),
                "Priority" => fields.priority = Severity::of_vendor_word(first(value)),
                "Description" | "References" | "CVSS" => fields.more(field, value),
                _ => match (field.strip_prefix("Priority_"), field.contains('_')) {
                    (Some(package), _) => {
                        fields
                            .priorities
                            .extend(Severity::of_vendor_word(first(value)).map(|word| (package, word)));
                    }
                    (None, true) => fields.states.push((field, value)),
                    (None, false) => {}
                },
            }
        }
        fields
    }

    fn more(&mut self, field: &str, value: &'t str) {
        match field {
            "Description" if !value.is_empty() => {
                if !self.description.is_empty() {
                    self.description.push(' ');
                }
                self.description.push_str(value);
            }
            "References" if value.starts_with("http") && self.references.len() < limits::MAX_REFERENCES => {
                self.references.push(value.split_whitespace().next().unwrap_or_default().to_owned());
            }
            "CVSS" => {
                let vector = value.split_whitespace().find(|word| word.starts_with("CVSS:"));
                self.cvss.extend(vector.and_then(osv::vector).filter(|_| self.cvss.len() < 8));
            }
            _ => {}
        }
    }
}

fn first(value: &str) -> &str {
    value.split_whitespace().next().unwrap_or_default()
}

fn one(text: &str, name: &str, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    let fields = Fields::of(text);
    if !is_cve(fields.candidate) {
        return tally.reject(sink, name, "no `Candidate` that is a CVE");
    }
    let mut affected: Vec<Affected> = Vec::new();
    for (place, state) in &fields.states {
        let Some((release, package)) = place.split_once('_').filter(|(_, package)| !package.is_empty())
        else {
            continue;
        };
        if matches!(release, "upstream" | "devel" | "Patches" | "Tags" | "Assigned-to")
            || first(state) == "DNE"
        {
            continue;
        }
        let Some(space) = space(release) else {
            tally.unsupported(&format!("Ubuntu:{}", release.split('/').next().unwrap_or_default()));
            continue;
        };
        let Some((status, ranges)) = meaning(state) else {
            tally.reject(sink, &format!("{} {place}", fields.candidate), "unknown state");
            continue;
        };
        tally.records += 1;
        if !tally.spaces.contains(&space) {
            tally.spaces.insert(space.clone());
        }
        affected.push(Affected {
            package: of_space(&space).map_or_else(|| package.to_owned(), |ubuntu| ubuntu.normalise(package)),
            space,
            ranges,
            status,
            severity: fields.priorities.get(package).copied(),
            ..Affected::default()
        });
    }
    if affected.is_empty() {
        return tally.skip("without package states");
    }
    let id = fields.candidate;
    let mut references = vec![format!("https://ubuntu.com/security/{id}")];
    references.extend(fields.references);
    references.dedup();
    sink.advisory(Advisory {
        id: id.to_owned(),
        feed: feed.to_owned(),
        summary: super::cut(
            fields.description.split(". ").next().unwrap_or_default(),
            limits::MAX_SUMMARY_BYTES,
        ),
        details: super::cut(&fields.description, limits::MAX_DETAILS_BYTES),
        published: fields.published,
        severity: fields.priority,
        cvss: fields.cvss,
        references,
        affected,
        ..Advisory::default()
    });
}

/// `xenial` is `ubuntu:16.04`; `esm-infra/xenial` and `trusty/esm` are of `ubuntu:pro:…`.
fn space(release: &str) -> Option<String> {
    let number =
        |codename: &str| RELEASES.iter().find(|(name, _)| *name == codename).map(|(_, number)| *number);
    let Some((a, b)) = release.split_once('/') else {
        return number(release).map(|number| format!("ubuntu:{number}"));
    };
    let (kind, codename) = if b == "esm" { (b, a) } else { (a, b) };
    let (_, pro) = PRO.iter().find(|(name, _)| *name == kind)?;
    number(codename).map(|number| format!("ubuntu:pro:{pro}{number}"))
}

/// What a state means; `released (1.2-3)`, `ignored (end of life, was needed)`.
fn meaning(state: &str) -> Option<(Status, Vec<Range>)> {
    let word = state.split(['(', ' ']).next().unwrap_or_default();
    let inside = state.split_once('(').map_or("", |(_, rest)| rest.trim_end().trim_end_matches(')'));
    let whole = || vec![Range::default()];
    Some(match word {
        "released" => {
            let fixed = first(inside).trim_end_matches([',', ')']);
            let version = fixed.starts_with(|c: char| c.is_ascii_alphanumeric());
            let fixed = version.then(|| fixed.to_owned());
            if fixed.is_none() {
                // Fixed before the release came out.
                return Some((Status::NotAffected, Vec::new()));
            }
            (Status::Affected, vec![Range { fixed, ..Range::default() }])
        }
        "not-affected" => (Status::NotAffected, Vec::new()),
        "needed" | "active" | "pending" | "in-progress" => (Status::Affected, whole()),
        "needs-triage" | "undetermined" => (Status::UnderInvestigation, whole()),
        "deferred" => (Status::WillNotFix, whole()),
        "ignored" => {
            let over = ["end of life", "end-of-life", "end of standard support", "end of ESM", "reached end"];
            let ended =
                over.iter().any(|words| inside.to_ascii_lowercase().contains(&words.to_ascii_lowercase()));
            (if ended { Status::EndOfLife } else { Status::WillNotFix }, whole())
        }
        _ => return None,
    })
}
