//! What people in front of a build log should see, as a short list: the reasons of the verdict, then what was found.
//!
//! An error is what stops the build and nothing else. With a verdict, its reasons decide: `deny` and `unknown` are
//! errors, `warn` is a warning, and findings say what they are about without failing anything a second time. Without a
//! verdict nobody has decided, and the severity speaks.

use std::collections::HashSet;

use boltseal_model::{
    Confidence, Decision, Finding, GapKind, Leak, Malware, Misconfiguration, Place, Reason, Report, Severity,
};

/// Code hosts show ten of a kind for a step; more lines than this only bury the log. The rest is counted.
const MAX_NOTICES: usize = 60;
/// Characters of a message: a line of a log that people still read.
const MAX_MESSAGE: usize = 600;

/// How loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Stops the build.
    Error,
    /// Should be looked at.
    Warning,
    /// Is good to know.
    Note,
}

/// One line for a build log. Texts are on one line and without control characters.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) level: Level,
    /// The vulnerability, the rule of the policy or of the secret.
    pub(super) code: String,
    pub(super) title: String,
    pub(super) message: String,
    /// A path in the image, and a line from 1.
    pub(super) place: Option<(String, usize)>,
}

/// All of them, loudest first; the last one is a summary.
pub(super) fn notices(report: &Report) -> Vec<Notice> {
    let mut list: Vec<Notice> = Vec::new();
    if let Some(verdict) = &report.verdict {
        list.extend(verdict.reasons.iter().map(reason));
    }
    let mut seen = HashSet::new();
    let fresh = report.findings.iter().filter(|one| seen.insert((&one.id, &one.package, &one.installed)));
    list.extend(fresh.map(|finding| of_finding(report, finding)));
    list.extend(report.malware.iter().map(|file| of_malware(report, file)));
    list.extend(leaks(report).map(|leak| of_leak(report, leak)));
    list.extend(report.misconfigurations.iter().map(|one| of_misconfiguration(report, one)));
    if report.verdict.is_none() {
        list.extend(report.coverage.gaps.iter().map(|gap| Notice {
            level: Level::Warning,
            code: gap.kind.word().to_owned(),
            title: if gap.kind == GapKind::EndOfLife { "end of life" } else { "not looked at" }.to_owned(),
            message: line(&format!("{}: {}", gap.subject, gap.detail)),
            place: None,
        }));
    }
    list.sort_by_key(|notice| notice.level);
    let rest = list.len().saturating_sub(MAX_NOTICES);
    list.truncate(MAX_NOTICES);
    let mut message = summary(report);
    if rest > 0 {
        message = format!("{message}; {rest} more are in the report");
    }
    list.push(Notice {
        level: Level::Note,
        code: "summary".to_owned(),
        title: "Boltseal".to_owned(),
        message,
        place: None,
    });
    list
}

/// `deny by policy shop: 3 findings (1 critical, 2 high), 1 secret in oci:app`
pub(super) fn summary(report: &Report) -> String {
    let verdict = report.verdict.as_ref();
    let verdict = verdict
        .map(|given| format!("{} by policy {}: ", given.decision.word(), given.policy))
        .unwrap_or_default();
    let counts: Vec<String> =
        counts(report).iter().map(|(word, number)| format!("{number} {word}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let beside = beside(report);
    let beside = if beside.is_empty() { String::new() } else { format!(", {}", beside.join(", ")) };
    let findings = count(report.findings.len() as u64, "finding");
    let text = format!("{verdict}{findings}{counts}{beside} in {}", report.subject.reference);
    let left_out = left_out(report);
    let left_out = if left_out.is_empty() { String::new() } else { format!("; {}", left_out.join(", ")) };
    line(&format!("{text}{left_out}"))
}

/// Findings by severity, worst first, without zeros.
pub(super) fn counts(report: &Report) -> Vec<(&'static str, usize)> {
    let number = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let all = Severity::WORST_FIRST.into_iter().map(|severity| (severity.word(), number(severity)));
    all.filter(|(_, number)| *number > 0).collect()
}

/// What there is besides vulnerabilities, in words.
pub(super) fn beside(report: &Report) -> Vec<String> {
    let numbers = [
        (report.malware.len(), "malicious file"),
        (leaks(report).count(), "secret"),
        (report.misconfigurations.len(), "misconfiguration"),
        (report.unowned.len(), "executable of no package"),
    ];
    let words = |(number, word): (usize, &str)| match (number, word.split_once(" of ")) {
        (0, _) => None,
        (2.., Some((first, rest))) => Some(format!("{number} {first}s of {rest}")),
        _ => Some(count(number as u64, word)),
    };
    numbers.into_iter().filter_map(words).collect()
}

/// What the lists lack because somebody asked for that, in words.
pub(super) fn left_out(report: &Report) -> Vec<String> {
    let omitted = &report.omitted;
    let mut words = Vec::new();
    if let Some(baseline) = &omitted.baseline {
        words.push(format!("{} known from {}", baseline.total(), line(&baseline.against)));
    }
    if !omitted.ignored.is_empty() {
        words.push(format!("{} ignored", omitted.ignored.len()));
    }
    if omitted.filtered > 0 {
        words.push(format!("{} not listed", omitted.filtered));
    }
    words
}

/// The credentials to do something about: neither public before nor doubtful.
pub(super) fn leaks(report: &Report) -> impl Iterator<Item = &Leak> {
    report.leaks.iter().flatten().filter(|leak| leak.counts())
}

/// Where a credential lies, as a path and a line.
pub(super) fn leak_place(leak: &Leak) -> (String, usize) {
    match &leak.place {
        Place::File { path, line: number } => (line(path), *number),
        _ => ("config.json".to_owned(), 1),
    }
}

/// `1 finding`, `2 findings`
pub(super) fn count(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// How to get rid of it, in words.
pub(super) fn remedy(finding: &Finding) -> String {
    match (&finding.fix, &finding.fixed) {
        (Some(fix), _) => format!("fixed in {}: {}", fix.version, fix.command),
        (None, Some(fixed)) => format!("fixed in {fixed}"),
        (None, None) => format!("no fix is known ({})", finding.status.word()),
    }
}

/// `text` on one line, without what moves the cursor or turns the direction of writing, and not endless.
pub(super) fn line(text: &str) -> String {
    cut(text, MAX_MESSAGE)
}

/// The same with a limit of its own, in characters.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let space = (!out.is_empty()).then_some(' ');
        for sign in space.into_iter().chain(word.chars()) {
            if length == limit {
                out.push('…');
                return out;
            }
            length += 1;
            out.push(if is_hostile(sign) { '\u{fffd}' } else { sign });
        }
    }
    out
}

/// Control characters, marks of direction, and what is no character at all.
pub(super) fn is_hostile(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(sign, '\u{fffe}' | '\u{ffff}')
}

fn reason(reason: &Reason) -> Notice {
    let mut message = format!("{}; wanted: {}", reason.found, reason.wanted);
    if let Some(fix) = &reason.fix {
        message = format!("{message}; fix: {fix}");
    }
    if let Some(exception) = &reason.exception {
        message = format!("{message}; exception: {exception}");
    }
    Notice {
        level: match reason.decision {
            Decision::Deny | Decision::Unknown => Level::Error,
            Decision::Warn => Level::Warning,
            Decision::Allow => Level::Note,
        },
        code: line(&reason.rule),
        title: line(&format!("{}: {}", reason.decision.word(), reason.rule)),
        message: line(&message),
        place: None,
    }
}

/// Findings fail a build only where nobody else decides.
fn level(report: &Report, severity: Severity) -> Level {
    let passes = report.verdict.as_ref().map(|verdict| verdict.decision.passes());
    match (passes, severity) {
        (None, Severity::Critical | Severity::High) => Level::Error,
        (None, Severity::Medium | Severity::Unknown) | (Some(false), Severity::Critical | Severity::High) => {
            Level::Warning
        }
        _ => Level::Note,
    }
}

fn of_finding(report: &Report, finding: &Finding) -> Notice {
    let exploited = if finding.kev.is_some() { ", known to be exploited" } else { "" };
    let title = if finding.title.is_empty() { String::new() } else { format!(": {}", finding.title) };
    Notice {
        level: level(report, finding.severity),
        code: line(&finding.id),
        title: line(&format!("{} in {} {}", finding.id, finding.package, finding.installed)),
        message: line(&format!("{}{exploited}{title}; {}", finding.severity, remedy(finding))),
        place: Some((line(&finding.proof.path), 1)),
    }
}

fn of_leak(report: &Report, leak: &Leak) -> Notice {
    let sure = leak.confidence >= Confidence::High;
    let hidden = if leak.hidden { "; a later layer deletes the file, which does not help" } else { "" };
    Notice {
        level: level(report, if sure { Severity::High } else { Severity::Medium }),
        code: line(&leak.rule),
        title: line(&leak.title),
        message: line(&format!(
            "{} in {} ({}){hidden}; revoke it where it was issued, then build without it",
            leak.title,
            leak.place,
            leak.confidence.word()
        )),
        place: Some(leak_place(leak)),
    }
}

fn of_malware(report: &Report, file: &Malware) -> Notice {
    Notice {
        level: level(report, Severity::Critical),
        code: "malware".to_owned(),
        title: line(&format!("malicious file: {}", file.name)),
        message: line(&format!("{} is {} ({}); do not use this image", file.path, file.name, file.digest)),
        place: Some((line(&file.path), 1)),
    }
}

fn of_misconfiguration(report: &Report, one: &Misconfiguration) -> Notice {
    Notice {
        level: level(report, one.severity),
        code: line(&one.check),
        title: line(&one.title),
        message: line(&format!("{}: {}; {}", one.severity, one.found, one.fix)),
        place: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_line_and_harmless() {
        for (text, expected) in
            [("a  b\n\tc ", "a b c"), ("\u{1b}[31mred\u{202e}", "\u{fffd}[31mred\u{fffd}"), ("", "")]
        {
            assert_eq!(line(text), expected);
        }
        assert_eq!(cut("abcdef", 3), "abc…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
