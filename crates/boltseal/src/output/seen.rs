//! What else was seen in an image: secrets, malware, how it is made, executables of no package.

use std::fmt::Write as _;

use boltseal_model::{Confidence, Leak, Report, Severity};

use super::paint::{Paint, clean, count, wrap};

/// Executables of no package that are listed; JSON has all.
const SHOWN: usize = 10;

/// Credentials to do something about, surest first; what was public before or is doubtful is counted.
pub fn secrets(report: &Report, paint: Paint, out: &mut String) {
    let all = report.leaks.as_deref().unwrap_or_default();
    let mut shown: Vec<&Leak> = all.iter().filter(|leak| leak.counts()).collect();
    shown.sort_by_key(|leak| std::cmp::Reverse(leak.confidence));
    if all.is_empty() {
        return;
    }
    let published = all.iter().filter(|leak| leak.package.is_some()).count();
    let doubtful = all.len() - shown.len() - published;
    let mut others = Vec::new();
    if published > 0 {
        others.push(format!("{published} in published packages"));
    }
    if doubtful > 0 {
        others.push(format!("{doubtful} doubtful"));
    }
    let others =
        if others.is_empty() { String::new() } else { format!(" · not listed: {}", others.join(", ")) };
    let _ = writeln!(out, "\n{}{}", paint.bold(&count(shown.len(), "secret")), paint.dim(&others));
    for leak in shown {
        let hidden = if leak.hidden { ", deleted by a later layer but still in the image" } else { "" };
        let text = format!("{}: {}{hidden}", clean(&leak.place.to_string()), clean(&leak.title));
        let sure = format!("{:10}", leak.confidence.word());
        let sure = if leak.confidence >= Confidence::High { paint.alarm(&sure) } else { sure };
        let _ = writeln!(out, "  {sure} {}", wrap(&text, paint.width.saturating_sub(11), 13));
    }
}

/// Files that are known to be malicious.
pub fn malware(report: &Report, paint: Paint, out: &mut String) {
    if report.malware.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{}",
        paint.alarm(&format!("{} known to be malicious", count(report.malware.len(), "file")))
    );
    for file in &report.malware {
        let hidden = if file.hidden { ", deleted by a later layer but still in the image" } else { "" };
        let text = format!("{}: {} ({}){hidden}", clean(&file.path), clean(&file.name), file.digest);
        let _ = writeln!(out, "  {}", wrap(&text, paint.width, 4));
    }
}

/// How the image should be made otherwise; remarks of low severity are one line.
pub fn misconfigurations(report: &Report, paint: Paint, out: &mut String) {
    let all = &report.misconfigurations;
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.bold(&count(all.len(), "misconfiguration")));
    for one in all {
        let severity = paint.severity(one.severity, &format!("{:10}", one.severity.word()));
        let text = format!("{} ({}): {}", clean(&one.title), clean(&one.check), clean(&one.found));
        let _ = writeln!(out, "  {severity} {}", wrap(&text, paint.width.saturating_sub(11), 13));
        if one.severity > Severity::Low {
            let _ = writeln!(
                out,
                "             {}",
                paint.dim(&wrap(&clean(&one.fix), paint.width.saturating_sub(11), 13))
            );
        }
    }
}

/// Executables that nobody answers for.
pub fn unowned(report: &Report, paint: Paint, out: &mut String) {
    let all = &report.unowned;
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.bold(&format!("{} of no package", count(all.len(), "executable"))));
    for file in all.iter().take(SHOWN) {
        let _ = writeln!(out, "  {} {}", clean(&file.path), paint.dim(&file.digest.short()));
    }
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  {}", paint.dim(&format!("and {more} more: --format json lists them")));
    }
}
