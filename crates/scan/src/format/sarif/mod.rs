//! SARIF 2.1.0 (OASIS, errata 01): what code hosts show beside the code.
//!
//! A rule is a vulnerability, a result is one package that has it, placed at the file that proves the package is
//! there. Fingerprints leave the version out, so that an upgrade that does not help is not a new alert. Gaps in
//! coverage are notifications of the invocation, findings that are ignored or that a VEX document excuses are results with
//! a suppression. Credentials are results too, of rules called `secret/…`, and so is a distribution past the end of its
//! support, `end-of-life`.

mod ended;
mod leaks;
mod shape;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    io::{self, Write},
};

use boltseal_model::{Finding, Report, Severity};

use self::shape::{
    ArtifactLocation, BaseId, BaseIds, Configuration, Descriptor, Driver, Fingerprints, Help, Id, Invocation,
    Location, Log, LogicalLocation, Notification, Outcome, OutcomeProperties, PhysicalLocation, Properties,
    Region, Rule, RuleProperties, Run, RunProperties, Suppression, Text, Tool,
};
use super::{
    Format,
    identity::{TOOL, TOOL_VERSION, fingerprint, image_name, is_url},
    pretty,
};

/// `sarif`
pub(super) const FORMAT: Format = Format {
    name: "sarif",
    media_type: "application/sarif+json",
    extension: "json",
    about: "SARIF 2.1.0, for code hosts and editors",
    write,
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let ignored = report.omitted.ignored.iter().map(|ignored| &ignored.finding);
    let mut by_id: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings.iter().chain(ignored) {
        by_id.entry(&finding.id).or_default().push(finding);
    }
    let index: BTreeMap<&str, usize> = by_id.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut results: Vec<Outcome<'_>> =
        report.findings.iter().filter_map(|finding| outcome(finding, &index, Vec::new())).collect();
    for ignored in &report.omitted.ignored {
        let said = ignored.statement.as_ref().map(|statement| Cow::Owned(statement.sentence()));
        let justification = said.or_else(|| ignored.reason.as_deref().map(Cow::Borrowed));
        let suppression = Suppression { kind: "external", status: "accepted", justification };
        results.extend(outcome(&ignored.finding, &index, vec![suppression]));
    }
    let mut rules: Vec<Rule<'_>> = by_id.iter().filter_map(|(id, findings)| rule(id, findings)).collect();
    leaks::add(report, &mut rules, &mut results);
    ended::add(report, &mut rules, &mut results);
    let run = Run {
        tool: Tool { driver: Driver { name: TOOL, version: TOOL_VERSION, rules } },
        // The slash at the end makes it a category (SARIF 3.17.3): runs on the same image replace each other.
        automation_details: Id { id: format!("{TOOL}/{}/", image_name(&report.subject)) },
        invocations: [invocation(report)],
        original_uri_base_ids: BaseIds {
            image: BaseId { uri: "file:///", description: text("the root of the image's file system") },
        },
        column_kind: "unicodeCodePoints",
        results,
        properties: RunProperties {
            subject: &report.subject,
            snapshot: report.snapshot.as_ref().map(|snapshot| snapshot.id.as_str()),
            complete: report.coverage.complete,
            verdict: report.verdict.as_ref(),
        },
    };
    pretty(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] }, out)
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

fn invocation(report: &Report) -> Invocation<'_> {
    let notification = |gap: &'_ boltseal_model::Gap| Notification {
        descriptor: Descriptor { id: gap.kind.word() },
        level: "warning",
        message: text(format!("{}: {}", gap.subject, gap.detail)),
    };
    Invocation {
        execution_successful: true,
        tool_execution_notifications: report.coverage.gaps.iter().map(notification).collect(),
    }
}

/// One vulnerability, described by its worst finding.
fn rule<'a>(id: &'a str, findings: &[&'a Finding]) -> Option<Rule<'a>> {
    let worst = findings.iter().max_by_key(|finding| finding.severity)?;
    let mut fixes: Vec<&str> =
        findings.iter().filter_map(|finding| Some(finding.fix.as_ref()?.command.as_str())).collect();
    fixes.sort_unstable();
    fixes.dedup();
    let title = if worst.title.is_empty() { id } else { &worst.title };
    let mut tags = vec!["vulnerability".to_owned(), "security".to_owned(), worst.severity.word().to_owned()];
    if worst.kev.is_some() {
        tags.push("known-exploited".to_owned());
    }
    Some(Rule {
        id: id.into(),
        short_description: text(title),
        help_uri: worst.references.iter().find(|url| is_url(url)).map(String::as_str),
        help: help(id, worst, title, &fixes),
        default_configuration: Configuration { level: level(worst.severity) },
        properties: RuleProperties { security_severity: score(worst), tags },
    })
}

fn help(id: &str, worst: &Finding, title: &str, fixes: &[&str]) -> Help {
    let mut lines = vec![format!("{id}: {title}"), format!("Severity: {}", worst.severity)];
    if !worst.aliases.is_empty() {
        lines.push(format!("Also known as: {}", worst.aliases.join(", ")));
    }
    if let Some(kev) = &worst.kev {
        lines.push(format!("Known to be exploited since {} or earlier", kev.added));
    }
    if fixes.is_empty() {
        lines.push("No fix is known".to_owned());
    }
    let mut plain = lines.join("\n");
    // Markdown needs two line feeds between paragraphs, and may not contain what looks like HTML.
    let mut markdown = lines.join("\n\n").replace('<', "&lt;");
    for fix in fixes {
        plain = format!("{plain}\nFix: {fix}");
        markdown = format!("{markdown}\n\nFix:\n\n    {}", fix.replace('\n', "\n    "));
    }
    for url in worst.references.iter().filter(|url| is_url(url)) {
        plain = format!("{plain}\n{url}");
        markdown = format!("{markdown}\n\n<{url}>");
    }
    Help { text: plain, markdown }
}

/// A number in the band of *our* severity: the vector's where it agrees, the band's lowest where it does not.
fn score(finding: &Finding) -> String {
    let agrees = |score: f64| Severity::of_score(score) == finding.severity;
    let scores = finding.cvss.iter().map(|cvss| cvss.score).filter(|score| agrees(*score));
    let score = scores.max_by(f64::total_cmp).unwrap_or(match finding.severity {
        Severity::Critical => 9.0,
        Severity::High => 7.0,
        // Nobody has rated it; shown in the middle rather than as harmless.
        Severity::Medium | Severity::Unknown => 4.0,
        Severity::Low => 0.1,
        Severity::Negligible => 0.0,
    });
    format!("{score:.1}")
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Negligible => "note",
    }
}

fn outcome<'a>(
    finding: &'a Finding,
    index: &BTreeMap<&str, usize>,
    suppressions: Vec<Suppression<'a>>,
) -> Option<Outcome<'a>> {
    let fix = finding.fix.as_ref().map(|fix| fix.command.as_str());
    let fixed = finding.fixed.as_ref().map_or_else(
        || "no fix is known".to_owned(),
        |fixed| format!("fixed in {fixed}{}", fix.map(|fix| format!(": {fix}")).unwrap_or_default()),
    );
    Some(Outcome {
        rule_id: finding.id.as_str().into(),
        rule_index: *index.get(finding.id.as_str())?,
        level: level(finding.severity),
        message: text(format!(
            "{} {} has {} ({}); {fixed}",
            finding.package, finding.installed, finding.id, finding.severity
        )),
        locations: [location(finding)],
        partial_fingerprints: Fingerprints {
            vulnerability_in_package: Some(fingerprint(finding)),
            ..Fingerprints::default()
        },
        suppressions,
        properties: Properties::Finding(OutcomeProperties {
            installed: &finding.installed,
            fixed: finding.fixed.as_deref(),
            fix,
            severity: finding.severity,
            status: finding.status,
            exploited: finding.kev.is_some(),
            epss: finding.epss.map(|epss| epss.score),
            proof: &finding.proof,
            statements: &finding.statements,
        }),
    })
}

fn location(finding: &Finding) -> Location<'_> {
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: relative_uri(&finding.proof.path),
                uri_base_id: "IMAGE",
            },
            region: Region { start_line: 1 },
        },
        logical_locations: Some([LogicalLocation {
            name: &finding.package,
            fully_qualified_name: &finding.purl,
            kind: "package",
        }]),
    }
}

/// RFC 3986 path: unreserved characters and `/` as they are, the rest escaped; a colon too, which could look like a
/// scheme.
fn relative_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/+@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = fmt::Write::write_fmt(&mut uri, format_args!("%{byte:02X}"));
        }
    }
    uri
}
