//! What was found in definitions, for people: file by file, the worst first.

use std::{collections::BTreeMap, fmt::Write as _};

use boltseal_model::Severity;
use boltseal_orchestrator::{
    checks::{Finding, aci::baseline::Standing},
    report::Report,
};

use super::paint::{Paint, clean, count, wrap};

/// The whole report; `least` is the severity from which on a finding fails.
pub fn table(report: &Report, least: Severity, paint: Paint) -> String {
    let mut out = String::new();
    for file in &report.files {
        let mut findings: Vec<&Finding> = report.findings.iter().filter(|one| one.file == *file).collect();
        if findings.is_empty() {
            continue;
        }
        findings.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.line));
        let _ = writeln!(out, "{}", paint.bold(&clean(file)));
        for finding in findings {
            one(finding, paint, &mut out);
        }
        out.push('\n');
    }
    baseline(report, paint, &mut out);
    for gap in &report.gaps {
        let place = format!("{}:{}", clean(&gap.file), gap.line);
        let _ = writeln!(out, "{} {place}: {}", paint.alarm("not read:"), clean(&gap.why));
    }
    summary(report, least, paint, &mut out);
    out
}

fn one(finding: &Finding, paint: Paint, out: &mut String) {
    let word = finding.severity.word();
    let pad = 10usize.saturating_sub(word.len());
    let unsure = if finding.sure { "" } else { " (cannot be told from the file)" };
    let level = finding.level.map(|level| format!(", {level}")).unwrap_or_default();
    let _ = writeln!(
        out,
        "  {}{:pad$}{} {}",
        paint.severity(finding.severity, word),
        "",
        paint.bold(finding.id),
        paint.dim(&format!("(line {}, {}{level})", finding.line, clean(&finding.subject)))
    );
    let what = format!("{}{unsure}", finding.found);
    let _ = writeln!(out, "            {}", wrap(&what, paint.width, 12));
    if !finding.path.is_empty() {
        let _ = writeln!(out, "            {}", paint.dim(&wrap(&finding.path, paint.width, 12)));
    }
    let _ = writeln!(out, "            {}", wrap(&format!("fix: {}", finding.fix), paint.width, 17));
}

/// Rows that somebody can do something about, and how many there are besides.
fn baseline(report: &Report, paint: Paint, out: &mut String) {
    let mut groups: BTreeMap<(&str, &str), Vec<&_>> = BTreeMap::new();
    for outcome in &report.baseline {
        groups.entry((&outcome.file, &outcome.subject)).or_default().push(outcome);
    }
    for ((file, subject), rows) in groups {
        let number = |wanted: Standing| rows.iter().filter(|row| row.standing == wanted).count();
        let _ = writeln!(
            out,
            "{} {} {}",
            paint.bold("Microsoft's baseline:"),
            clean(subject),
            paint.dim(&format!("({})", clean(file)))
        );
        let words = [
            (Standing::Pass, "pass"),
            (Standing::Fail, "fail"),
            (Standing::Unknown, "cannot be told"),
            (Standing::Manual, "to look at"),
            (Standing::Inherited, "by Microsoft"),
            (Standing::NotSupported, "not supported"),
            (Standing::NotApplicable, "not applicable"),
        ];
        let counts: Vec<String> = words
            .iter()
            .filter(|(standing, _)| number(*standing) > 0)
            .map(|(standing, word)| format!("{} {word}", number(*standing)))
            .collect();
        let _ = writeln!(out, "  {}", counts.join(", "));
        for row in rows.iter().filter(|row| matches!(row.standing, Standing::Fail | Standing::Unknown)) {
            let word = if row.standing == Standing::Fail { "fail" } else { "unknown" };
            let _ = writeln!(out, "  {word:<8} {} {}: {}", row.control, row.feature, row.checks.join(", "));
        }
        out.push('\n');
    }
}

fn summary(report: &Report, least: Severity, paint: Paint, out: &mut String) {
    let counts: Vec<String> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (severity, report.findings.iter().filter(|one| one.severity == severity).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| paint.severity(severity, &format!("{number} {severity}")))
        .collect();
    let mut line = paint.bold(&count(report.findings.len(), "finding"));
    if !counts.is_empty() {
        let _ = write!(line, ": {}", counts.join(", "));
    }
    let _ = writeln!(out, "{line}");
    let _ = writeln!(
        out,
        "{} in {} · pods held to {} of {} · {least} and worse fails",
        count(report.workloads, "workload"),
        count(report.files.len(), "file"),
        report.level,
        report.version
    );
    if report.skipped > 0 {
        let _ = writeln!(out, "{} not shown, as asked", report.skipped);
    }
}
