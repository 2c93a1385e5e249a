//! What a draft changes about recorded verdicts.

use boltseal_model::{Decision, Digest, Reason, Verdict};
use boltseal_policy::Replayed;

fn verdict(reasons: &[(Decision, &str, &str)]) -> Verdict {
    let reason = |(decision, rule, found): &(Decision, &str, &str)| Reason {
        decision: *decision,
        rule: (*rule).to_owned(),
        found: (*found).to_owned(),
        wanted: String::new(),
        fix: None,
        exception: None,
    };
    Verdict {
        decision: reasons.iter().map(|one| one.0).max().unwrap_or(Decision::Allow),
        policy: "p".to_owned(),
        policy_digest: Digest::of(b""),
        snapshot: None,
        reasons: reasons.iter().map(reason).collect(),
        expires: None,
    }
}

#[test]
fn what_changes_is_told_by_rule() {
    use Decision::{Allow, Deny, Warn};
    const OLD: (Decision, &str, &str) = (Warn, "fixable", "CVE-1");
    const STRICT: (Decision, &str, &str) = (Deny, "fixable", "CVE-1");
    const NEW: (Decision, &str, &str) = (Deny, "signed", "no signature");
    for (before, after, expected) in [
        (&[OLD][..], &[OLD][..], None),
        (&[OLD], &[STRICT], Some((Warn, Deny, true, vec!["fixable"]))),
        (&[STRICT], &[], Some((Deny, Allow, true, vec!["fixable"]))),
        (&[STRICT], &[STRICT, NEW], Some((Deny, Deny, false, vec!["signed"]))),
        (&[], &[OLD], Some((Allow, Warn, false, vec!["fixable"]))),
    ] {
        let found = Replayed::between(&verdict(before), &verdict(after));
        let found = found.as_ref().map(|one| (one.before, one.after, one.turns(), one.rules()));
        assert_eq!(found, expected, "{before:?} {after:?}");
    }
}
