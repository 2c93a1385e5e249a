//! Arch Linux' security tracker: one array of "Arch vulnerability groups".
//!
//! Source: <https://security.archlinux.org/all.json>, described in
//! <https://wiki.archlinux.org/title/Arch_Security_Team>. Arch has one release; `affected` is the version in which a group was
//! found, not the first that is hit.

use boltseal_ecosystem::of_space;
use boltseal_model::{Advisory, Affected, Range, Severity, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Document, Format, Tally};
use crate::{Error, Sink, limits};

/// The format.
pub struct ArchTracker;

const ID: &str = "arch-tracker";

/// The name space of Arch Linux.
const SPACE: &str = "arch";

#[derive(Deserialize)]
struct Group {
    name: String,
    packages: Vec<String>,
    status: String,
    #[serde(default)]
    severity: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    issues: Vec<String>,
    #[serde(default)]
    advisories: Vec<String>,
}

impl Format for ArchTracker {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Arch Linux security tracker: all.json"
    }

    fn is_one_feed(&self) -> bool {
        true
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        head.trim_ascii_start().starts_with(b"[")
            && has(b"\"AVG-")
            && has(b"\"packages\"")
            && has(b"\"issues\"")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let bytes = document.whole(limits::MAX_RECORD_BYTES, ID)?;
        let values: Vec<&RawValue> =
            serde_json::from_slice(&bytes).map_err(|error| Error::broken(document.name, ID, error))?;
        let mut tally = Tally::default();
        for value in values {
            match serde_json::from_str::<Group>(value.get()) {
                Ok(group) => one(group, feed, sink, &mut tally),
                Err(error) => tally.reject(sink, document.name, &error.to_string()),
            }
        }
        Ok(tally)
    }
}

fn one(group: Group, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    if group.name.is_empty() || group.packages.is_empty() {
        return tally.reject(sink, "group", "no name, or no packages");
    }
    let whole = || vec![Range::default()];
    let (status, ranges) = match (group.status.as_str(), group.fixed) {
        ("Not affected", _) => (Status::NotAffected, Vec::new()),
        ("Fixed" | "Testing", Some(fixed)) => {
            (Status::Affected, vec![Range { fixed: Some(fixed), ..Range::default() }])
        }
        ("Vulnerable" | "Testing" | "Fixed", _) => (Status::Affected, whole()),
        ("Unknown", _) => (Status::UnderInvestigation, whole()),
        (other, _) => {
            let why = format!("unknown status `{}`", super::cut(other, 40));
            return tally.reject(sink, &super::cut(&group.name, 60), &why);
        }
    };
    tally.records += 1;
    tally.spaces.insert(SPACE.to_owned());
    let affected = |package: &String| Affected {
        space: SPACE.to_owned(),
        package: of_space(SPACE).map_or_else(|| package.clone(), |arch| arch.normalise(package)),
        ranges: ranges.clone(),
        status,
        ..Affected::default()
    };
    let page = |id: &str| format!("https://security.archlinux.org/{id}");
    sink.advisory(Advisory {
        aliases: group.issues.into_iter().filter(|id| *id != group.name && !id.is_empty()).collect(),
        feed: feed.to_owned(),
        summary: super::cut(
            &format!("{}: {}", group.packages.join(", "), group.kind),
            limits::MAX_SUMMARY_BYTES,
        ),
        severity: Severity::of_vendor_word(&group.severity),
        references: std::iter::once(page(&group.name))
            .chain(group.advisories.iter().map(|id| page(id)))
            .take(limits::MAX_REFERENCES)
            .collect(),
        affected: group.packages.iter().map(affected).collect(),
        id: group.name,
        ..Advisory::default()
    });
}
