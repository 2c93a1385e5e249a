//! `JUnit` XML, which every CI shows as a list of tests.
//!
//! The policy is a suite and each of its reasons a test: `deny` fails it, `unknown` is an error, `warn` passes with a
//! note. Vulnerabilities, secrets and what else was seen in the image are suites of their own; where a policy has decided they pass and say what they are,
//! so that nothing fails twice, and without one they fail. What was ignored is skipped, with the reason.

use std::io::{self, Write};

use boltseal_junit::{Case, End, Suite, Told, written};
use boltseal_model::{Decision, Finding, Ignored, Leak, Report, Verdict};

use super::{
    Format,
    notice::{cut, leaks, line, remedy},
};

/// `junit`
pub(super) const FORMAT: Format = Format {
    name: "junit",
    media_type: "application/xml",
    extension: "xml",
    about: "JUnit XML, for lists of tests in any CI",
    write,
};

/// Characters of the text within a test: more than anybody reads in a browser.
const MAX_TEXT: usize = 4_000;

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let judged = report.verdict.is_some();
    let mut suites: Vec<Suite<'_>> = report.verdict.iter().map(policy).collect();
    let findings = report.findings.iter().map(|finding| of_finding(finding, judged));
    let ignored = report.omitted.ignored.iter().map(of_ignored);
    suites.push(Suite { name: "vulnerabilities".to_owned(), cases: findings.chain(ignored).collect() });
    suites.push(Suite {
        name: "secrets".to_owned(),
        cases: leaks(report).map(|leak| of_leak(leak, judged)).collect(),
    });
    let making = report.misconfigurations.iter().map(|one| {
        let text = format!("{}: {}; {}", one.severity, one.found, one.fix);
        let name = format!("{}: {}", one.title, one.found);
        case(&format!("image.{}", one.check), &name, |_| End::passed(cut(&text, MAX_TEXT)))
    });
    let malware = report.malware.iter().map(|file| {
        let name = format!("{} in {}", file.name, file.path);
        let text = format!("{} is {} ({})", file.path, file.name, file.digest);
        case("image.malware", &name, |name| end(judged, "malware", name, &text))
    });
    suites.push(Suite { name: "image".to_owned(), cases: malware.chain(making).collect() });
    out.write_all(written(&line(&format!("boltseal {}", report.subject.reference)), &suites).as_bytes())
}

/// A test whose names are one line each; how it ended may say its name again.
fn case<'c>(class: &str, name: &str, end: impl FnOnce(String) -> End<'c>) -> Case<'c> {
    let (class, name) = (line(class), line(name));
    let ended = end(name.clone());
    Case::new(class, name, ended)
}

/// Where a policy has decided nothing else fails.
fn end<'e>(judged: bool, kind: &'e str, name: String, text: &str) -> End<'e> {
    let text = cut(text, MAX_TEXT);
    if judged { End::passed(text) } else { End::Failed(Told::new(kind, name, text)) }
}

fn policy(verdict: &Verdict) -> Suite<'_> {
    let class = format!("policy.{}", verdict.policy);
    let mut cases: Vec<Case<'_>> = Vec::new();
    for reason in &verdict.reasons {
        let fix = reason.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        let pardon = reason.exception.as_ref().map(|text| format!("; exception: {text}")).unwrap_or_default();
        let kind = reason.decision.word();
        let text = format!("{kind}: {}; wanted: {}{fix}{pardon}", reason.found, reason.wanted);
        let text = cut(&text, MAX_TEXT);
        cases.push(case(&class, &format!("{}: {}", reason.rule, reason.found), |name| {
            match reason.decision {
                Decision::Deny => End::Failed(Told::new(kind, name, text)),
                Decision::Unknown => End::Broken(Told::new(kind, name, text)),
                Decision::Allow | Decision::Warn => End::passed(text),
            }
        }));
    }
    if cases.is_empty() {
        let word = verdict.decision.word();
        cases.push(case(&class, &format!("the policy says {word}"), |_| End::passed(word)));
    }
    Suite { name: line(&format!("policy {}", verdict.policy)), cases }
}

fn of_finding(finding: &Finding, judged: bool) -> Case<'_> {
    let text = format!(
        "{}; {}; {}; in {} because {}",
        finding.severity,
        finding.title,
        remedy(finding),
        finding.proof.path,
        finding.proof.comparison
    );
    case(&format!("vulnerabilities.{}", finding.package), &name(finding), |name| {
        end(judged, finding.severity.word(), name, &text)
    })
}

fn of_ignored(ignored: &Ignored) -> Case<'_> {
    let until = ignored.until.map(|day| format!(" until {day}")).unwrap_or_default();
    let reason = ignored.reason.as_deref().unwrap_or("no reason given");
    let text = format!("ignored{until}: {reason}");
    let class = format!("vulnerabilities.{}", ignored.finding.package);
    case(&class, &name(&ignored.finding), |_| End::skipped(cut(&text, MAX_TEXT)))
}

fn name(finding: &Finding) -> String {
    format!("{} in {} {} ({})", finding.id, finding.package, finding.installed, finding.proof.path)
}

fn of_leak(leak: &Leak, judged: bool) -> Case<'_> {
    let text = format!("{} in {} ({})", leak.title, leak.place, leak.confidence.word());
    case(&format!("secrets.{}", leak.rule), &format!("{} in {}", leak.title, leak.place), |name| {
        end(judged, leak.confidence.word(), name, &text)
    })
}
