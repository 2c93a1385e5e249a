//! The chain of custody, link by link; what nobody knows is a link that is missing, with the reason.
//!
//! ```text
//! pushed  by admin at 2026-11-26T09:00:00Z to team/app
//! built   missing: no provenance that counts is attached
//! signed  by release.pub (key 3f2a…), sha256:9c1e…
//! running on node-1 as shop/web since 2026-11-26T10:00:00Z
//! ```
//!
//! It is told from what is stored of an image and from what the log says of it; both are handed in.

use boltseal_api::custody::{Chain, Link, Step};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome},
};
use boltseal_model::{Digest, Report, Signature, Timestamp};

/// Records and pushes told of one link.
const TOLD: usize = 5;

/// That somebody brought it, as the registry remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Their name then.
    pub by: String,
    /// When they did first.
    pub at: Timestamp,
    /// The repository.
    pub to: String,
}

/// A container of it that runs, as its node told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub host: String,
    /// `GROUP/CONTAINER`.
    pub container: String,
    /// Since when.
    pub since: Timestamp,
    /// When the node said so last, if that is long ago.
    pub silent: Option<Timestamp>,
}

/// What nodes tell of where it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// How many nodes tell what they run.
    pub nodes: usize,
    /// How many of them said nothing for some time.
    pub silent: usize,
    /// The containers.
    pub containers: Vec<Place>,
}

/// What the chain of one image is told from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Of the image.
    pub digest: &'a Digest,
    /// Nothing where it was not judged yet.
    pub report: Option<&'a Report>,
    /// The first ones first.
    pub pushes: &'a [Push],
    /// What the log says about the image, the newest first; nothing where whoever asks may not read it.
    pub records: Option<&'a [(u64, Record)]>,
    /// Where it runs.
    pub running: &'a Places,
}

/// Tells it.
pub fn chain(known: &Known<'_>) -> Chain {
    let mut links = vec![pushed(known)];
    match known.report {
        Some(report) => links.extend([built(report), signed(report), scanned(report), judged(report, known)]),
        None => links.extend(
            [Step::Built, Step::Signed, Step::Scanned, Step::Judged]
                .map(|step| missing(step, "it was not judged yet")),
        ),
    }
    links.push(running(known));
    Chain { digest: known.digest.to_string(), links }
}

fn missing(step: Step, why: &str) -> Link {
    Link { step, known: false, facts: vec![why.to_owned()], records: Vec::new() }
}

fn found(step: Step, facts: Vec<String>, records: Vec<u64>) -> Link {
    Link { step, known: true, facts, records }
}

fn pushed(known: &Known<'_>) -> Link {
    let is_push = |record: &Record| {
        record.activity == Activity::Create
            && record.outcome == Outcome::Success
            && record.detail.contains_key("media_type")
    };
    // The first one brought it.
    let all = known.records.unwrap_or_default().iter().rev();
    let records: Vec<&(u64, Record)> = all.filter(|(_, record)| is_push(record)).take(TOLD).collect();
    let entries = records.iter().map(|(index, _)| *index).collect();
    let remembered = known.pushes.iter().take(TOLD);
    let remembered = remembered.map(|push| format!("by {} at {} to {}", push.by, push.at, push.to));
    let mut facts: Vec<String> = remembered.collect();
    if facts.is_empty() {
        let told = |(_, record): &&(u64, Record)| {
            let name = record.subject.name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
            format!("by {} at {} to {}{name}", record.actor.name, record.time, record.subject.scope)
        };
        facts = records.iter().map(told).collect();
    }
    match (facts.is_empty(), known.records) {
        (false, _) => found(Step::Pushed, facts, entries),
        (true, Some(_)) => {
            missing(Step::Pushed, "nobody is remembered, and the newest part of the log has no record of it")
        }
        (true, None) => missing(Step::Pushed, "nobody is remembered, and whoever asks may not read the log"),
    }
}

fn built(report: &Report) -> Link {
    let mut facts = Vec::new();
    for one in report.signatures.iter().flatten().filter(|one| one.fault.is_none()) {
        let Some(said) = &one.provenance else { continue };
        let from = said.source.as_deref().unwrap_or("a source that it does not name");
        let by = said.builder.as_deref().unwrap_or("nobody that it names");
        facts.push(format!("from {from} by {by}, says {} ({})", one.by.join(", "), one.place));
    }
    for base in report.bases.iter().flatten() {
        let name =
            base.names.first().map_or_else(|| base.digest.to_string(), boltseal_model::Reference::name);
        facts.push(format!("on {name}@{}, told by its layers", base.digest));
    }
    match (facts.is_empty(), &report.signatures) {
        (false, _) => found(Step::Built, facts, Vec::new()),
        (true, None) => missing(Step::Built, "the policy asks for no statements, so none was verified"),
        (true, Some(_)) => missing(Step::Built, "no provenance that counts is attached"),
    }
}

fn signed(report: &Report) -> Link {
    let Some(all) = &report.signatures else {
        return missing(Step::Signed, "the policy asks for no signatures, so none was verified");
    };
    let told = |one: &Signature| {
        let when = one.at.first().map(|at| format!(" at {at}")).unwrap_or_default();
        let logged = if one.logged { ", in the log" } else { "" };
        format!(
            "by {} ({}){when}{logged}, {}",
            one.by.join(", "),
            one.signer.as_deref().unwrap_or("?"),
            one.place
        )
    };
    let facts: Vec<String> =
        all.iter().filter(|one| one.fault.is_none() && one.is_plain()).map(told).collect();
    if facts.is_empty() {
        return missing(Step::Signed, &format!("no signature counts, of {} that are attached", all.len()));
    }
    found(Step::Signed, facts, Vec::new())
}

fn scanned(report: &Report) -> Link {
    let Some(snapshot) = &report.snapshot else {
        return missing(Step::Scanned, "there was no vulnerability data to hold it against");
    };
    let set_aside = report.omitted.ignored.len();
    let fact = format!(
        "{} packages held against the snapshot {} of {}: {} findings, {set_aside} set aside",
        report.packages.len(),
        snapshot.id,
        snapshot.built,
        report.findings.len()
    );
    found(Step::Scanned, vec![fact], Vec::new())
}

fn judged(report: &Report, known: &Known<'_>) -> Link {
    let Some(verdict) = &report.verdict else { return missing(Step::Judged, "it has no verdict") };
    let mut of: Vec<u64> = known
        .records
        .unwrap_or_default()
        .iter()
        .filter(|(_, record)| record.activity == Activity::Judge)
        .map(|(index, _)| *index)
        .take(TOLD)
        .collect();
    of.reverse();
    let facts =
        vec![format!("by the policy {} {}", verdict.policy, verdict.policy_digest), verdict.sentence()];
    found(Step::Judged, facts, of)
}

fn running(known: &Known<'_>) -> Link {
    let Places { nodes, silent, containers } = known.running;
    let begun = |record: &Record| {
        matches!(record.activity, Activity::Create | Activity::Start)
            && record.outcome == Outcome::Success
            && record.subject.scope.starts_with("/hosts/")
    };
    let all = known.records.unwrap_or_default().iter();
    let mut of: Vec<u64> =
        all.filter(|(_, record)| begun(record)).map(|(index, _)| *index).take(TOLD).collect();
    of.reverse();
    let mut facts: Vec<String> = containers.iter().take(TOLD).map(place).collect();
    match containers.len().saturating_sub(TOLD) {
        0 => {}
        more => facts.push(format!("and in {more} more")),
    }
    if !facts.is_empty() {
        return found(Step::Running, facts, of);
    }
    match (nodes, silent) {
        (0, _) => missing(Step::Running, "no node tells this server what it runs"),
        (nodes, 0) => {
            let all = if *nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
            found(Step::Running, vec![format!("nowhere, as told by {all}")], of)
        }
        (nodes, silent) => missing(
            Step::Running,
            &format!("nowhere, as told by the nodes, but {silent} of {nodes} said nothing lately"),
        ),
    }
}

fn place(place: &Place) -> String {
    let told = place.silent.map(|at| format!(", told last at {at}")).unwrap_or_default();
    format!("on {} as {} since {}{told}", place.host, place.container, place.since)
}
