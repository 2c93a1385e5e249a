//! Rules about who signed an image, what was said about it, and what it was built on.
//!
//! Facts say whose each signature is, by the names of the policy; nothing here verifies. Four things are told apart, each with
//! its own words: nothing is there, something is there that is wrong, something is there by somebody else, and something is
//! there that could not be checked. The last is unknown, whatever the rule wants.

use boltseal_model::{Base, Decision, FaultKind, Provenance, Signature};

use crate::{
    Facts,
    exception::Hit,
    judge::{Case, Judge},
    pattern::ImagePattern,
    rule::{Attestations, BaseImages, Rule, Signatures, Whose},
    text::{count, listed},
};

/// More than this many in one reason are counted instead.
const SHOWN: usize = 3;

/// Whether a rule speaks about the image at all; what to decide where that is not known.
fn concerns(images: &[ImagePattern], unnamed: Decision, facts: &Facts<'_>) -> Result<bool, Decision> {
    if images.is_empty() || images.iter().any(|pattern| pattern.covers(facts.subject)) {
        return Ok(true);
    }
    match (&facts.subject.name, unnamed) {
        (Some(_), _) | (None, Decision::Allow) => Ok(false),
        (None, decision) => Err(decision),
    }
}

/// Whether to go on; if not, because nobody knows whether the rule is about the image, that is a reason.
fn is_about<'a>(
    judge: &mut Judge<'a>,
    rule: &'a Rule,
    images: &[ImagePattern],
    unnamed: Decision,
    facts: &Facts<'_>,
) -> bool {
    concerns(images, unnamed, facts).unwrap_or_else(|decision| {
        let found = format!("{} has no registry name, and the rule is about some", judge.subject.reference);
        let fix = "push it to where it belongs, or set `unnamed` in the rule".to_owned();
        add(judge, rule, decision, found, None, fix);
        false
    })
}

fn add<'a>(
    judge: &mut Judge<'a>,
    rule: &'a Rule,
    decision: Decision,
    found: String,
    wanted: Option<String>,
    fix: String,
) {
    let pardon = judge.pardon(rule, Hit::default());
    judge.add(rule, Case { decision, pardon, found, wanted, fix: Some(fix) });
}

/// `signatures:`
pub(crate) fn signatures<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Signatures, facts: &Facts<'_>) {
    if !is_about(judge, rule, &check.images, check.unnamed, facts) {
        return;
    }
    let image = name(judge);
    let fix = format!("boltseal sign --key KEY {image}, or cosign sign --key KEY {image}");
    let Some(all) = facts.signatures else {
        let found = "nobody has looked for signatures of it".to_owned();
        let fix = format!(
            "push it to a registry and ask there, or give its signature with --signature FILE; {fix}"
        );
        return add(judge, rule, rule.effect.min(Decision::Unknown), found, None, fix);
    };
    let plain: Vec<&Signature> = all.iter().filter(|one| one.is_plain()).collect();
    let right: Vec<&Signature> = plain.iter().filter(|one| check.whose.any_of(one)).copied().collect();
    let want =
        Want { whose: &check.whose, thing: "signature", things: "signatures", none: "it is not signed" };
    want.judge(judge, rule, &right, &plain, &fix);
}

/// `attestations:`; each type is a reason of its own.
pub(crate) fn attestations<'a>(
    judge: &mut Judge<'a>,
    rule: &'a Rule,
    check: &Attestations,
    facts: &Facts<'_>,
) {
    if !is_about(judge, rule, &check.images, check.unnamed, facts) {
        return;
    }
    let image = name(judge);
    for kind in &check.types {
        let (word, cosign) = (kind.word(), kind.for_cosign());
        let (ours, theirs) = ("boltseal attest --key KEY --type", "cosign attest --key KEY --type");
        let fix = format!(
            "{ours} {cosign} --predicate FILE {image}, or {theirs} {cosign} --predicate FILE {image}"
        );
        let Some(all) = facts.signatures else {
            let found = format!("nobody has looked for {} of it", kind.thing());
            let decision = rule.effect.min(Decision::Unknown);
            let hint =
                format!("push it to a registry and ask there, or give it with --signature FILE; {fix}");
            add(judge, rule, decision, found, Some(kind_wanted(check, word)), hint);
            continue;
        };
        let of_kind: Vec<&Signature> =
            all.iter().filter(|one| one.predicate_type.as_deref().is_some_and(|uri| kind.is(uri))).collect();
        let mut right: Vec<&Signature> = Vec::new();
        let mut otherwise: Vec<String> = Vec::new();
        for one in of_kind.iter().filter(|one| check.whose.any_of(one)) {
            match check.built_otherwise(one).filter(|_| kind.is_provenance()) {
                None => right.push(one),
                Some(why) => otherwise.push(why),
            }
        }
        let none = format!("it has no {}", kind.thing());
        let want = Want { whose: &check.whose, thing: kind.thing(), things: kind.things(), none: &none };
        if want.is_met(&right) {
            continue;
        }
        if !otherwise.is_empty() {
            let found = listed(&otherwise, SHOWN);
            let fix = "build it where the rule allows, or extend the rule".to_owned();
            add(judge, rule, rule.effect, found, Some(kind_wanted(check, word)), fix);
        }
        // What is there and says something else has been told.
        let left: Vec<&Signature> = of_kind.into_iter().filter(|one| one.fault.is_some()).collect();
        if otherwise.is_empty() || !left.is_empty() {
            want.judge(judge, rule, &right, &left, &fix);
        }
    }
}

fn kind_wanted(check: &Attestations, word: &str) -> String {
    crate::describe::attestation(check, word)
}

/// `base_images:`
pub(crate) fn base_images<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &BaseImages, facts: &Facts<'_>) {
    if !is_about(judge, rule, &check.images, check.unnamed, facts)
        || check.allow.iter().any(|pattern| pattern.covers(facts.subject))
    {
        return;
    }
    let unknown = rule.effect.min(Decision::Unknown);
    match facts.bases {
        None => {
            let found = "nobody here knows what it was built on".to_owned();
            let fix = "push it to a Boltseal registry that has the base, which tells by its layers; in CI, name the base: \
                       --base REF"
                .to_owned();
            add(judge, rule, unknown, found, None, fix);
        }
        Some([]) => {
            let found = "its layers begin with those of no image that is stored here".to_owned();
            let fix =
                "push the base to this registry, or cache it here, so that it can be recognised".to_owned();
            add(judge, rule, unknown, found, None, fix);
        }
        Some(bases) if bases.iter().any(|base| check.sanctions(base)) => {}
        Some(bases) => {
            let names: Vec<String> = bases.iter().map(called).collect();
            let found = format!("it is built on {}", listed(&names, SHOWN));
            let fix = format!("build it on {}", crate::describe::images_text(&check.allow));
            add(judge, rule, rule.effect, found, None, fix);
        }
    }
}

fn called(base: &Base) -> String {
    base.names
        .first()
        .map_or_else(|| base.digest.to_string(), |name| format!("{} ({})", name.name(), base.digest.short()))
}

impl BaseImages {
    fn sanctions(&self, base: &Base) -> bool {
        let covers = |pattern: &ImagePattern| {
            pattern.is(&base.digest)
                || base.indexes.iter().any(|index| pattern.is(index))
                || base.names.iter().any(|name| pattern.covers_name(name))
        };
        self.allow.iter().any(covers)
    }
}

impl Attestations {
    /// Why a statement by somebody who counts is not what the rule wants.
    fn built_otherwise(&self, one: &Signature) -> Option<String> {
        if self.builders.is_empty() && self.sources.is_empty() {
            return None;
        }
        let empty = Provenance::default();
        let said = one.provenance.as_ref().unwrap_or(&empty);
        let fits = |list: &[crate::pattern::Wild], text: &str| list.iter().any(|wild| wild.fits(text));
        let builder = said.builder.as_deref();
        if !self.builders.is_empty() && !builder.is_some_and(|id| fits(&self.builders, id)) {
            return Some(format!(
                "it was built by {}",
                builder.unwrap_or("nobody that its provenance names")
            ));
        }
        if self.sources.is_empty() {
            return None;
        }
        let right = |source: &String| fits(&self.sources, source) || fits(&self.sources, bare(source));
        match &said.source {
            Some(source) if right(source) => None,
            Some(other) => Some(format!("it was built from {other}")),
            None => Some("its provenance names no source".to_owned()),
        }
    }
}

/// A source without how it is fetched and at which revision: `git+https://host/team/app.git@refs/heads/main`.
fn bare(source: &str) -> &str {
    let source = source.strip_prefix("git+").unwrap_or(source);
    let host = source.find("://").map_or(0, |at| at + 3);
    let path = source.get(host..).and_then(|rest| rest.find('/')).map_or(source.len(), |at| host + at);
    let end = source.get(path..).and_then(|rest| rest.find(['@', '#'])).map_or(source.len(), |at| path + at);
    let source = source.get(..end).unwrap_or(source);
    source.strip_suffix(".git").unwrap_or(source)
}

/// What a rule wants to be signed.
struct Want<'w> {
    whose: &'w Whose,
    thing: &'w str,
    things: &'w str,
    none: &'w str,
}

impl Want<'_> {
    fn is_met(&self, right: &[&Signature]) -> bool {
        self.whose.signers(right) >= usize::from(self.whose.at_least)
    }

    /// The reasons why not, if it is not met: `all` are those that could have been right.
    fn judge<'a>(
        &self,
        judge: &mut Judge<'a>,
        rule: &'a Rule,
        right: &[&Signature],
        all: &[&Signature],
        fix: &str,
    ) {
        if self.is_met(right) {
            return;
        }
        let mut told = false;
        for kind in [FaultKind::Bad, FaultKind::Stranger, FaultKind::Unchecked] {
            let faults: Vec<String> = all.iter().filter_map(|one| self.fault(one, kind)).collect();
            if faults.is_empty() {
                continue;
            }
            told = true;
            let number = count(faults.len(), self.thing, self.things);
            let (decision, what) = match kind {
                FaultKind::Bad => (rule.effect, "not right"),
                FaultKind::Stranger => (rule.effect, "not by whom the rule names"),
                FaultKind::Unchecked => (rule.effect.min(Decision::Unknown), "not to be checked here"),
            };
            let verb = if faults.len() == 1 { "is" } else { "are" };
            let found = format!("{number} {verb} {what}: {}", listed(&faults, SHOWN));
            add(judge, rule, decision, found, None, fix.to_owned());
        }
        let there = self.whose.present(right);
        if !there.is_empty() {
            let missing: Vec<&str> =
                self.whose.by.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
            let found = format!(
                "{} of {} {}: by {}; missing: {}",
                self.whose.signers(right),
                self.whose.at_least,
                self.things,
                listed(&there, SHOWN),
                listed(&missing, SHOWN)
            );
            add(judge, rule, rule.effect, found, None, fix.to_owned());
        } else if !told {
            add(judge, rule, rule.effect, self.none.to_owned(), None, fix.to_owned());
        }
    }

    /// Why one counts for nothing here, if it is of this kind.
    fn fault(&self, one: &Signature, kind: FaultKind) -> Option<String> {
        match &one.fault {
            Some(fault) => (fault.kind == kind).then(|| format!("{} ({})", fault.why, one.place)),
            // By somebody whom another rule believes.
            None => (kind == FaultKind::Stranger && !self.whose.any_of(one))
                .then(|| format!("by {} ({})", one.by.join(", "), one.place)),
        }
    }
}

impl Whose {
    fn any_of(&self, one: &Signature) -> bool {
        one.fault.is_none() && one.by.iter().any(|name| self.by.contains(name))
    }

    fn present<'s>(&'s self, right: &[&Signature]) -> Vec<&'s str> {
        let is_there = |name: &&String| right.iter().any(|one| one.by.contains(name));
        self.by.iter().filter(is_there).map(String::as_str).collect()
    }

    /// How many of those the rule names signed, where one signer stands for one of them only: somebody whose identity fits
    /// two patterns is not two people.
    fn signers(&self, right: &[&Signature]) -> usize {
        let mut signers: Vec<&str> =
            right.iter().map(|one| one.signer.as_deref().unwrap_or_default()).collect();
        signers.sort_unstable();
        signers.dedup();
        let fits = |name: &str, signer: &str| {
            let by = |one: &&&Signature| one.signer.as_deref().unwrap_or_default() == signer;
            right.iter().filter(by).any(|one| one.by.iter().any(|known| known == name))
        };
        let mut taken: Vec<Option<usize>> = vec![None; signers.len()];
        let mut number = 0;
        for place in 0..self.by.len() {
            let mut seen = vec![false; signers.len()];
            number += usize::from(self.pair(place, &signers, &fits, &mut taken, &mut seen));
        }
        number
    }

    /// Finds a signer for the name at `place`; whoever had that one finds another (an augmenting path).
    fn pair(
        &self,
        place: usize,
        signers: &[&str],
        fits: &dyn Fn(&str, &str) -> bool,
        taken: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        let Some(name) = self.by.get(place) else { return false };
        for (index, signer) in signers.iter().enumerate() {
            if seen.get(index) != Some(&false) || !fits(name, signer) {
                continue;
            }
            if let Some(flag) = seen.get_mut(index) {
                *flag = true;
            }
            let free = match taken.get(index).copied().flatten() {
                None => true,
                Some(other) => self.pair(other, signers, fits, taken, seen),
            };
            if free && let Some(slot) = taken.get_mut(index) {
                *slot = Some(place);
                return true;
            }
        }
        false
    }
}

/// The image as a command names it.
fn name(judge: &Judge<'_>) -> String {
    let subject = judge.subject;
    match (&subject.name, &subject.digest) {
        (Some(name), Some(digest)) => format!("{}@{digest}", name.name()),
        (Some(name), None) => name.to_string(),
        (None, _) => subject.reference.clone(),
    }
}
