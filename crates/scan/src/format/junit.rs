//! `JUnit` XML, which every CI shows as a list of tests.
//!
//! The policy is a suite and each of its reasons a test: `deny` fails it, `unknown` is an error, `warn` passes with a
//! note. Vulnerabilities, secrets and what else was seen in the image are suites of their own; where a policy has decided they pass and say what they are,
//! so that nothing fails twice, and without one they fail. What was ignored is skipped, with the reason.

use std::io::{self, Write};

use boltseal_model::{Decision, Finding, Ignored, Leak, Report, Verdict};

use super::{
    Format,
    notice::{cut, is_hostile, leaks, line, remedy},
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

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Broken,
    Skipped,
}

struct Case {
    class: String,
    name: String,
    end: End,
    /// `deny`, `critical`, …
    kind: &'static str,
    text: String,
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

impl Suite {
    fn count(&self, end: End) -> usize {
        self.cases.iter().filter(|case| case.end == end).count()
    }
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let judged = report.verdict.is_some();
    let mut suites: Vec<Suite> = report.verdict.iter().map(policy).collect();
    let findings = report.findings.iter().map(|finding| of_finding(finding, judged));
    let ignored = report.omitted.ignored.iter().map(of_ignored);
    suites.push(Suite { name: "vulnerabilities".to_owned(), cases: findings.chain(ignored).collect() });
    suites.push(Suite {
        name: "secrets".to_owned(),
        cases: leaks(report).map(|leak| of_leak(leak, judged)).collect(),
    });
    let making = report.misconfigurations.iter().map(|one| Case {
        class: format!("image.{}", one.check),
        name: format!("{}: {}", one.title, one.found),
        end: End::Passed,
        kind: one.severity.word(),
        text: format!("{}: {}; {}", one.severity, one.found, one.fix),
    });
    let malware = report.malware.iter().map(|file| Case {
        class: "image.malware".to_owned(),
        name: format!("{} in {}", file.name, file.path),
        end: if judged { End::Passed } else { End::Failed },
        kind: "malware",
        text: format!("{} is {} ({})", file.path, file.name, file.digest),
    });
    suites.push(Suite { name: "image".to_owned(), cases: malware.chain(making).collect() });
    let sum = |end| suites.iter().map(|suite| suite.count(end)).sum::<usize>();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\">",
        escape(&line(&format!("boltseal {}", report.subject.reference))),
        sum(End::Failed),
        sum(End::Broken)
    )?;
    for suite in &suites {
        write_suite(suite, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn write_suite(suite: &Suite, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        escape(&line(&suite.name)),
        suite.cases.len(),
        suite.count(End::Failed),
        suite.count(End::Broken),
        suite.count(End::Skipped)
    )?;
    for case in &suite.cases {
        write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\">",
            escape(&line(&case.class)),
            escape(&line(&case.name))
        )?;
        let text = escape(&cut(&case.text, MAX_TEXT));
        let message = escape(&line(&case.name));
        match case.end {
            End::Passed => write!(out, "<system-out>{text}</system-out>")?,
            End::Failed => {
                write!(out, "<failure type=\"{}\" message=\"{message}\">{text}</failure>", case.kind)?;
            }
            End::Broken => write!(out, "<error type=\"{}\" message=\"{message}\">{text}</error>", case.kind)?,
            End::Skipped => write!(out, "<skipped message=\"{text}\"/>")?,
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

fn policy(verdict: &Verdict) -> Suite {
    let class = format!("policy.{}", verdict.policy);
    let mut cases: Vec<Case> = Vec::new();
    for reason in &verdict.reasons {
        let fix = reason.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        let pardon = reason.exception.as_ref().map(|text| format!("; exception: {text}")).unwrap_or_default();
        cases.push(Case {
            class: class.clone(),
            name: format!("{}: {}", reason.rule, reason.found),
            end: match reason.decision {
                Decision::Deny => End::Failed,
                Decision::Unknown => End::Broken,
                Decision::Allow | Decision::Warn => End::Passed,
            },
            kind: reason.decision.word(),
            text: format!(
                "{}: {}; wanted: {}{fix}{pardon}",
                reason.decision.word(),
                reason.found,
                reason.wanted
            ),
        });
    }
    if cases.is_empty() {
        let word = verdict.decision.word();
        let (name, text) = (format!("the policy says {word}"), word.to_owned());
        cases.push(Case { class, name, end: End::Passed, kind: word, text });
    }
    Suite { name: format!("policy {}", verdict.policy), cases }
}

fn of_finding(finding: &Finding, judged: bool) -> Case {
    Case {
        class: format!("vulnerabilities.{}", finding.package),
        name: name(finding),
        end: if judged { End::Passed } else { End::Failed },
        kind: finding.severity.word(),
        text: format!(
            "{}; {}; {}; in {} because {}",
            finding.severity,
            finding.title,
            remedy(finding),
            finding.proof.path,
            finding.proof.comparison
        ),
    }
}

fn of_ignored(ignored: &Ignored) -> Case {
    let until = ignored.until.map(|day| format!(" until {day}")).unwrap_or_default();
    let reason = ignored.reason.as_deref().unwrap_or("no reason given");
    Case {
        class: format!("vulnerabilities.{}", ignored.finding.package),
        name: name(&ignored.finding),
        end: End::Skipped,
        kind: ignored.finding.severity.word(),
        text: format!("ignored{until}: {reason}"),
    }
}

fn name(finding: &Finding) -> String {
    format!("{} in {} {} ({})", finding.id, finding.package, finding.installed, finding.proof.path)
}

fn of_leak(leak: &Leak, judged: bool) -> Case {
    Case {
        class: format!("secrets.{}", leak.rule),
        name: format!("{} in {}", leak.title, leak.place),
        end: if judged { End::Passed } else { End::Failed },
        kind: leak.confidence.word(),
        text: format!("{} in {} ({})", leak.title, leak.place, leak.confidence.word()),
    }
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
            sign if is_hostile(sign) => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}
