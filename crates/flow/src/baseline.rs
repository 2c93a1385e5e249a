//! What is new against an earlier image or an earlier report. Pure.
//!
//! A change should answer for what it brings, not for what was there before. What the baseline has too leaves the lists
//! and is counted in [`Omitted::baseline`](boltseal_model::Omitted); the policy then decides about the rest. What the image
//! is made of, where it comes from and what was not looked at stays as it is: such rules decide about the whole image.
//!
//! | the same | when |
//! |---|---|
//! | finding | the same vulnerability in a package of the same name, as in [`diff`](crate::diff); versions and paths do not count |
//! | misconfiguration | the same check found the same |
//! | executable of no package | the same path: builds change bytes |
//! | malware | the same bytes |
//! | secret | the same fingerprint, where both reports are a server's; else the same rule in the same file, variable or label, and no more of them in a file than before: a value is never kept, so another one at the same place cannot be told apart |
//!
//! Reports of servers that do not share a database have different fingerprints: then every secret looks new.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Baseline, Leak, Place, Report};

/// Leaves in `report` only what `before` does not have. `against` is what to call the baseline.
pub fn only_new(report: &mut Report, before: &Report, against: &str) {
    let known: BTreeSet<(&str, &str)> =
        before.findings.iter().map(|one| (one.id.as_str(), one.package.as_str())).collect();
    let findings = drop_where(&mut report.findings, |one| known.contains(&(&one.id, &one.package)));
    let leaks = report
        .leaks
        .as_mut()
        .zip(before.leaks.as_ref())
        .map_or(0, |(leaks, before)| new_leaks(leaks, before));
    let misconfigurations = drop_where(&mut report.misconfigurations, |one| {
        before.misconfigurations.iter().any(|old| old.check == one.check && old.found == one.found)
    });
    let paths: BTreeSet<&str> = before.unowned.iter().map(|file| file.path.as_str()).collect();
    let unowned = drop_where(&mut report.unowned, |file| paths.contains(file.path.as_str()));
    let malware =
        drop_where(&mut report.malware, |file| before.malware.iter().any(|old| old.digest == file.digest));
    report.omitted.baseline =
        Some(Baseline { against: against.to_owned(), findings, leaks, misconfigurations, unowned, malware });
}

/// What in `before` makes it a poor baseline, in words: what it does not list looks new.
pub fn weakness(before: &Report) -> Option<String> {
    let omitted = &before.omitted;
    let known = omitted.baseline.as_ref().map_or(0, Baseline::total);
    let missing = omitted.filtered + omitted.ignored.len() as u64 + known;
    if before.snapshot.is_none() {
        Some("it was matched with no vulnerability data, so every finding looks new".to_owned())
    } else if missing > 0 {
        Some(format!(
            "it leaves out {missing} findings, which look new; keep a report of everything as the baseline"
        ))
    } else {
        None
    }
}

/// How many went.
fn drop_where<T>(list: &mut Vec<T>, mut known: impl FnMut(&T) -> bool) -> u64 {
    let all = list.len();
    list.retain(|one| !known(one));
    (all - list.len()) as u64
}

/// Lines move, so a file may have as many of a rule as before; where it has more, those at the same lines are known.
fn new_leaks(leaks: &mut Vec<Leak>, before: &[Leak]) -> u64 {
    let recognised = |leaks: &[Leak]| leaks.iter().all(|leak| leak.fingerprint.is_some());
    if recognised(leaks) && recognised(before) && !before.is_empty() {
        let known: BTreeSet<_> = before.iter().map(|leak| leak.fingerprint).collect();
        return drop_where(leaks, |leak| known.contains(&leak.fingerprint));
    }
    let (old, new) = (numbers(before), numbers(leaks));
    let exact: BTreeSet<(&str, &Place)> =
        before.iter().map(|leak| (leak.rule.as_str(), &leak.place)).collect();
    drop_where(leaks, |leak| {
        let spot = spot(leak);
        let (then, now) = (old.get(&spot).copied().unwrap_or(0), new.get(&spot).copied().unwrap_or(0));
        now <= then || exact.contains(&(leak.rule.as_str(), &leak.place))
    })
}

fn numbers(leaks: &[Leak]) -> BTreeMap<(String, String), usize> {
    let mut numbers = BTreeMap::new();
    for leak in leaks {
        *numbers.entry(spot(leak)).or_default() += 1;
    }
    numbers
}

/// The rule and the place, whatever the line or the step.
fn spot(leak: &Leak) -> (String, String) {
    let place = match &leak.place {
        Place::File { path, .. } => format!("file {path}"),
        Place::History { .. } => "build step".to_owned(),
        place => place.to_string(),
    };
    (leak.rule.clone(), place)
}
