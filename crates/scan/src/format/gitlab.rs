//! GitLab's report of container scanning, schema 15.0.7: `artifacts:reports:container_scanning`.
//!
//! Vulnerabilities only, because the schema knows nothing else; secrets, gaps and the verdict are messages of the scan.
//! The schema wants a beginning and an end of the scan: both are the moment the feeds are of, so that the same report
//! gives the same bytes.

use std::io::{self, Write};

use boltseal_model::{Finding, Report, Severity};
use serde::Serialize;

use super::{
    Format,
    identity::{TOOL, TOOL_VERSION, created, fingerprint, is_url},
    notice::{beside, cut, line, remedy, summary},
    pretty,
};

/// `gitlab`
pub(super) const FORMAT: Format = Format {
    name: "gitlab",
    media_type: "application/json",
    extension: "json",
    about: "GitLab's report of container scanning (schema 15)",
    write,
};

const VERSION: &str = "15.0.7";
/// Limits of the schema, in characters.
const MAX_NAME: usize = 254;
const MAX_SOLUTION: usize = 6_999;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    scan: Scan,
    vulnerabilities: Vec<Vulnerability<'a>>,
    remediations: [(); 0],
}

#[derive(Serialize)]
struct Scan {
    analyzer: Tool,
    scanner: Tool,
    start_time: String,
    end_time: String,
    status: &'static str,
    r#type: &'static str,
    messages: Vec<Message>,
}

#[derive(Clone, Copy, Serialize)]
struct Tool {
    id: &'static str,
    name: &'static str,
    version: &'static str,
    vendor: Named<'static>,
}

#[derive(Clone, Copy, Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    solution: String,
    identifiers: Vec<Identifier>,
    links: Vec<Link<'a>>,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Identifier {
    r#type: String,
    name: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Link<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Location<'a> {
    dependency: Dependency<'a>,
    operating_system: String,
    image: String,
}

#[derive(Serialize)]
struct Dependency<'a> {
    package: Named<'a>,
    version: &'a str,
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let tool = Tool { id: TOOL, name: "Boltseal", version: TOOL_VERSION, vendor: Named { name: "Boltseal" } };
    let moment = created(report).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let system = report.distro.as_ref().map(|distro| line(&format!("{} {}", distro.id, distro.version)));
    let system = system.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    let subject = &report.subject;
    let image = subject.name.as_ref().map_or_else(|| line(&subject.reference), ToString::to_string);
    let image = if image.is_empty() { "unknown".to_owned() } else { image };
    let document = Document {
        version: VERSION,
        scan: Scan {
            analyzer: tool,
            scanner: tool,
            start_time: moment.clone(),
            end_time: moment,
            status: "success",
            r#type: "container_scanning",
            messages: messages(report),
        },
        vulnerabilities: report.findings.iter().map(|one| vulnerability(one, &system, &image)).collect(),
        remediations: [],
    };
    pretty(&document, out)
}

fn messages(report: &Report) -> Vec<Message> {
    let mut messages = vec![Message { level: "info", value: summary(report) }];
    messages.extend(
        beside(report)
            .into_iter()
            .map(|words| Message { level: "warn", value: format!("{words} in the image") }),
    );
    messages.extend(report.coverage.gaps.iter().map(|gap| Message {
        level: "warn",
        value: line(&format!("not looked at: {} {}: {}", gap.kind.word(), gap.subject, gap.detail)),
    }));
    messages
}

fn vulnerability<'a>(finding: &'a Finding, system: &str, image: &str) -> Vulnerability<'a> {
    let title = if finding.title.is_empty() { &finding.id } else { &finding.title };
    let links = finding.references.iter().filter(|url| is_url(url)).map(|url| Link { url });
    Vulnerability {
        id: fingerprint(finding),
        name: cut(&format!("{}: {title}", finding.id), MAX_NAME),
        description: line(&format!(
            "{} in {} {}; {}",
            finding.id, finding.package, finding.installed, finding.proof.comparison
        )),
        severity: match finding.severity {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Negligible => "Info",
            Severity::Unknown => "Unknown",
        },
        solution: cut(&remedy(finding), MAX_SOLUTION),
        identifiers: std::iter::once(&finding.id).chain(&finding.aliases).map(|id| identifier(id)).collect(),
        links: links.collect(),
        location: Location {
            dependency: Dependency { package: Named { name: &finding.package }, version: &finding.installed },
            operating_system: system.to_owned(),
            image: image.to_owned(),
        },
    }
}

fn identifier(id: &str) -> Identifier {
    let id = line(id);
    let id = if id.is_empty() { "unknown".to_owned() } else { id };
    let simple = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let (kind, page) = match id.split('-').next() {
        Some("CVE") => ("cve", "https://nvd.nist.gov/vuln/detail/"),
        Some("GHSA") => ("ghsa", "https://github.com/advisories/"),
        Some("DSA" | "DLA") => ("dsa", "https://security-tracker.debian.org/tracker/"),
        _ => ("advisory", "https://osv.dev/vulnerability/"),
    };
    let url = simple.then(|| format!("{page}{id}"));
    Identifier { r#type: kind.to_owned(), name: id.clone(), value: id, url }
}
