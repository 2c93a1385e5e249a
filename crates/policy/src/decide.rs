//! One function decides everywhere: the gate in CI, the registry, and whatever comes later.

use boltseal_model::{Finding, Subject, Timestamp, Verdict};

use crate::{
    Facts, Policy, content, coverage,
    exception::Hit,
    expression,
    judge::{Case, Judge},
    making,
    rule::{Check, Images, Rule},
    signed, support, vulnerability,
};

/// What `policy` says about the image that `facts` are known of, at the moment `now`.
///
/// Pure: the same arguments give the same verdict, byte for byte. Texts name dates and never ages, so the verdict
/// changes with `now` only at the moments that [`Verdict::expires`] announces.
pub fn decide(policy: &Policy, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let mut judge = Judge::new(policy, facts.subject, now);
    let findings: Vec<&Finding> = facts.findings.iter().collect();
    let gaps = coverage::all_gaps(facts);
    for rule in &policy.rules {
        match &rule.check {
            Check::Vulnerabilities(check) => vulnerability::judge(&mut judge, rule, check, &findings),
            Check::Coverage(check) => coverage::gaps(&mut judge, rule, check, &gaps),
            Check::Feeds(check) => coverage::feeds(&mut judge, rule, check, facts),
            Check::Images(check) => image(&mut judge, rule, check),
            Check::Packages(check) => content::packages(&mut judge, rule, check, facts.packages),
            Check::Licenses(check) => content::licenses(&mut judge, rule, check, facts.packages),
            Check::Secrets(check) => making::secrets(&mut judge, rule, check, facts.leaks),
            Check::Misconfigurations(check) => making::misconfigurations(&mut judge, rule, check, facts),
            Check::Malware(_) => making::malware(&mut judge, rule, facts),
            Check::Unowned(check) => making::unowned(&mut judge, rule, check, facts),
            Check::EndOfLife(check) => support::judge(&mut judge, rule, *check, facts.distro),
            Check::Signatures(check) => signed::signatures(&mut judge, rule, check, facts),
            Check::Attestations(check) => signed::attestations(&mut judge, rule, check, facts),
            Check::BaseImages(check) => signed::base_images(&mut judge, rule, check, facts),
            Check::Expression(check) => expression::judge(&mut judge, rule, check, facts),
            Check::Unscanned => {}
        }
    }
    if policy.asks_for_signatures() {
        // What counts now may not then, and the other way round.
        let moments = facts.signatures.into_iter().flatten().filter_map(|signature| signature.until);
        moments.for_each(|moment| judge.changes_at(moment));
    }
    coverage::guard(&mut judge, &gaps);
    judge.finish(facts.snapshot.map(|snapshot| snapshot.id.as_str()))
}

/// What `policy` says about an image that nobody has scanned: `unknown`, unless a rule is more precise.
///
/// Rules about names of images hold here as well, because they need no scan.
pub fn unscanned(policy: &Policy, subject: &Subject, now: Timestamp) -> Verdict {
    let mut judge = Judge::new(policy, subject, now);
    let mut spoken = false;
    for rule in &policy.rules {
        match &rule.check {
            Check::Images(check) => image(&mut judge, rule, check),
            Check::Unscanned => {
                spoken = true;
                not_scanned(&mut judge, rule);
            }
            _ => {}
        }
    }
    if !spoken {
        not_scanned(&mut judge, &policy.unscanned);
    }
    judge.finish(None)
}

fn not_scanned<'a>(judge: &mut Judge<'a>, rule: &'a Rule) {
    let pardon = judge.pardon(rule, Hit::default());
    let found = format!("{} has not been scanned", judge.subject.reference);
    let fix = format!("boltseal scan {}, or push it to a registry that scans", judge.subject.reference);
    judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(fix) });
}

fn image<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Images) {
    let Some(decision) = check.judge(judge.subject, rule.effect) else { return };
    let pardon = judge.pardon(rule, Hit::default());
    let (found, fix) = match &judge.subject.name {
        Some(name) => {
            (format!("the image comes from {}", name.name()), "use an image from where the rule allows")
        }
        None => (
            format!("{} has no registry name", judge.subject.reference),
            "push it to a registry the rule allows, or set `unnamed` in the rule",
        ),
    };
    judge.add(rule, Case { decision, pardon, found, wanted: None, fix: Some(fix.to_owned()) });
}
