//! SARIF 2.1.0 (OASIS, errata 01): a rule is a check, a result one place; fingerprints leave the line out, so that a place
//! that moves is no new alert.

use std::{collections::BTreeMap, fmt::Write as _};

use boltseal_model::{Digest, Severity};
use serde_json::{Value, json};

use super::{Format, Report, Unread};
use crate::checks::Finding;

pub(super) const FORMAT: Format = Format { name: "sarif", about: "SARIF 2.1.0, for code hosts", write };

fn write(report: &Report, least: Severity) -> serde_json::Result<String> {
    let mut rules: Vec<Value> = Vec::new();
    let mut index = BTreeMap::new();
    for finding in &report.findings {
        index.entry(finding.id).or_insert_with(|| {
            rules.push(rule(finding, least));
            rules.len() - 1
        });
    }
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, index.get(finding.id).copied().unwrap_or_default(), least))
        .collect();
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "boltseal",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": report.gaps.is_empty(),
                "toolExecutionNotifications": report.gaps.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    });
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn rule(finding: &Finding, least: Severity) -> Value {
    let score = match finding.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Negligible | Severity::Unknown => "0.0",
    };
    json!({
        "id": finding.id,
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.why},
        "help": {"text": format!("{} To fix it: {}.", finding.why, finding.fix)},
        "defaultConfiguration": {"level": level(finding, least)},
        "properties": {"security-severity": score, "tags": ["security"], "sources": finding.sources},
    })
}

fn level(finding: &Finding, least: Severity) -> &'static str {
    match (finding.severity >= least, finding.sure) {
        (true, true) => "error",
        (true, false) => "warning",
        (false, _) => "note",
    }
}

fn result(finding: &Finding, rule_index: usize, least: Severity) -> Value {
    let unsure = if finding.sure { "" } else { " (cannot be told from the file)" };
    let place = format!("{}\n{}\n{}\n{}", finding.id, finding.file, finding.subject, finding.path);
    json!({
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "level": level(finding, least),
        "message": {"text": format!(
            "{}: {}{unsure}. To fix it: {}.", finding.subject, finding.found, finding.fix
        )},
        "locations": [location(&finding.file, finding.line, Some(&finding.path))],
        "partialFingerprints": {"definition/v1": Digest::of(place.as_bytes()).hex()},
    })
}

fn location(file: &str, line: u32, path: Option<&str>) -> Value {
    let mut location = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(file)},
        "region": {"startLine": line.max(1)},
    }});
    if let (Some(path), Some(fields)) = (path.filter(|path| !path.is_empty()), location.as_object_mut()) {
        fields.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": path, "kind": "member"}]));
    }
    location
}

fn notification(gap: &Unread) -> Value {
    json!({
        "level": "error",
        "message": {"text": gap.why},
        "locations": [location(&gap.file, gap.line, None)],
    })
}

/// RFC 3986: what may stand in a path stands for itself.
fn uri(file: &str) -> String {
    let mut out = String::with_capacity(file.len());
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'@'
            | b'+'
            | b'=' => {
                out.push(char::from(byte));
            }
            b'\\' => out.push('/'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
