//! What a group says of itself in tags, which Azure keeps and ignores.
//!
//! ```yaml
//! tags:
//!   boltseal.rollout-on: base, critical
//!   boltseal.rollout-strategy: blue-green
//! ```

use std::collections::BTreeSet;

use crate::{
    document::At,
    leaf::{Leaf, Place},
};

/// When a group is replaced by itself.
const ROLLOUT_ON: &str = "boltseal.rollout-on";
/// How.
const STRATEGY: &str = "boltseal.rollout-strategy";

/// When a group is replaced by itself, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Any of these is reason enough.
    pub reasons: BTreeSet<Reason>,
    /// Whether what was replaced goes on running.
    pub blue_green: bool,
}

/// Why a group is replaced: always by what the names in its file mean by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// One of the names means another image.
    Image,
    /// It does, and what runs was built on a base that was built again.
    Base,
    /// It does, and what runs has a critical vulnerability.
    Critical,
}

/// `wrong` gets what cannot be told, or means nothing.
pub(super) fn renewal(tags: &At<'_>, wrong: &mut Vec<(Place, String)>) -> Renewal {
    let mut renewal = Renewal::default();
    let mut is_rolling = false;
    for (name, at) in tags.entries() {
        let (reasons, strategy) =
            (name.eq_ignore_ascii_case(ROLLOUT_ON), name.eq_ignore_ascii_case(STRATEGY));
        if !reasons && !strategy {
            continue;
        }
        let text = match at.text() {
            Leaf::Set(text, _) => text,
            Leaf::Unset(_) => continue,
            Leaf::Unknown(why, place) => {
                wrong.push((place, format!("`{name}`: {why}")));
                continue;
            }
        };
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            match (reasons, word.to_ascii_lowercase().as_str()) {
                (true, "image") => drop(renewal.reasons.insert(Reason::Image)),
                (true, "base") => drop(renewal.reasons.insert(Reason::Base)),
                (true, "critical") => drop(renewal.reasons.insert(Reason::Critical)),
                (false, "rolling") => is_rolling = true,
                (false, "blue-green") => renewal.blue_green = true,
                (true, _) => wrong.push((at.place(), format!("`{word}` is none of image, base, critical"))),
                (false, _) => wrong.push((at.place(), format!("`{word}` is neither rolling nor blue-green"))),
            }
        }
        if is_rolling && renewal.blue_green {
            wrong.push((at.place(), "a rollout is rolling or blue-green, not both".to_owned()));
        }
    }
    renewal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_groups_are_replaced() {
        use Reason::{Base, Critical, Image};
        for (tags, reasons, blue_green, wrong) in [
            ("{}", &[][..], false, None),
            ("{boltseal.rollout-on: 'base, critical'}", &[Base, Critical], false, None),
            ("{Boltseal.Rollout-On: image, boltseal.rollout-strategy: Blue-Green}", &[Image], true, None),
            ("{boltseal.rollout-on: weekly}", &[], false, Some("`weekly` is none of image, base, critical")),
            ("{boltseal.rollout-strategy: 'rolling blue-green'}", &[], true, Some("not both")),
            ("{boltseal.rollout: image}", &[], false, None),
        ] {
            let wanted = Renewal { reasons: reasons.iter().copied().collect(), blue_green };
            let group = format!(
                "type: Microsoft.ContainerInstance/containerGroups\nname: shop\ntags: {tags}\nproperties: {{containers: []}}\n"
            );
            let read = crate::read("group.yaml", group.as_bytes()).unwrap();
            let needs = super::super::needs(&read.workloads[0]);
            assert_eq!(needs.renewal, wanted, "{tags}");
            let first = needs.wrong.first().map(|(_, why)| why.as_str());
            assert_eq!(first.is_some(), wrong.is_some(), "{tags}: {first:?}");
            assert!(wrong.is_none_or(|wrong| first.is_some_and(|first| first.contains(wrong))), "{first:?}");
        }
    }
}
