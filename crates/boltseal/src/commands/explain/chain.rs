//! The chain of custody, link by link; what nobody knows is a link that is missing, with the reason.

use std::fmt::Write as _;

use boltseal_api::audit::{Recorded, Records};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome},
};
use boltseal_model::{Digest, Report, Signature};
use serde::Serialize;

use crate::{
    commands::audit::place::LogServer,
    exit::Failure,
    output::{
        paint::{Paint, clean},
        records::parsed,
    },
    reach::query,
};

/// Records about one image that are looked at, the newest first; a pull is one, so a busy image has many.
const MOST: &str = "1000";
/// Records told of one link.
const TOLD: usize = 5;

/// All that is known of where an image comes from.
#[derive(Debug, Serialize)]
pub struct Chain {
    /// Of the image.
    pub digest: Digest,
    /// In the order of its life.
    pub links: Vec<Link>,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Link {
    /// `pushed`, `built`, `signed`, `scanned`, `judged`, `running`.
    pub step: &'static str,
    /// Whether anything is known.
    pub known: bool,
    /// What is known, or why nothing is; a sentence each.
    pub facts: Vec<String>,
    /// Entries of the audit log about it.
    pub records: Vec<u64>,
}

/// What the log of `server` says about the image, the newest first. Pulls are left out.
pub fn records(server: &LogServer, digest: &Digest) -> Result<Vec<(u64, Record)>, Failure> {
    let name = digest.to_string();
    let asked = [("subject", Some(name.as_str())), ("limit", Some(MOST))];
    let page: Records = server.client.get(&query(&["audit", "records"], &asked))?;
    let about = |one: &Recorded| {
        let record = parsed(one).filter(|record| record.activity != Activity::Read)?;
        one.sealed.then_some((one.index, record))
    };
    Ok(page.records.iter().filter_map(about).collect())
}

impl Chain {
    /// From what is stored of the image, and what the log says.
    pub fn of(digest: &Digest, report: &Report, records: &[(u64, Record)]) -> Self {
        let links = vec![
            pushed(records),
            built(report),
            signed(report),
            scanned(report),
            judged(report, records),
            missing("running", "nobody tells this server yet where it runs"),
        ];
        Self { digest: digest.clone(), links }
    }
}

fn missing(step: &'static str, why: &str) -> Link {
    Link { step, known: false, facts: vec![why.to_owned()], records: Vec::new() }
}

fn found(step: &'static str, facts: Vec<String>, records: Vec<u64>) -> Link {
    Link { step, known: true, facts, records }
}

fn pushed(records: &[(u64, Record)]) -> Link {
    let push = |record: &Record| {
        record.activity == Activity::Create
            && record.outcome == Outcome::Success
            && record.detail.contains_key("media_type")
    };
    // The first one brought it.
    let pushes: Vec<&(u64, Record)> =
        records.iter().rev().filter(|(_, record)| push(record)).take(TOLD).collect();
    if pushes.is_empty() {
        return missing("pushed", "the log has no record of its push that this server still has at hand");
    }
    let told = |(_, record): &&(u64, Record)| {
        let name = record.subject.name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
        format!("by {} at {} to {}{name}", record.actor.name, record.time, record.subject.scope)
    };
    found("pushed", pushes.iter().map(told).collect(), pushes.iter().map(|(index, _)| *index).collect())
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
        (false, _) => found("built", facts, Vec::new()),
        (true, None) => missing("built", "the policy asks for no statements, so none was verified"),
        (true, Some(_)) => missing("built", "no provenance that counts is attached"),
    }
}

fn signed(report: &Report) -> Link {
    let Some(all) = &report.signatures else {
        return missing("signed", "the policy asks for no signatures, so none was verified");
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
        return missing("signed", &format!("no signature counts, of {} that are attached", all.len()));
    }
    found("signed", facts, Vec::new())
}

fn scanned(report: &Report) -> Link {
    let Some(snapshot) = &report.snapshot else {
        return missing("scanned", "there was no vulnerability data to hold it against");
    };
    let set_aside = report.omitted.ignored.len();
    let fact = format!(
        "{} packages held against the snapshot {} of {}: {} findings, {set_aside} set aside",
        report.packages.len(),
        snapshot.id,
        snapshot.built,
        report.findings.len()
    );
    found("scanned", vec![fact], Vec::new())
}

fn judged(report: &Report, records: &[(u64, Record)]) -> Link {
    let Some(verdict) = &report.verdict else { return missing("judged", "it has no verdict") };
    let of: Vec<u64> = records
        .iter()
        .filter(|(_, record)| record.activity == Activity::Judge)
        .map(|(index, _)| *index)
        .take(TOLD)
        .collect();
    let mut facts = vec![format!("by the policy {} {}", verdict.policy, verdict.policy_digest)];
    facts.push(verdict.sentence());
    found("judged", facts, of)
}

/// For people.
pub fn people(chain: &Chain, _: Paint) -> String {
    let mut out = format!("{}\n\n", chain.digest);
    for link in &chain.links {
        for (place, fact) in link.facts.iter().enumerate() {
            let head = if place == 0 { link.step } else { "" };
            let missing = if link.known { "" } else { "missing: " };
            let _ = writeln!(out, "{head:<9}{missing}{}", clean(fact));
        }
        if !link.records.is_empty() {
            let entries: Vec<String> = link.records.iter().map(ToString::to_string).collect();
            let _ = writeln!(out, "{:<9}audit log: entry {}", "", entries.join(", "));
        }
    }
    out
}
