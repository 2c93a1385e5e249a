//! Rules in CEL: what they look at, what they say, and that they fail closed.

use boltseal_model::{Decision, Report};
use boltseal_policy::{Facts, Policy, decide};

use crate::{NOW, files};

fn report(name: &str) -> Report {
    let (_, json) = files("reports").into_iter().find(|(own, _)| own == name).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn policy(effect: &str, cel: &str) -> Policy {
    let text = format!(
        "version: 1
name: shop
rules:
  - name: gaps
    effect: warn
    coverage: {{}}
  - name: own
    effect: {effect}
    cel:
      {}
exceptions:
  - name: pardoned
    rules: [own]
    images: [registry.example.com/pardoned]
    owner: ann
    reason: until the next release
    expires: 2027-01-31
",
        cel.replace('\n', "\n      ")
    );
    Policy::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// What the rule decides about a Debian image, and what it found.
fn told(effect: &str, cel: &str) -> (Decision, String) {
    let verdict = decide(&policy(effect, cel), &Facts::from(&report("node")), NOW.parse().unwrap());
    let own = verdict.reasons.into_iter().find(|reason| reason.rule == "own");
    own.map_or((Decision::Allow, String::new()), |reason| (reason.decision, reason.found))
}

#[test]
fn a_rule_in_cel_says_what_it_found() {
    use Decision::{Allow, Deny, Unknown, Warn};
    for (effect, cel, decision, found) in [
        ("deny", "expression: packages.size() > 0", Allow, ""),
        ("deny", "expression: packages.size() == 0", Deny, "its expression is not true"),
        ("warn", "expression: packages.size() == 0\nmessage: there are packages", Warn, "there are packages"),
        (
            "deny",
            "expression: \"!packages.exists(p, p.ecosystem in params.banned)\"
messageExpression: >-
  'found ' + packages.filter(p, p.ecosystem in params.banned).map(p, p.ecosystem).distinct().join(', ')
params: {banned: [npm]}",
            Deny,
            "found npm",
        ),
        (
            "deny",
            "variables: [{name: worst, expression: \"findings.filter(f, f.severity == 'critical')\"}]
expression: variables.worst.size() < 0
messageExpression: \"string(variables.worst.all(f, has(f.id)))\"",
            Deny,
            "true",
        ),
        ("deny", "expression: params == null && signatures == null", Allow, ""),
        ("deny", "expression: distro.nothing", Deny, "could not be worked out"),
        // Also a rule that only warns refuses what it cannot work out.
        (
            "warn",
            "expression: packages[100000].name == ''",
            Unknown,
            "line 1, column 9: index out of bounds: 100000",
        ),
        ("warn", "expression: packages.size()", Unknown, "and not true or false"),
        (
            "warn",
            "expression: lists.range(900).all(a, lists.range(900).all(b, lists.range(900).all(c, c >= 0)))",
            Unknown,
            "more work than an expression may do",
        ),
    ] {
        let (found_decision, text) = told(effect, cel);
        assert_eq!(found_decision, decision, "{cel}: {text}");
        assert!(text.contains(found), "{cel}: {text}");
    }
}

#[test]
fn what_was_not_looked_at_counts_where_a_rule_looks_inside() {
    let verdict = |expression: &str| {
        let text = format!(
            "version: 1\nname: x\nrules:\n  - {{ name: own, effect: deny, cel: {{ expression: \"{expression}\" }} }}\n"
        );
        let policy = Policy::parse(&text).unwrap();
        decide(&policy, &Facts::from(&report("gaps")), NOW.parse().unwrap()).decision
    };
    assert_eq!(verdict("packages.all(p, true)"), Decision::Unknown);
    assert_eq!(verdict("has(subject.reference)"), Decision::Allow);
}

#[test]
fn exceptions_pardon_rules_in_cel() {
    let mut report = report("node");
    report.subject.name = "registry.example.com/pardoned/app:1".parse().ok();
    let verdict = decide(&policy("deny", "expression: 'false'"), &Facts::from(&report), NOW.parse().unwrap());
    let own = verdict.reasons.iter().find(|reason| reason.rule == "own").unwrap();
    assert_eq!(own.decision, Decision::Warn);
    assert!(own.exception.as_deref().unwrap_or_default().starts_with("pardoned"), "{own:?}");
}

#[test]
fn a_rule_in_cel_asks_for_what_it_looks_at() {
    let asks = |expression: &str| {
        let policy = policy("deny", &format!("expression: {expression}"));
        (policy.asks_for_signatures(), policy.asks_for_bases())
    };
    assert_eq!(asks("signatures.size() > 0"), (true, false));
    assert_eq!(asks("bases.size() > 0"), (false, true));
    assert_eq!(asks("packages.size() > 0"), (false, false));
}
