//! Every format against the schema of its specification, on the report of `docs/reference` and on bare ones.

mod ci;
mod cyclonedx;
mod own;
mod sarif;
mod spdx;

use std::path::PathBuf;

use boltseal_model::{Coverage, Digest, Finding, Report};
use boltseal_scan::format::{self, Format};
use serde_json::Value;

fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(reference(name)).unwrap()
}

/// The report in which every field there is says something.
pub(crate) fn example() -> Report {
    serde_json::from_str(&read("report.example.json")).unwrap()
}

/// The same image as a bill of materials: matched with nothing, judged by nobody.
pub(crate) fn bare() -> Report {
    let example = example();
    Report {
        snapshot: None,
        findings: Vec::new(),
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: boltseal_model::Omitted::default(),
        verdict: None,
        coverage: Coverage::of(Vec::new()),
        ..example
    }
}

/// A folder with nothing in it that anybody knows.
fn empty() -> Report {
    let mut report = Report { distro: None, layers: Vec::new(), packages: Vec::new(), ..bare() };
    "rootfs:./a folder".clone_into(&mut report.subject.reference);
    (report.subject.name, report.subject.digest, report.subject.config) = (None, None, None);
    report.subject.platform = None;
    report
}

/// What an image may contain to break a document: quotes, markup, control and direction characters, odd paths.
fn hostile() -> Report {
    let mut report = example();
    let evil = "a\"b</script>\u{0}\n\u{1b}[31m\u{202e}é`|%00 ../..";
    for package in &mut report.packages {
        evil.clone_into(&mut package.name);
        package.version = format!("1{evil}");
        package.licenses = vec![evil.to_owned(), "(".repeat(100)];
        package.paths = vec![format!("/{evil}:x"), String::new()];
        package.purl = String::new();
    }
    let ignored = report.omitted.ignored.iter_mut().map(|ignored| &mut ignored.finding);
    for finding in report.findings.iter_mut().chain(ignored) {
        let references = ["https://", "javascript:alert(1)", "https://example.com/a b", "https://[::/", evil];
        *finding = Finding {
            id: evil.to_owned(),
            title: evil.to_owned(),
            package: evil.to_owned(),
            purl: String::new(),
            references: references.map(str::to_owned).to_vec(),
            ..finding.clone()
        };
        finding.proof.path = format!("/{evil}:x");
        evil.clone_into(&mut finding.proof.feed);
    }
    for gap in &mut report.coverage.gaps {
        evil.clone_into(&mut gap.subject);
    }
    report
}

fn reports() -> [(&'static str, Report); 4] {
    [("example", example()), ("bare", bare()), ("empty", empty()), ("hostile", hostile())]
}

pub(crate) fn document(format: &Format, report: &Report) -> Value {
    serde_json::from_str(&format.text(report).unwrap()).unwrap()
}

/// What a schema has to say about a document, one line per complaint.
pub(crate) fn complaints(schema: &jsonschema::Validator, document: &Value) -> Vec<String> {
    schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn formats_are_named_once_and_found_by_name() {
    let names: Vec<&str> = format::ALL.iter().map(|format| format.name).collect();
    assert_eq!(
        names,
        [
            "json",
            "sarif",
            "cyclonedx",
            "spdx",
            "markdown",
            "junit",
            "github",
            "gitlab",
            "gitlab-code-quality",
            "azure"
        ]
    );
    for format in format::ALL {
        assert_eq!(format::by_name(format.name).unwrap().media_type, format.media_type);
        assert!(!format.about.is_empty());
    }
    assert!(format::by_name("JSON").is_none());
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for format in format::ALL {
        for (name, report) in reports() {
            let text = format.text(&report).unwrap();
            assert_eq!(text, format.text(&report.clone()).unwrap(), "{} of {name}", format.name);
            assert!(text.ends_with('\n') && !text.contains('\r'), "{} of {name}", format.name);
        }
    }
}

#[test]
fn documents_of_different_reports_have_different_identities() {
    let mut other = example();
    other.findings.pop();
    for name in ["cyclonedx", "spdx"] {
        let format = format::by_name(name).unwrap();
        let id = |report: &Report| {
            let document = document(format, report);
            document.get("serialNumber").or(document.get("documentNamespace")).unwrap().clone()
        };
        assert_ne!(id(&example()), id(&other), "{name}");
        assert_eq!(id(&example()).as_str().unwrap().len(), "urn:uuid:".len() + 36);
    }
    assert_eq!(Digest::of(b"").hex().len(), 64);
}
