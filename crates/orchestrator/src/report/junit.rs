//! `JUnit` XML: a suite a file, a test a finding; what could not be read or told is an error.

use boltseal_junit::{Case, End, Suite, Told, written};
use boltseal_model::Severity;

use super::{Format, Report, Unread};
use crate::checks::Finding;

pub(super) const FORMAT: Format = Format {
    name: "junit",
    about: "JUnit XML, for lists of tests in any CI",
    write: |report, least| Ok(write(report, least)),
};

fn write(report: &Report, least: Severity) -> String {
    let mut files: Vec<&str> = report.files.iter().map(String::as_str).collect();
    files.extend(report.gaps.iter().map(|gap| gap.file.as_str()));
    files.sort_unstable();
    files.dedup();
    let suites: Vec<Suite<'_>> = files.into_iter().map(|file| suite(report, file, least)).collect();
    written("boltseal check", &suites)
}

fn suite<'r>(report: &'r Report, file: &'r str, least: Severity) -> Suite<'r> {
    let findings = report.findings.iter().filter(|finding| finding.file == file);
    let gaps = report.gaps.iter().filter(|gap| gap.file == file);
    let mut cases: Vec<Case<'_>> =
        findings.map(|finding| of_finding(finding, least)).chain(gaps.map(of_gap)).collect();
    if cases.is_empty() {
        cases.push(Case::new(file, "nothing found", End::passed("")));
    }
    Suite { name: file.to_owned(), cases }
}

fn of_finding(finding: &Finding, least: Severity) -> Case<'_> {
    let text = format!(
        "{}:{} {} {}; {} To fix it: {}",
        finding.file, finding.line, finding.path, finding.found, finding.why, finding.fix
    );
    let name = format!("{}: {}", finding.subject, finding.found);
    let told = |text| Told::new(finding.severity.word(), name.clone(), text);
    let end = match (finding.severity >= least, finding.sure) {
        (true, true) => End::Failed(told(text)),
        (true, false) => End::Broken(told(text)),
        (false, _) => End::passed(text),
    };
    Case::new(finding.id, name, end).at(&*finding.file, finding.line.into())
}

fn of_gap(gap: &Unread) -> Case<'_> {
    let end = End::Broken(Told::new("unread", &*gap.why, ""));
    Case::new("unread", format!("line {}", gap.line), end).at(&*gap.file, gap.line.into())
}
