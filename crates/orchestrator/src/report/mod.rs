//! What was found in definitions, for programs: JSON with a schema, SARIF, `JUnit`.

mod junit;
mod sarif;

use boltseal_model::Severity;
use serde::Serialize;

use crate::{
    checks::{self, Finding, Options, aci::baseline},
    pss::Level,
    read::Read,
    validating,
};

/// Everything that is said about some files, as described by `docs/reference/check.schema.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The level of the Pod Security Standards that pods were held to.
    pub level: Level,
    /// `v1.31`: the version of Kubernetes whose standards they are.
    pub version: String,
    /// The files that hold definitions, as they were named, sorted.
    pub files: Vec<String>,
    /// How many workloads they define.
    pub workloads: usize,
    /// What should be otherwise, file by file and line by line.
    pub findings: Vec<Finding>,
    /// Findings that were left out because the user asked for that.
    pub skipped: usize,
    /// What could not be read.
    pub gaps: Vec<Unread>,
    /// For container groups of Azure: how each row of Microsoft's baseline stands.
    pub baseline: Vec<baseline::Outcome>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file as it was named.
    pub file: String,
    /// Counted from one.
    pub line: u32,
    /// Why.
    pub why: String,
}

/// What the report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing speaks against it.
    Pass,
    /// Something does.
    Fail,
    /// Something could not be read or told.
    Undecided,
}

impl Report {
    /// Checks what was read, and holds it to the admission policies in it and in `policies`; `skip` are ids that the user
    /// does not want to hear of.
    pub fn new(read: &Read, policies: &Read, options: Options, skip: &[String]) -> Self {
        let mut findings = checks::run(read, options);
        let judged = validating::judge(read, policies);
        findings.extend(judged.findings);
        checks::sort(&mut findings);
        let before = findings.len();
        findings.retain(|finding| !skip.iter().any(|id| id == finding.id));
        let objects = read.objects.iter().map(|object| object.file.to_string());
        let builds = read.builds.iter().map(|build| build.file.to_string());
        let mut files: Vec<String> = objects.chain(builds).collect();
        files.sort();
        files.dedup();
        let gaps = read.gaps.iter().chain(&policies.gaps).chain(&judged.gaps);
        let unread =
            gaps.map(|gap| Unread { file: gap.file.to_string(), line: gap.line, why: gap.why.clone() });
        Self {
            level: options.level,
            version: options.version.to_string(),
            files,
            workloads: read.workloads.len(),
            skipped: before - findings.len(),
            findings,
            gaps: unread.collect(),
            baseline: baseline::judge(read),
        }
    }

    /// Whether anything of this severity and worse speaks against it. What fails weighs more than what cannot be told.
    pub fn outcome(&self, least: Severity) -> Outcome {
        let bad = |sure: bool| {
            self.findings.iter().any(|finding| finding.sure == sure && finding.severity >= least)
        };
        if bad(true) {
            Outcome::Fail
        } else if bad(false) || !self.gaps.is_empty() {
            Outcome::Undecided
        } else {
            Outcome::Pass
        }
    }
}

/// A format for programs.
#[derive(Debug)]
pub struct Format {
    /// `sarif`
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Writes it; `least` is the severity from which on a finding fails.
    pub write: fn(&Report, Severity) -> serde_json::Result<String>,
}

/// Every format, sorted by name.
pub const FORMATS: &[Format] = &[
    Format {
        name: "json",
        about: "everything, as described by docs/reference/check.schema.json",
        write: |report, _| {
            let mut text = serde_json::to_string_pretty(report)?;
            text.push('\n');
            Ok(text)
        },
    },
    junit::FORMAT,
    sarif::FORMAT,
];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}
