//! A report for people: the summary first, then what is missing from it, then what to do.

use std::fmt::Write as _;

use boltseal_flow::{Upgrade, upgrades};
use boltseal_model::{Finding, Report, Severity};

use super::{
    paint::{Paint, clean, count, cut, wrap},
    seen, verdict,
};

/// The widest id that still leaves room for a title; longer ones push it aside.
const ID_WIDTH: usize = 24;
/// Titles shorter than this say nothing.
const NARROWEST_TITLE: usize = 20;

/// The whole report.
pub fn report(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    head(report, paint, &mut out);
    summary(report, paint, &mut out);
    coverage(report, paint, &mut out);
    if let Some(given) = &report.verdict {
        out.push('\n');
        verdict::brief(given, paint, &mut out);
    }
    for group in upgrades(&report.findings) {
        out.push('\n');
        upgrade(&group, paint, &mut out);
    }
    seen::secrets(report, paint, &mut out);
    seen::malware(report, paint, &mut out);
    seen::misconfigurations(report, paint, &mut out);
    seen::unowned(report, paint, &mut out);
    ignored(report, paint, &mut out);
    out
}

/// Which image this is about.
pub fn head(report: &Report, paint: Paint, out: &mut String) {
    let subject = &report.subject;
    let _ = writeln!(out, "{}", paint.bold(&clean(&subject.reference)));
    let distro = report.distro.as_ref().map(|distro| clean(&distro.name));
    let facts = [
        subject.digest.as_ref().or(subject.config.as_ref()).map(ToString::to_string),
        subject.platform.as_ref().map(|platform| clean(&platform.to_string())),
        Some(distro.unwrap_or_else(|| "no distribution".to_owned())),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let _ = writeln!(out, "{}", paint.dim(&facts.join(" · ")));
    if let Some((distro, last)) = report.ended() {
        let text = format!("end of life: {} has had no security support since {last}", clean(&distro.name));
        let _ = writeln!(out, "{}", paint.alarm(&text));
    }
}

fn summary(report: &Report, paint: Paint, out: &mut String) {
    let findings = &report.findings;
    let counts: Vec<String> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (severity, findings.iter().filter(|finding| finding.severity == severity).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| paint.severity(severity, &format!("{number} {severity}")))
        .collect();
    let mut line = paint.bold(&count(findings.len(), "finding"));
    if !counts.is_empty() {
        let _ = write!(line, ": {}", counts.join(", "));
    }
    let fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
    let exploited = findings.iter().filter(|finding| finding.kev.is_some()).count();
    if fixable > 0 {
        let _ = write!(line, " · {fixable} fixable");
    }
    if exploited > 0 {
        let _ = write!(line, " · {}", paint.alarm(&format!("{exploited} known exploited")));
    }
    let _ = writeln!(out, "{line}");
    let mut sources = count(report.packages.len(), "package");
    if !report.layers.is_empty() {
        let _ = write!(sources, " in {}", count(report.layers.len(), "layer"));
    }
    match &report.snapshot {
        Some(snapshot) => {
            let built = snapshot.built.strftime("%Y-%m-%d %H:%M UTC");
            let feeds = count(snapshot.feeds.len(), "feed");
            let _ = write!(sources, " · {feeds} of {built} ({})", cut(&snapshot.id, 19));
        }
        None => sources.push_str(" · not matched with any feed"),
    }
    let _ = writeln!(out, "{sources}");
    omitted(report, out);
}

/// What was left out because the user asked for that.
pub fn omitted(report: &Report, out: &mut String) {
    let omitted = &report.omitted;
    if let Some(baseline) = &omitted.baseline {
        let against = clean(&baseline.against);
        let _ = writeln!(out, "only what is new: {} known from {against}, not shown", baseline.total());
    }
    if omitted.filtered > 0 {
        let _ = writeln!(out, "{} not shown, as asked", omitted.filtered);
    }
    let said = omitted.ignored.iter().filter(|ignored| ignored.statement.is_some()).count();
    if omitted.ignored.len() > said {
        let _ = writeln!(out, "{} ignored, as asked", omitted.ignored.len() - said);
    }
    if said > 0 {
        let _ = writeln!(out, "{said} set aside: VEX says that they do no harm");
    }
}

/// Whether silence means safety, and what to do where it does not.
pub fn coverage(report: &Report, paint: Paint, out: &mut String) {
    let gaps = &report.coverage.gaps;
    if report.coverage.complete {
        let _ = writeln!(out, "coverage: complete");
        return;
    }
    let _ = writeln!(out, "coverage: {}", paint.alarm(&format!("incomplete, {}", count(gaps.len(), "gap"))));
    for gap in gaps {
        let text = format!("{} {}: {}", gap.kind.word(), gap.subject, gap.detail);
        let _ = writeln!(out, "  {}", wrap(&text, paint.width, 4));
    }
}

fn upgrade(group: &Upgrade<'_>, paint: Paint, out: &mut String) {
    let (name, installed) = (clean(&group.name), clean(group.installed));
    let what = match group.version {
        Some(version) => {
            format!("upgrade {name} {installed} to {} removes {}", clean(version), group.vulnerabilities())
        }
        None => format!("{name} {installed}: {} without a fix", group.vulnerabilities()),
    };
    let _ = writeln!(out, "{}", paint.bold(&what));
    if group.packages.iter().any(|package| *package != group.name) {
        let packages = format!("installed as {}", group.packages.join(", "));
        let _ = writeln!(out, "  {}", paint.dim(&wrap(&packages, paint.width, 2)));
    }
    for command in &group.commands {
        let _ = writeln!(out, "  $ {}", clean(command));
    }
    let mut last = "";
    for finding in &group.findings {
        if finding.id != last {
            row(finding, paint, out);
            for statement in &finding.statements {
                let text = format!("{} ({})", statement.sentence(), statement.source);
                let _ = writeln!(out, "    {}", paint.dim(&wrap(&text, paint.width, 6)));
            }
        }
        last = &finding.id;
    }
}

fn row(finding: &Finding, paint: Paint, out: &mut String) {
    let id = cut(&finding.id, ID_WIDTH);
    let mut marks = String::new();
    if finding.kev.is_some() {
        marks.push_str("exploited ");
    }
    if let Some(epss) = finding.epss {
        let _ = write!(marks, "EPSS {:.1}% ", epss.score * 100.0);
    }
    let fixed = finding.fixed.as_deref().map(clean).filter(|_| finding.fix.is_some());
    let note = fixed.map_or_else(|| finding.status.word().to_owned(), |fixed| format!("fixed in {fixed}"));
    let used = 2 + 10 + 1 + id.chars().count().max(16) + 2 + note.chars().count() + 2 + marks.chars().count();
    let title = cut(&finding.title, paint.width.saturating_sub(used).max(NARROWEST_TITLE));
    let severity = paint.severity(finding.severity, finding.severity.word());
    let pad = 10usize.saturating_sub(finding.severity.word().len());
    let _ = write!(out, "  {severity}{:pad$} {id:16}  {}", "", paint.dim(&note));
    let _ = writeln!(out, "  {}{}", paint.alarm(&marks), title);
    while out.ends_with([' ', '\n']) {
        out.pop();
    }
    out.push('\n');
}

/// What ignore files name, and why.
pub fn ignored(report: &Report, paint: Paint, out: &mut String) {
    if report.omitted.ignored.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.bold("ignored"));
    for ignored in &report.omitted.ignored {
        let finding = &ignored.finding;
        let until = ignored.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let said = ignored.statement.as_ref().map(|said| format!(": {} ({})", said.sentence(), said.source));
        let reason = || format!("{until}: {}", ignored.reason.as_deref().unwrap_or("no reason given"));
        let text = format!(
            "{} {} in {} {}{}",
            finding.severity,
            finding.id,
            finding.package,
            finding.installed,
            said.unwrap_or_else(reason)
        );
        let _ = writeln!(out, "  {}", wrap(&text, paint.width, 4));
    }
}
