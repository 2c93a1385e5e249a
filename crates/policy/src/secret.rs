//! Rules about credentials that lie in the image.

use std::collections::BTreeMap;

use boltseal_model::{Decision, Leak};

use crate::{
    exception::Hit,
    judge::{Case, Judge},
    rule::{Rule, Secrets},
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
pub(crate) fn judge<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Secrets, leaks: Option<&[Leak]>) {
    let Some(leaks) = leaks else {
        let pardon = judge.pardon(rule, Hit::default());
        let decision = rule.effect.min(Decision::Unknown);
        let found = "nobody has looked for credentials in the image".to_owned();
        let fix = Some("scan it again with this version".to_owned());
        return judge.add(rule, Case { decision, pardon, found, wanted: None, fix });
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
