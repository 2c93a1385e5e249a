//! Rules about how the image is made: credentials that lie in it, misconfiguration, malware, files of no package.

use std::collections::BTreeMap;

use boltseal_model::{Decision, Leak, Misconfiguration};

use crate::{
    Facts,
    exception::Hit,
    judge::{Case, Judge},
    rule::{Misconfigurations, Rule, Secrets, Unowned},
    text::{count, listed},
};

/// More places than this in one reason are counted instead.
const SHOWN: usize = 5;

impl Secrets {
    fn hits(&self, leak: &Leak) -> bool {
        leak.confidence >= self.confidence
            && (self.published || leak.package.is_none())
            && self.rules.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.fits(&leak.rule)))
    }
}

/// One reason per kind of credential. That nobody looked is not that there is none.
pub(crate) fn secrets<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Secrets, leaks: Option<&[Leak]>) {
    let Some(leaks) = leaks else {
        return nobody_looked(judge, rule, "for credentials in the image");
    };
    let mut groups: BTreeMap<(Option<usize>, &str), Vec<String>> = BTreeMap::new();
    for leak in leaks.iter().filter(|leak| check.hits(leak)) {
        let pardon = judge.pardon(rule, Hit { leak: Some(leak), ..Hit::default() });
        let deleted = if leak.hidden { " (deleted by a later layer, still in the image)" } else { "" };
        groups.entry((pardon, &leak.title)).or_default().push(format!("{}{deleted}", leak.place));
    }
    for ((pardon, title), places) in groups {
        let number = count(places.len(), "place", "places");
        let found = format!("{title} in {number}: {}", listed(&places, SHOWN));
        let fix = "revoke it, keep it out of the build, and build the image anew".to_owned();
        judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(fix) });
    }
}

/// One reason per check.
pub(crate) fn misconfigurations<'a>(
    judge: &mut Judge<'a>,
    rule: &'a Rule,
    check: &Misconfigurations,
    facts: &Facts<'_>,
) {
    if facts.leaks.is_none() {
        return nobody_looked(judge, rule, "at how the image is made");
    }
    let hits = |one: &&Misconfiguration| {
        check.severity.as_ref().is_none_or(|severities| severities.hit(one.severity))
            && check.checks.as_ref().is_none_or(|checks| checks.iter().any(|check| check.fits(&one.check)))
    };
    for one in facts.misconfigurations.iter().filter(hits) {
        let pardon = judge.pardon(rule, Hit { check: Some(&one.check), ..Hit::default() });
        let found = format!("{} ({}, {}): {}", one.title, one.check, one.severity, one.found);
        judge.add(
            rule,
            Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(one.fix.clone()) },
        );
    }
}

/// One reason per file.
pub(crate) fn malware<'a>(judge: &mut Judge<'a>, rule: &'a Rule, facts: &Facts<'_>) {
    if facts.leaks.is_none() {
        return nobody_looked(judge, rule, "for malware in the image");
    }
    for file in facts.malware {
        let pardon = judge.pardon(rule, Hit { path: Some(&file.path), ..Hit::default() });
        let deleted = if file.hidden { ", deleted by a later layer" } else { "" };
        let found = format!("{} in {} ({}){deleted}", file.name, file.path, file.digest);
        let fix = "find out how it got in, and build the image anew without it".to_owned();
        judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(fix) });
    }
}

/// One reason for all files that are pardoned alike.
pub(crate) fn unowned<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Unowned, facts: &Facts<'_>) {
    if facts.leaks.is_none() {
        return nobody_looked(judge, rule, "for executables of no package");
    }
    let mut groups: BTreeMap<Option<usize>, Vec<&str>> = BTreeMap::new();
    let excepted = |path: &str| check.except.iter().any(|pattern| pattern.fits(path));
    for file in facts.unowned.iter().filter(|file| !excepted(&file.path)) {
        let pardon = judge.pardon(rule, Hit { path: Some(&file.path), ..Hit::default() });
        groups.entry(pardon).or_default().push(&file.path);
    }
    for (pardon, paths) in groups {
        let number = count(paths.len(), "executable", "executables");
        let found = format!("{number} of no package: {}", listed(&paths, SHOWN));
        let fix = "install it from a package, or say where such files may lie (`except`)".to_owned();
        judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(fix) });
    }
}

fn nobody_looked<'a>(judge: &mut Judge<'a>, rule: &'a Rule, what: &str) {
    let pardon = judge.pardon(rule, Hit::default());
    let decision = rule.effect.min(Decision::Unknown);
    let fix = Some("scan it again with this version".to_owned());
    judge.add(rule, Case { decision, pardon, found: format!("nobody has looked {what}"), wanted: None, fix });
}
