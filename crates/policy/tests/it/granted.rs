//! Exceptions that enough people approved, and that end by themselves when more is known of what they pardon.

use boltseal_model::{Decision, Timestamp};
use boltseal_policy::{Approval, Cases, Policy, exceptions};

use crate::NOW;

fn policy(head: &str, exception: &str) -> Result<Policy, boltseal_policy::Error> {
    Policy::parse(&format!(
        "version: 1
name: shop
{head}
rules:
  - {{ name: high, effect: deny, vulnerabilities: {{ severity: high }} }}
  - {{ name: gaps, effect: unknown, coverage: {{}} }}
exceptions:
  - {{ name: pardon, findings: [CVE-1], owner: ann, reason: not reachable, expires: 2027-01-31{exception} }}
"
    ))
}

/// What is decided about an image with CVE-1, and the words about the exception.
fn told(policy: &Policy, finding: &str) -> (Decision, String) {
    let cases = format!(
        "version: 1
tests:
  - name: t
    image: registry.example.com/a:1
    facts: {{ findings: [{{ id: CVE-1, package: a, severity: high{finding} }}] }}
    expect: allow
"
    );
    let cases = Cases::parse(&cases, &|name| Err(name.to_owned())).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let outcome = cases.tests().first().unwrap().run(policy, now);
    let words = outcome
        .reasons
        .iter()
        .map(|reason| reason.found.as_str())
        .find(|found| found.starts_with("exception "));
    (outcome.decision, words.unwrap_or_default().to_owned())
}

/// Approvals of the only exception of `of` by each of `names`.
fn approvals(of: &Policy, names: &[&str]) -> Vec<Approval> {
    let exception = exceptions(of).pop().unwrap().digest;
    names.iter().map(|name| Approval { exception: exception.clone(), by: (*name).to_owned() }).collect()
}

#[test]
fn exceptions_count_when_enough_people_approved_them() {
    use Decision::{Deny, Warn};
    let nobody = "exception pardon of ann does not count yet: nobody approved it";
    let one = "exception pardon of ann does not count yet: 1 of 2 approved it: bob";
    for (head, names, decision, words) in [
        ("", &[][..], Warn, ""),
        ("approvals: 2", &["bob", "cho"], Warn, ""),
        ("approvals: 2", &[], Deny, nobody),
        // The same name twice, and the owner, are nobody more.
        ("approvals: 2", &["bob", "Bob"], Deny, one),
        ("approvals: 2", &["bob", "ann"], Deny, one),
        ("approvals: 2", &["ann@example.com", "Ann"], Deny, nobody),
    ] {
        let policy = policy(head, "").unwrap();
        let approved = policy.clone().with_approvals(&approvals(&policy, names));
        assert_eq!(told(&approved, ""), (decision, words.to_owned()), "{head} {names:?}");
    }
}

#[test]
fn what_was_approved_is_what_the_exception_says_and_nothing_else() {
    let asked = "approvals: 1";
    let first = policy(asked, "").unwrap();
    let given = approvals(&first, &["bob"]);
    for (changed, counts) in [
        (policy(asked, ""), true),
        // The rest of the policy may change.
        (policy("approvals: 1\nauthorities: []", ""), true),
        (policy(asked, ", known: { kev: false }"), false),
        (policy(asked, ", images: [registry.example.com]"), false),
        (policy(asked, ", rules: [high]"), false),
    ] {
        let changed = changed.unwrap().with_approvals(&given);
        assert_eq!(told(&changed, "").0 == Decision::Warn, counts, "{:?}", exceptions(&changed));
    }
    let text = "version: 1\nname: NAME\napprovals: 1\nrules: [{ name: high, effect: deny, vulnerabilities: {} }]\nexceptions: [{ name: \
                pardon, findings: [CVE-1], owner: ann, reason: r, expires: 2027-01-31 }]\n";
    let called = |name: &str| Policy::parse(&text.replace("NAME", name)).unwrap();
    let lenient = approvals(&called("lenient"), &["bob"]);
    let missing = |policy: Policy| exceptions(&policy).pop().unwrap().missing_approvals;
    assert_eq!(missing(called("lenient").with_approvals(&lenient)), 0);
    assert_eq!(missing(called("strict").with_approvals(&lenient)), 1, "approved in another policy");
}

#[test]
fn verdicts_name_what_was_approved_and_signatures_do_not() {
    let policy = policy("approvals: 1", "").unwrap();
    let approved = policy.clone().with_approvals(&approvals(&policy, &["bob"]));
    assert_ne!(approved.digest(), policy.digest(), "verdicts have to be made anew");
    assert_eq!(approved.text_digest(), policy.digest());
    assert_eq!(approved.with_approvals(&[]).digest(), policy.digest(), "taken back");
    let unasked = self::policy("", "").unwrap();
    let more = approvals(&unasked, &["bob"]);
    assert_eq!(unasked.clone().with_approvals(&more).digest(), unasked.digest(), "nothing depends on it");
}

#[test]
fn exceptions_end_when_more_is_known() {
    use Decision::{Deny, Warn};
    for (exception, finding, decision, words) in [
        ("", ", kev: true, epss: 0.9", Warn, ""),
        (", known: { kev: false }", ", epss: 0.9", Warn, ""),
        (
            ", known: { kev: false }",
            ", kev: true",
            Deny,
            "exception pardon of ann no longer pardons this: CVE-1 was not known to be exploited, and is since 2024-01-01 (KEV)",
        ),
        (", known: { kev: true }", ", kev: true", Warn, ""),
        (", known: { epss: 0.02 }", ", epss: 0.11", Warn, ""),
        (
            ", known: { epss: 0.02 }",
            ", epss: 0.41",
            Deny,
            "exception pardon of ann no longer pardons this: the EPSS score of CVE-1 was 0.02, and is 0.41",
        ),
        (", known: { epss: 0.02 }", "", Warn, ""),
    ] {
        let policy = policy("", exception).unwrap();
        assert_eq!(told(&policy, finding), (decision, words.to_owned()), "{exception} {finding}");
    }
}

#[test]
fn what_means_nothing_is_refused() {
    for (head, exception, expected) in [
        ("approvals: 0", "", "policy line 3: approvals is 1 to 10; without the line nobody needs to approve"),
        (
            "approvers: [bob]",
            "",
            "policy line 3: approvers: there is no authority `bob`; the authorities are: there are none",
        ),
        (
            "approvals: 1",
            ", approved_by: [bob]",
            "policy line 8: exception `pardon`: `approved_by` is nobody's word: anybody who writes this file could name anybody. \
             Remove the line and have people approve it: `boltseal exception approve pardon`",
        ),
        (
            "",
            ", known: {}",
            "policy line 8: exception `pardon`: known needs kev, epss or both: what was known when it was granted",
        ),
        ("", ", known: { epss: 41 }", "policy line 8: exception `pardon`: known.epss is between 0 and 1"),
    ] {
        assert_eq!(policy(head, exception).unwrap_err().to_string(), expected);
    }
}
