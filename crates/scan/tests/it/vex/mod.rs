//! VEX: real documents, what each statement means, what we write, and anything at all.

mod fixtures;
mod meaning;
mod written;

use boltseal_model::{Report, Statement, VexStatus};
use boltseal_scan::vex::{self, Applied, Document, Origin};

#[path = "../../../../../fuzz/bodies/vex.rs"]
mod body;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 12] = [
        b"pkg:oci/debian",
        b"\"@id\":",
        b"null",
        b"[]",
        b"{}",
        b"@",
        b"%",
        b"?",
        b"\"2026-01-02T03:04:05+99:99\"",
        b"-1",
        b"affected",
        b"urn:cdx:#",
    ];
    boltseal_testkit::mutations("vex", &words, 4_000, body::body);
}

/// A report about the image `image` (or a folder, if it is empty) with one finding a line: `ID[=ALIAS] PURL [PATH]`.
fn report(image: &str, findings: &[&str]) -> Report {
    let mut report = crate::format::bare();
    report.packages.clear();
    if let Ok(name) = image.parse::<boltseal_model::Reference>() {
        report.subject.digest = name.digest().cloned().or_else(|| Some(boltseal_model::Digest::of(b"it")));
        report.subject.name = Some(name);
    } else {
        (report.subject.name, report.subject.digest, report.subject.config) = (None, None, None);
    }
    for line in findings {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut finding = crate::format::example().findings[0].clone();
        finding.statements.clear();
        let mut ids = words[0].split('=').map(str::to_owned);
        finding.id = ids.next().unwrap();
        finding.aliases = ids.collect();
        words[1].clone_into(&mut finding.purl);
        words.get(2).copied().unwrap_or("a/file").clone_into(&mut finding.proof.path);
        installed(&mut report, &finding.purl, &finding.proof.path);
        report.findings.push(finding);
    }
    report
}

/// Adds a package.
fn installed(report: &mut Report, purl: &str, path: &str) {
    let package = boltseal_model::Package {
        purl: purl.to_owned(),
        paths: vec![path.to_owned()],
        ..boltseal_model::Package::default()
    };
    report.packages.push(package);
}

/// A document the user gave.
fn given(text: &[u8]) -> Document {
    vex::read(text, "a.json", Origin::Given).unwrap()
}

/// What becomes of each finding, by its id: the status by which it was set aside, or what is noted beside it.
fn outcome(documents: &[Document], mut report: Report) -> (Applied, Vec<String>) {
    let applied = vex::apply(documents, &mut report, &[]);
    let said = |statements: &[Statement]| -> Vec<&str> {
        statements.iter().map(|said| said.status.word()).collect()
    };
    let kept = report.findings.iter().map(|one| format!("{}: {}", one.id, said(&one.statements).join(", ")));
    let gone = report.omitted.ignored.iter().map(|one| {
        let statement = one.statement.as_ref().unwrap();
        assert!(statement.status.is_harmless() && !statement.author.is_empty());
        assert_eq!(one.reason.is_some(), statement.reason.is_some() || statement.justification.is_some());
        format!("{} gone: {}", one.finding.id, statement.status.word())
    });
    let mut lines: Vec<String> = kept.chain(gone).map(|line| line.trim_end().to_owned()).collect();
    lines.sort();
    (applied, lines)
}

/// An OpenVEX document with statements as JSON.
fn openvex(author: &str, time: &str, statements: &str) -> Document {
    given(
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.com/{author}{time}","author":"{author}",
                "timestamp":"2026-01-{time}T00:00:00Z","version":1,"statements":[{statements}]}}"#
        )
        .as_bytes(),
    )
}

/// A statement about CVE-1.
fn says(status: VexStatus, product: &str) -> String {
    let why =
        if status == VexStatus::NotAffected { r#","justification":"component_not_present""# } else { "" };
    format!(
        r#"{{"vulnerability":{{"name":"CVE-1"}},"status":"{}"{why},"products":[{product}]}}"#,
        status.word()
    )
}
