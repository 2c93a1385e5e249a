//! A summary in Markdown: for the page of a run, a merge request, or a chat.
//!
//! Everything an image says is escaped as numeric character references, which no dialect reads as markup, a link or a
//! mention. Lists are short; what they lack is counted, and the report has it.

use std::io::{self, Write};

use boltseal_model::{Decision, Finding, Report, Verdict};

use super::{
    Format,
    notice::{beside, count, counts, cut, leaks, left_out},
};

/// `markdown`
pub(super) const FORMAT: Format = Format {
    name: "markdown",
    media_type: "text/markdown; charset=utf-8",
    extension: "md",
    about: "A summary in Markdown, for pages of runs and merge requests",
    write,
};

/// Rows of a list. A page of a run holds 1 MiB, and nobody reads more.
const MAX_ROWS: usize = 50;
/// Characters of a cell.
const MAX_CELL: usize = 300;

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let subject = &report.subject;
    let word = report.verdict.as_ref().map_or("scanned", |verdict| word(verdict.decision));
    writeln!(out, "## Boltseal: {word}\n")?;
    write!(out, "<code>{}</code>", escape(&subject.reference))?;
    if let Some(digest) = subject.digest.as_ref().or(subject.config.as_ref()) {
        write!(out, " <code>{}</code>", escape(&digest.to_string()))?;
    }
    writeln!(out, "\n")?;
    if let Some(verdict) = &report.verdict {
        reasons(verdict, out)?;
    }
    numbers(report, out)?;
    findings(&report.findings, out)?;
    secrets(report, out)?;
    image(report, out)?;
    ignored(report, out)?;
    coverage(report, out)
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::Warn => "allowed, with warnings",
        Decision::Unknown => "refused, because it cannot be decided",
        Decision::Deny => "denied",
    }
}

fn reasons(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Policy <code>{}</code>.\n", escape(&verdict.policy))?;
    if verdict.reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "| | rule | found | fix |\n|---|---|---|---|")?;
    for reason in verdict.reasons.iter().take(MAX_ROWS) {
        let fix = reason.fix.as_ref().map(|fix| format!("<code>{}</code>", escape(fix))).unwrap_or_default();
        let pardon = reason.exception.as_ref();
        let pardon = pardon.map(|text| format!("; exception: {}", escape(text))).unwrap_or_default();
        let (rule, found) = (escape(&reason.rule), escape(&reason.found));
        writeln!(out, "| {} | {rule} | {found}{pardon} | {fix} |", reason.decision.word())?;
    }
    more(verdict.reasons.len(), out)
}

fn numbers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let by_severity: Vec<String> =
        counts(report).iter().map(|(word, number)| format!("{number} {word}")).collect();
    write!(out, "**{}**", count(report.findings.len() as u64, "finding"))?;
    if !by_severity.is_empty() {
        write!(out, ": {}", by_severity.join(", "))?;
    }
    let fixable = report.findings.iter().filter(|finding| finding.fix.is_some()).count();
    let exploited = report.findings.iter().filter(|finding| finding.kev.is_some()).count();
    for (number, word) in [(fixable, "fixable"), (exploited, "known to be exploited")] {
        if number > 0 {
            write!(out, " · {number} {word}")?;
        }
    }
    for words in beside(report).into_iter().chain(left_out(report)) {
        write!(out, " · {}", escape(&words))?;
    }
    writeln!(out, "\n")
}

fn findings(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "| severity | vulnerability | package | installed | fixed in |\n|---|---|---|---|---|")?;
    for finding in findings.iter().take(MAX_ROWS) {
        let exploited = if finding.kev.is_some() { ", exploited" } else { "" };
        let fixed = finding.fixed.as_deref().map_or_else(|| finding.status.word().to_owned(), escape);
        writeln!(
            out,
            "| {}{exploited} | {} | {} | {} | {fixed} |",
            finding.severity,
            escape(&finding.id),
            escape(&finding.package),
            escape(&finding.installed)
        )?;
    }
    more(findings.len(), out)
}

fn secrets(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let number = leaks(report).count();
    if number == 0 {
        return Ok(());
    }
    writeln!(out, "**{}**\n\n| | where | what |\n|---|---|---|", count(number as u64, "secret"))?;
    for leak in leaks(report).take(MAX_ROWS) {
        let place = escape(&leak.place.to_string());
        writeln!(out, "| {} | {place} | {} |", leak.confidence.word(), escape(&leak.title))?;
    }
    more(number, out)
}

fn image(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for file in report.malware.iter().take(MAX_ROWS) {
        writeln!(out, "- **malicious file**: {}: {}", escape(&file.path), escape(&file.name))?;
    }
    for one in report.misconfigurations.iter().take(MAX_ROWS) {
        writeln!(out, "- {}: {}: {}", one.severity, escape(&one.title), escape(&one.found))?;
    }
    if report.malware.is_empty() && report.misconfigurations.is_empty() {
        return Ok(());
    }
    more(report.malware.len().max(report.misconfigurations.len()), out)
}

fn ignored(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let ignored = &report.omitted.ignored;
    if ignored.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{} ignored</summary>\n", ignored.len())?;
    writeln!(out, "| severity | vulnerability | package | until | why |\n|---|---|---|---|---|")?;
    for one in ignored.iter().take(MAX_ROWS) {
        let finding = &one.finding;
        let until = one.until.map(|day| day.to_string()).unwrap_or_default();
        let (id, package) = (escape(&finding.id), escape(&finding.package));
        let reason = escape(one.reason.as_deref().unwrap_or("no reason given"));
        writeln!(out, "| {} | {id} | {package} | {until} | {reason} |", finding.severity)?;
    }
    more(ignored.len(), out)?;
    writeln!(out, "</details>\n")
}

fn coverage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let gaps = &report.coverage.gaps;
    if gaps.is_empty() {
        return writeln!(out, "Coverage: complete.");
    }
    writeln!(out, "**Coverage: incomplete, {}**\n", count(gaps.len() as u64, "gap"))?;
    for gap in gaps.iter().take(MAX_ROWS) {
        writeln!(out, "- {}: {}: {}", gap.kind.word(), escape(&gap.subject), escape(&gap.detail))?;
    }
    more(gaps.len(), out)
}

/// Ends a list, and counts what it lacks.
fn more(number: usize, out: &mut dyn Write) -> io::Result<()> {
    match number.saturating_sub(MAX_ROWS) {
        0 => writeln!(out),
        rest => writeln!(out, "\n… and {rest} more; the report has all.\n"),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in cut(text, MAX_CELL).chars() {
        if "\\`*_[]<>|~@&#$!:^={}\"'".contains(sign) {
            // Writing to a String cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut out, format_args!("&#{};", u32::from(sign)));
        } else {
            out.push(sign);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        for (text, expected) in [
            ("a|b", "a&#124;b"),
            ("<img src=x>", "&#60;img src&#61;x&#62;"),
            ("@all\n\n# head", "&#64;all &#35; head"),
            ("[x](https://example.com)", "&#91;x&#93;(https&#58;//example.com)"),
            ("`code`", "&#96;code&#96;"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }
}
