//! `JUnit` XML: a suite a file, a test a finding; what could not be read or told is an error.

use std::fmt::Write as _;

use boltseal_model::Severity;

use super::{Format, Report, Unread};
use crate::checks::Finding;

pub(super) const FORMAT: Format = Format {
    name: "junit",
    about: "JUnit XML, for lists of tests in any CI",
    write: |report, least| Ok(write(report, least)),
};

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Broken,
}

fn end(finding: &Finding, least: Severity) -> End {
    match (finding.severity >= least, finding.sure) {
        (true, true) => End::Failed,
        (true, false) => End::Broken,
        (false, _) => End::Passed,
    }
}

fn write(report: &Report, least: Severity) -> String {
    let mut files: Vec<&str> = report.files.iter().map(String::as_str).collect();
    files.extend(report.gaps.iter().map(|gap| gap.file.as_str()));
    files.sort_unstable();
    files.dedup();
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"boltseal check\">\n");
    for file in files {
        let findings: Vec<&Finding> = report.findings.iter().filter(|one| one.file == file).collect();
        let gaps: Vec<&Unread> = report.gaps.iter().filter(|gap| gap.file == file).collect();
        suite(file, &findings, &gaps, least, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(file: &str, findings: &[&Finding], gaps: &[&Unread], least: Severity, out: &mut String) {
    let count = |wanted: End| findings.iter().filter(|finding| end(finding, least) == wanted).count();
    let clean = usize::from(findings.is_empty() && gaps.is_empty());
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        escape(file),
        findings.len() + gaps.len() + clean,
        count(End::Failed),
        count(End::Broken) + gaps.len(),
    );
    if clean == 1 {
        let _ = writeln!(out, "    <testcase classname=\"{}\" name=\"nothing found\"/>", escape(file));
    }
    for finding in findings {
        let text = format!(
            "{}:{} {} {}; {} To fix it: {}",
            finding.file, finding.line, finding.path, finding.found, finding.why, finding.fix
        );
        let (text, kind) = (escape(&text), finding.severity.word());
        let name = escape(&format!("{}: {}", finding.subject, finding.found));
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{name}\">", escape(finding.id));
        let _ = match end(finding, least) {
            End::Passed => write!(out, "<system-out>{text}</system-out>"),
            End::Failed => write!(out, "<failure type=\"{kind}\" message=\"{name}\">{text}</failure>"),
            End::Broken => write!(out, "<error type=\"{kind}\" message=\"{name}\">{text}</error>"),
        };
        out.push_str("</testcase>\n");
    }
    for gap in gaps {
        let why = escape(&gap.why);
        let _ = writeln!(
            out,
            "    <testcase classname=\"unread\" name=\"line {}\"><error type=\"unread\" message=\"{why}\"/></testcase>",
            gap.line
        );
    }
    out.push_str("  </testsuite>\n");
}

/// XML 1.0 has no way to write control characters; they are replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(' '),
            sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}
