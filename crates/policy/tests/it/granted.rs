//! Exceptions that enough people approved, and that end by themselves when more is known of what they pardon.

use boltseal_model::{Decision, Timestamp};
use boltseal_policy::{Cases, Policy};

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
fn told(head: &str, exception: &str, finding: &str) -> (Decision, String) {
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
    let outcome = cases.tests().first().unwrap().run(&policy(head, exception).unwrap(), now);
    let words = outcome
        .reasons
        .iter()
        .map(|reason| reason.found.as_str())
        .find(|found| found.starts_with("exception "));
    (outcome.decision, words.unwrap_or_default().to_owned())
}

#[test]
fn exceptions_count_when_enough_people_approved_them() {
    use Decision::{Deny, Warn};
    for (head, exception, decision, words) in [
        ("", "", Warn, ""),
        ("approvals: 2", ", approved_by: [bob, cho]", Warn, ""),
        ("approvals: 2", "", Deny, "exception pardon of ann does not count yet: nobody approved it"),
        (
            "approvals: 2",
            ", approved_by: [bob, Bob]",
            Deny,
            "exception pardon of ann does not count yet: 1 of 2 approved it: bob",
        ),
    ] {
        assert_eq!(told(head, exception, ""), (decision, words.to_owned()), "{head} {exception}");
    }
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
        assert_eq!(told("", exception, finding), (decision, words.to_owned()), "{exception} {finding}");
    }
}

#[test]
fn what_means_nothing_is_refused() {
    for (head, exception, expected) in [
        ("approvals: 0", "", "policy line 3: approvals is 1 to 10; without the line nobody needs to approve"),
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
