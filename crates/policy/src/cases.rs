//! Tests of a policy: images with what a policy has to decide about them, in a YAML file beside it.
//!
//! ```
//! use boltseal_policy::{Cases, Policy};
//!
//! let cases = Cases::parse("
//! version: 1
//! tests:
//!   - name: an old openssl is refused
//!     image: registry.example.com/shop/web:1
//!     facts:
//!       packages: [{ ecosystem: debian, name: openssl, version: 3.0.11 }]
//!       findings: [{ id: CVE-2024-1, package: openssl, severity: critical, fixed: 3.0.13 }]
//!     expect: deny
//!     reasons: { fixable-critical: '*CVE-2024-1*' }
//! ", &|name| Err(format!("there is no {name}")))?;
//! let outcome = cases.tests()[0].run(Policy::built_in(), "2026-11-23T00:00:00Z".parse().unwrap());
//! assert_eq!(outcome.problems, Vec::<String>::new());
//! # Ok::<(), boltseal_policy::Error>(())
//! ```

use std::collections::BTreeMap;

use boltseal_model::{Decision, Reason, Report, Timestamp};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::{
    Error, Facts, Policy,
    authority::Files,
    decide,
    file::strict,
    given::{self, Given},
    pattern::Wild,
    text::Line,
    unscanned,
};

/// A file of tests with a report or two inside: more belongs into files of its own.
const MAX_TEXT: usize = 4 << 20;
/// More is more than anybody reads when they fail.
const MAX_TESTS: usize = 2_000;

/// Tests of one file.
#[derive(Debug)]
pub struct Cases {
    policy: Option<String>,
    at: Option<Timestamp>,
    tests: Vec<Case>,
}

/// One test.
#[derive(Debug)]
pub struct Case {
    /// What people call it.
    pub name: String,
    /// Its line in the file.
    pub line: u64,
    report: Report,
    scanned: bool,
    expect: Decision,
    reasons: BTreeMap<String, Wild>,
    silent: Vec<String>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The test.
    pub name: String,
    /// Its line in the file.
    pub line: u64,
    /// What it expects.
    pub expected: Decision,
    /// What the policy decides.
    pub decision: Decision,
    /// What is not as expected; empty where it passed.
    pub problems: Vec<String>,
    /// Why the policy decides so.
    pub reasons: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasesFile {
    version: Spanned<u32>,
    policy: Option<Line>,
    at: Option<Timestamp>,
    tests: Vec<Spanned<CaseFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    name: Line,
    image: Option<Line>,
    report: Option<Line>,
    facts: Option<Given>,
    #[serde(default)]
    unscanned: bool,
    expect: Decision,
    #[serde(default)]
    reasons: BTreeMap<String, Wild>,
    #[serde(default)]
    silent: Vec<String>,
}

impl Cases {
    /// Reads a file of tests; `files` gives the text of a report beside it by its name, or says why not.
    pub fn parse(yaml: &str, files: &dyn Fn(&str) -> Result<String, String>) -> Result<Self, Error> {
        if yaml.len() > MAX_TEXT {
            return Err(Error::TooLarge { found: yaml.len(), limit: MAX_TEXT });
        }
        let file: CasesFile = serde_saphyr::from_str_with_options(yaml, strict())?;
        if file.version.value != 1 {
            let problem = format!("version {} is not known: write `version: 1`", file.version.value);
            return Err(Error::Value { line: file.version.referenced.line(), problem });
        }
        if file.tests.is_empty() || file.tests.len() > MAX_TESTS {
            let problem = format!("{} tests: write 1 to {MAX_TESTS}", file.tests.len());
            return Err(Error::Value { line: 1, problem });
        }
        let at = file.at.unwrap_or(Timestamp::UNIX_EPOCH);
        let tests = file.tests.into_iter().map(|test| case(test, at, files)).collect::<Result<_, _>>()?;
        Ok(Self { policy: file.policy.map(|line| line.0), at: file.at, tests })
    }

    /// The policy they are about, by its file in the same folder, where the file says so.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// When they take place, where the file says so.
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// All of them, in the order of the file.
    pub fn tests(&self) -> &[Case] {
        &self.tests
    }
}

impl Case {
    /// Asks `policy` at the moment `now`.
    pub fn run(&self, policy: &Policy, now: Timestamp) -> Outcome {
        let verdict = if self.scanned {
            decide(policy, &Facts::from(&self.report), now)
        } else {
            unscanned(policy, &self.report.subject, now)
        };
        let mut problems = Vec::new();
        if verdict.decision != self.expect {
            problems.push(format!("expected {}, got {}", self.expect.word(), verdict.sentence()));
        }
        for (rule, found) in &self.reasons {
            let of_rule: Vec<&Reason> = verdict.reasons.iter().filter(|one| one.rule == *rule).collect();
            if of_rule.is_empty() {
                problems.push(format!("rule {rule} says nothing{}", unknown(policy, rule)));
            } else if !of_rule.iter().any(|reason| found.fits(&reason.found)) {
                let says: Vec<&str> = of_rule.iter().map(|reason| reason.found.as_str()).collect();
                problems.push(format!(
                    "rule {rule} finds nothing like `{}`: {}",
                    found.text(),
                    says.join("; ")
                ));
            }
        }
        for rule in &self.silent {
            match verdict.reasons.iter().find(|reason| reason.rule == *rule) {
                Some(reason) => problems.push(format!("rule {rule} is not silent: {}", reason.found)),
                None if !unknown(policy, rule).is_empty() => {
                    problems.push(format!("rule {rule} is silent{}", unknown(policy, rule)));
                }
                None => {}
            }
        }
        Outcome {
            name: self.name.clone(),
            line: self.line,
            expected: self.expect,
            decision: verdict.decision,
            problems,
            reasons: verdict.reasons,
        }
    }
}

/// A word about a rule that is not there; nothing about one that is.
fn unknown(policy: &Policy, rule: &str) -> &'static str {
    let known = policy.rules.iter().any(|one| one.name == rule)
        || policy.guard.name == rule
        || policy.unscanned.name == rule;
    if known { "" } else { ", because there is no such rule" }
}

fn case(file: Spanned<CaseFile>, at: Timestamp, files: Files<'_>) -> Result<Case, Error> {
    let line = file.referenced.line();
    let file = file.value;
    let name = file.name.0;
    let wrong = |problem: String| Error::Value { line, problem: format!("test `{name}`: {problem}") };
    let image = file.image.map(|line| line.0);
    let report = match (file.report, file.facts, file.unscanned) {
        (Some(Line(name)), None, false) => {
            let text = files(&name).map_err(wrong)?;
            let mut report: Report = serde_json::from_str(&text).map_err(|error| {
                wrong(format!("{name} is no report of `boltseal scan --format json`: {error}"))
            })?;
            if let Some(image) = &image {
                given::name(&mut report.subject, image);
            }
            report
        }
        (None, facts, unscanned) if !unscanned || facts.is_none() => {
            let image = image.as_deref().ok_or_else(|| wrong("write `image`, or `report`".to_owned()))?;
            facts.unwrap_or_default().report(image, at).map_err(wrong)?
        }
        _ => {
            return Err(wrong("write one of `report` (a file), `facts`, and `unscanned: true`".to_owned()));
        }
    };
    Ok(Case {
        name,
        line,
        report,
        scanned: !file.unscanned,
        expect: file.expect,
        reasons: file.reasons,
        silent: file.silent,
    })
}
