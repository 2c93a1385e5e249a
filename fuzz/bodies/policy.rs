//! Any text: reading it never panics, and whatever is a policy does not allow an image that was never scanned without
//! saying by which rule.

/// Reads `text` as a policy and asks it.
pub fn body(text: &str) {
    let Ok(policy) = boltseal_policy::Policy::parse(text) else { return };
    assert_eq!(*policy.digest(), boltseal_model::Digest::of(text.as_bytes()));
    let subject = boltseal_model::Subject {
        reference: "docker://debian:12".to_owned(),
        name: "debian:12".parse().ok(),
        digest: None,
        config: None,
        platform: None,
    };
    let now = boltseal_model::Timestamp::UNIX_EPOCH;
    let verdict = boltseal_policy::unscanned(&policy, &subject, now);
    assert!(verdict.decision != boltseal_model::Decision::Allow || !verdict.reasons.is_empty());
    for rule in boltseal_policy::describe(&policy) {
        assert!(!rule.wants.is_empty(), "rule {} wants nothing", rule.name);
    }
}
