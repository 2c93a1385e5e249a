//! What differs between two images.

use std::fmt::Write as _;

use boltseal_flow::{
    contents::Entry,
    diff::{Change, Diff, Findings, Hit},
};
use boltseal_model::{Gap, Subject};
use indicatif::DecimalBytes;
use serde::Serialize;

use super::people::bytes;
use crate::output::{
    access::line,
    packages::grid_without_gaps,
    paint::{Paint, clean, count, cut},
};

/// Characters of a value of a configuration in a table; the whole of it stands in the JSON.
const MAX_VALUE: usize = 60;

/// Two images and what differs.
#[derive(Serialize)]
pub struct Compared {
    pub before: Subject,
    pub after: Subject,
    #[serde(flatten)]
    pub diff: Diff,
    /// What was not looked at, and so may differ.
    pub gaps: Vec<Gap>,
}

/// For people: each part with its sums, and the `top` largest changes of files.
pub fn compared(both: &Compared, top: usize, paint: Paint) -> String {
    let (diff, mut out) = (&both.diff, String::new());
    for (name, subject) in [("before", &both.before), ("after", &both.after)] {
        let digest =
            subject.digest.as_ref().map(|digest| format!(" ({})", digest.short())).unwrap_or_default();
        line(&mut out, name, &format!("{}{digest}", clean(&subject.reference)));
    }
    if diff.is_empty() {
        let _ = writeln!(out, "\nno difference");
    }
    packages(diff, paint, &mut out);
    if let Some(findings) = &diff.findings {
        matched(findings, paint, &mut out);
    }
    config(diff, paint, &mut out);
    if let Some(changes) = &diff.files {
        files(changes, top, paint, &mut out);
    }
    if diff.findings.is_none() {
        let _ = writeln!(out, "\nvulnerabilities were not compared: there are no feeds yet");
    }
    if !both.gaps.is_empty() {
        let _ = writeln!(out, "\nnot looked at everywhere: {}", count(both.gaps.len(), "gap"));
    }
    out
}

fn title(out: &mut String, name: &str, sums: &str, paint: Paint) {
    let _ = writeln!(out, "\n{} {}", paint.bold(name), paint.dim(sums));
}

/// `3 added, 1 removed, 12 changed`.
fn sums<K, V>(changes: &[Change<K, V>]) -> String {
    let number = |is: fn(&Change<K, V>) -> bool| changes.iter().filter(|change| is(change)).count();
    let words = [
        (number(|change| change.before.is_none()), "added"),
        (number(|change| change.after.is_none()), "removed"),
        (number(|change| change.before.is_some() && change.after.is_some()), "changed"),
    ];
    let words = words.into_iter().filter(|(number, _)| *number > 0);
    words.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}

/// `+`, `-` or `~`.
const fn sign<K, V>(change: &Change<K, V>) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "+",
        (_, None) => "-",
        _ => "~",
    }
}

fn packages(diff: &Diff, paint: Paint, out: &mut String) {
    if diff.packages.is_empty() {
        return;
    }
    title(out, "packages", &sums(&diff.packages), paint);
    let rows = diff.packages.iter().map(|change| {
        [
            sign(change).to_owned(),
            change.name.package.clone(),
            change.before.clone().unwrap_or_default(),
            change.after.clone().unwrap_or_default(),
            change.name.ecosystem.clone(),
        ]
    });
    let _ = write!(out, "{}", grid_without_gaps(&["", "package", "before", "after", "kind"], rows, paint));
}

fn matched(findings: &Findings, paint: Paint, out: &mut String) {
    let Findings { fixed, new, same } = findings;
    if fixed.is_empty() && new.is_empty() {
        return;
    }
    let sums = format!("{} new, {} fixed, {same} in both", new.len(), fixed.len());
    title(out, "vulnerabilities", &sums, paint);
    let row = |sign: &str, hit: &Hit| {
        [
            sign.to_owned(),
            hit.severity.word().to_owned(),
            hit.package.clone(),
            hit.installed.clone(),
            hit.fixed.clone().unwrap_or_default(),
            hit.id.clone(),
        ]
    };
    let rows = new.iter().map(|hit| row("+", hit)).chain(fixed.iter().map(|hit| row("-", hit)));
    let head = ["", "severity", "package", "installed", "fixed in", "id"];
    let _ = write!(out, "{}", grid_without_gaps(&head, rows, paint));
}

fn config(diff: &Diff, paint: Paint, out: &mut String) {
    if diff.config.is_empty() {
        return;
    }
    title(out, "configuration", &sums(&diff.config), paint);
    let value = |value: &Option<String>| cut(value.as_deref().unwrap_or_default(), MAX_VALUE);
    let rows = diff.config.iter().map(|change| {
        [sign(change).to_owned(), change.name.clone(), value(&change.before), value(&change.after)]
    });
    let _ = write!(out, "{}", grid_without_gaps(&["", "what", "before", "after"], rows, paint));
}

fn files(changes: &[Change<String, Entry>], top: usize, paint: Paint, out: &mut String) {
    if changes.is_empty() {
        return;
    }
    let size = |entry: &Option<Entry>| entry.as_ref().map_or(0, |entry| entry.size);
    let (before, after) = changes.iter().fold((0_u64, 0_u64), |(before, after), change| {
        (before.saturating_add(size(&change.before)), after.saturating_add(size(&change.after)))
    });
    let grown = DecimalBytes(before.abs_diff(after));
    let grown = if after >= before { format!("{grown} more") } else { format!("{grown} less") };
    title(out, "files", &format!("{}, {grown}", sums(changes)), paint);
    let mut largest: Vec<&Change<String, Entry>> = changes.iter().collect();
    largest.sort_by_key(|change| std::cmp::Reverse(size(&change.before).max(size(&change.after))));
    let shown = |entry: &Option<Entry>| match entry {
        Some(Entry { link: Some(target), .. }) => format!("→ {target}"),
        Some(entry) => bytes(entry.size),
        None => String::new(),
    };
    let rows = largest.iter().take(top).map(|change| {
        [
            sign(change).to_owned(),
            shown(&change.before),
            shown(&change.after),
            rights(change),
            format!("/{}", change.name),
        ]
    });
    let _ = write!(out, "{}", grid_without_gaps(&["", "before", "after", "rights", "path"], rows, paint));
    if changes.len() > top {
        let _ =
            writeln!(out, "{}", paint.dim(&format!("and {}", count(changes.len() - top, "smaller change"))));
    }
}

/// What changed besides bytes: `644 → 755`, `0:0 → 33:33`.
fn rights(change: &Change<String, Entry>) -> String {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return String::new() };
    let mut parts = Vec::new();
    if before.mode != after.mode {
        parts.push(format!("{:o} → {:o}", before.mode, after.mode));
    }
    if before.owner != after.owner {
        let ((user, group), (new_user, new_group)) = (before.owner, after.owner);
        parts.push(format!("{user}:{group} → {new_user}:{new_group}"));
    }
    parts.join(", ")
}
