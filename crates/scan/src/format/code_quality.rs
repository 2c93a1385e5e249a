//! GitLab's report of code quality, in the format of Code Climate: `artifacts:reports:codequality`.
//!
//! Unlike the report of container scanning it is shown in every edition of GitLab, beside the changed lines. Vulnerabilities
//! stand at the file that proves the package is there, secrets at their line; what speaks
//! about the whole image stands at `config.json`.

use std::io::{self, Write};

use boltseal_model::{Confidence, Digest, Report, Severity};
use serde::Serialize;

use super::{
    Format,
    identity::fingerprint,
    notice::{leak_place, leaks, line, remedy},
    pretty,
};

/// `gitlab-code-quality`
pub(super) const FORMAT: Format = Format {
    name: "gitlab-code-quality",
    media_type: "application/json",
    extension: "json",
    about: "GitLab's report of code quality",
    write,
};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

impl Location {
    fn at(path: String, begin: usize) -> Self {
        let path = if path.is_empty() { "unknown".to_owned() } else { path };
        Self { path, lines: Lines { begin } }
    }
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut issues: Vec<Issue> = Vec::new();
    for finding in &report.findings {
        issues.push(Issue {
            description: line(&format!(
                "{} in {} {}; {}",
                finding.id,
                finding.package,
                finding.installed,
                remedy(finding)
            )),
            check_name: line(&finding.id),
            fingerprint: fingerprint(finding),
            severity: severity(finding.severity),
            location: Location::at(line(&finding.proof.path), 1),
        });
    }
    for leak in leaks(report) {
        let (path, begin) = leak_place(leak);
        issues.push(Issue {
            description: line(&format!("{} in {} ({})", leak.title, leak.place, leak.confidence.word())),
            check_name: line(&format!("secret/{}", leak.rule)),
            fingerprint: Digest::of(format!("{}\n{}", leak.rule, leak.place).as_bytes()).hex(),
            severity: if leak.confidence >= Confidence::High { "blocker" } else { "critical" },
            location: Location::at(path, begin),
        });
    }
    for file in &report.malware {
        issues.push(Issue {
            description: line(&format!("malicious file: {}", file.name)),
            check_name: "malware".to_owned(),
            fingerprint: Digest::of(format!("malware\n{}\n{}", file.path, file.digest).as_bytes()).hex(),
            severity: "blocker",
            location: Location::at(line(&file.path), 1),
        });
    }
    for one in &report.misconfigurations {
        issues.push(Issue {
            description: line(&format!("{}: {}", one.title, one.found)),
            check_name: line(&format!("image/{}", one.check)),
            fingerprint: Digest::of(format!("image\n{}\n{}", one.check, one.found).as_bytes()).hex(),
            severity: severity(one.severity),
            location: Location::at("config.json".to_owned(), 1),
        });
    }
    pretty(&issues, out)
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium | Severity::Unknown => "major",
        Severity::Low => "minor",
        Severity::Negligible => "info",
    }
}
