//! Which images of a repository go by rules, and why: a plan, made of plain values, that can be shown before it is done.
//!
//! What stays for another reason than a rule stays first: whatever a pattern keeps, what is locked, and everything that
//! something staying refers to: the images of an index, and signatures and the like for as long as what they are about.
//! What refers to something that goes, goes with it; so no signature is left without its image, and no image of an
//! index without the index.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_api::retention::Rule;
use boltseal_model::{Digest, Timestamp};

use crate::pattern::{any, fits};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Seconds for which a push is left alone: the images of an index come before it, and a tag may come after its image.
const SETTLING: i64 = 3_600;

/// A manifest of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Of the manifest.
    pub digest: Digest,
    /// Names that point to it.
    pub tags: Vec<String>,
    /// When it was pushed last.
    pub pushed: Timestamp,
    /// When it was pulled last, if ever.
    pub pulled: Option<Timestamp>,
    /// Since when its verdict has been deny, if it is.
    pub denied: Option<Timestamp>,
    /// What it is about, for a signature and the like.
    pub subject: Option<Digest>,
    /// Manifests of an index.
    pub children: Vec<Digest>,
    /// Somebody forbade to delete it.
    pub locked: bool,
}

/// A manifest that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Going {
    /// Of the manifest.
    pub digest: Digest,
    /// Name of the rule.
    pub rule: String,
    /// Why, in a sentence.
    pub why: String,
}

/// Whether a rule is about a repository.
pub fn covers(rule: &Rule, repository: &str) -> bool {
    fits(&rule.repositories, repository)
}

/// What goes by `rules`, all of which are about the repository that has exactly `images`. What refers to another comes
/// before it; otherwise in the order of digests.
pub fn plan(images: &[Image], rules: &[&Rule], now: Timestamp) -> Vec<Going> {
    let house = House::new(images);
    let candidates = candidates(&house, rules, now);
    let mut kept = house.kept(rules, &candidates);
    loop {
        let going = follow(&house, &kept, &candidates);
        // What no rule speaks about, and nothing that goes has, stays as well: two that belong to each other, such as an
        // index in the signature's tag of its own image. What those have is theirs even so.
        let stay = house.images.keys().copied().filter(|digest| !going.contains_key(digest)).collect();
        let all = house.with_belongings(stay);
        if all.is_subset(&kept) {
            return in_order(&house, going);
        }
        kept.extend(all);
    }
}

/// The manifests of a repository, and who refers to whom.
struct House<'a> {
    images: BTreeMap<&'a Digest, &'a Image>,
    /// What belongs to a manifest: images of an index, signatures of an image.
    belongings: BTreeMap<&'a Digest, Vec<&'a Digest>>,
    /// The other way round; what nothing here owns is not in it.
    owners: BTreeMap<&'a Digest, Vec<&'a Digest>>,
}

impl<'a> House<'a> {
    fn new(images: &'a [Image]) -> Self {
        let all: BTreeMap<&Digest, &Image> = images.iter().map(|image| (&image.digest, image)).collect();
        let mut house = Self { images: all, belongings: BTreeMap::new(), owners: BTreeMap::new() };
        for image in images {
            for child in &image.children {
                house.own(&image.digest, child);
            }
            if let Some(subject) = &image.subject {
                house.own(subject, &image.digest);
            }
            for tag in &image.tags {
                let Some(subject) = about(tag) else { continue };
                // The map's own value, which lives as long as the images do.
                let known = house.images.get_key_value(&subject).map(|(known, _)| *known);
                if let Some(known) = known.filter(|known| **known != image.digest) {
                    house.own(known, &image.digest);
                }
            }
        }
        // Reasons name the owner by which something was found first: the same in whatever order the images come.
        for things in house.belongings.values_mut() {
            things.sort_unstable();
        }
        house
    }

    fn own(&mut self, owner: &'a Digest, thing: &'a Digest) {
        if owner != thing && self.images.contains_key(owner) && self.images.contains_key(thing) {
            self.belongings.entry(owner).or_default().push(thing);
            self.owners.entry(thing).or_default().push(owner);
        }
    }

    /// Whether rules speak about it by itself: it has a name of its own, or belongs to nothing.
    fn stands_alone(&self, image: &Image) -> bool {
        let named = image.tags.iter().any(|tag| about(tag).is_none());
        named || !self.owners.contains_key(&image.digest)
    }

    /// What stays whatever else is decided: no candidate, or kept by a pattern or a lock; and all that belongs to it.
    fn kept(
        &self,
        rules: &[&Rule],
        candidates: &BTreeMap<&'a Digest, (&Rule, String)>,
    ) -> BTreeSet<&'a Digest> {
        let mut waiting: Vec<&Digest> = Vec::new();
        for (digest, image) in &self.images {
            let by_pattern = image.tags.iter().any(|tag| rules.iter().any(|rule| any(&rule.keep, tag)));
            let stays = self.stands_alone(image) && !candidates.contains_key(digest);
            if image.locked || by_pattern || stays {
                waiting.push(digest);
            }
        }
        self.with_belongings(waiting)
    }

    /// Those, and all that belongs to them.
    fn with_belongings(&self, mut waiting: Vec<&'a Digest>) -> BTreeSet<&'a Digest> {
        let mut all = BTreeSet::new();
        while let Some(digest) = waiting.pop() {
            if all.insert(digest) {
                waiting.extend(self.belongings.get(digest).into_iter().flatten());
            }
        }
        all
    }
}

/// The digest that a signature's tag of old speaks about: `sha256-HEX`, perhaps with an ending such as `.sig`.
fn about(tag: &str) -> Option<Digest> {
    let (algorithm, rest) = tag.split_once('-')?;
    let hex = rest.split('.').next().unwrap_or(rest);
    format!("{algorithm}:{hex}").parse().ok()
}

/// What a rule speaks against.
fn candidates<'a, 'r>(
    house: &House<'a>,
    rules: &[&'r Rule],
    now: Timestamp,
) -> BTreeMap<&'a Digest, (&'r Rule, String)> {
    let mut found = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.deletes() && !rule.disabled) {
        let mut those: Vec<&Image> = house
            .images
            .values()
            .copied()
            .filter(|image| house.stands_alone(image) && is_about(rule, image))
            .collect();
        those.sort_by(|a, b| b.pushed.cmp(&a.pushed).then_with(|| a.digest.cmp(&b.digest)));
        for (place, image) in those.into_iter().enumerate() {
            if let Some(why) = against(rule, image, place, now) {
                found.entry(&image.digest).or_insert((*rule, why));
            }
        }
    }
    found
}

/// Whether a rule is about an image at all.
fn is_about(rule: &Rule, image: &Image) -> bool {
    if rule.untagged && !image.tags.is_empty() {
        return false;
    }
    rule.tags.is_empty() || (!image.tags.is_empty() && image.tags.iter().all(|tag| any(&rule.tags, tag)))
}

/// What the conditions of a rule have against an image that `place` others were pushed after; nothing unless all do.
fn against(rule: &Rule, image: &Image, place: usize, now: Timestamp) -> Option<String> {
    let mut reasons = Vec::new();
    if now.as_second().saturating_sub(image.pushed.as_second()) < SETTLING {
        return None;
    }
    if rule.untagged {
        reasons.push("it has no tag".to_owned());
    }
    if let Some(days) = rule.older_than_days {
        reasons.push(format!("it was pushed {} ago", older(image.pushed, days, now)?));
    }
    if let Some(newest) = rule.beyond_newest {
        if place < newest as usize {
            return None;
        }
        reasons.push(format!("{place} were pushed after it, and {newest} are kept"));
    }
    if let Some(days) = rule.not_pulled_days {
        // Nobody can have pulled what has just come.
        let used = image.pulled.map_or(image.pushed, |pulled| pulled.max(image.pushed));
        let long = older(used, days, now)?;
        reasons.push(match image.pulled {
            Some(pulled) if pulled >= image.pushed => format!("it was pulled last {long} ago"),
            _ => format!("it was not pulled since it was pushed {long} ago"),
        });
    }
    if let Some(days) = rule.denied_days {
        reasons.push(format!("it has been denied for {}", older(image.denied?, days, now)?));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// How long ago a moment was, if that is more than so many days.
fn older(moment: Timestamp, days: u32, now: Timestamp) -> Option<String> {
    let age = now.as_second().saturating_sub(moment.as_second());
    (age > i64::from(days) * DAY).then(|| match age / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        whole => format!("{whole} days"),
    })
}

/// Candidates that are not kept, and what belongs to something that goes, unless it is kept.
fn follow<'a, 'r>(
    house: &House<'a>,
    kept: &BTreeSet<&Digest>,
    candidates: &BTreeMap<&'a Digest, (&'r Rule, String)>,
) -> BTreeMap<&'a Digest, (&'r Rule, String)> {
    let mut going: BTreeMap<&Digest, (&Rule, String)> = candidates
        .iter()
        .filter(|(digest, _)| !kept.contains(**digest))
        .map(|(digest, reason)| (*digest, reason.clone()))
        .collect();
    let mut waiting: Vec<&Digest> = going.keys().copied().collect();
    while let Some(owner) = waiting.pop() {
        let Some((rule, _)) = going.get(owner) else { continue };
        let rule = *rule;
        for owned in house.belongings.get(owner).into_iter().flatten() {
            if !kept.contains(owned) && !going.contains_key(owned) {
                going.insert(owned, (rule, format!("it belongs to {owner}, which goes")));
                waiting.push(owned);
            }
        }
    }
    going
}

/// Indexes before their images, signatures before what they are about: what remains of an interrupted run is whole.
fn in_order<'a>(house: &House<'a>, mut going: BTreeMap<&'a Digest, (&Rule, String)>) -> Vec<Going> {
    let mut ordered = Vec::with_capacity(going.len());
    let depth = |digest: &Digest| {
        let image = house.images.get(digest);
        (
            image.is_none_or(|image| image.subject.is_none()),
            image.is_none_or(|image| image.children.is_empty()),
        )
    };
    let mut digests: Vec<&Digest> = going.keys().copied().collect();
    digests.sort_by_key(|digest| (depth(digest), *digest));
    for digest in digests {
        if let Some((rule, why)) = going.remove(digest) {
            ordered.push(Going { digest: digest.clone(), rule: rule.name.clone(), why });
        }
    }
    ordered
}
