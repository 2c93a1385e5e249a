//! Tests of policies as people write them: what passes, what fails and how it is told, what is no test.

use boltseal_policy::{Cases, Policy};

use crate::NOW;

const POLICY: &str = "\
version: 1
name: shop
rules:
  - { name: fixable, effect: deny, vulnerabilities: { severity: high, fixable: true } }
  - { name: exploited, effect: deny, vulnerabilities: { kev: true } }
  - { name: ours, effect: deny, images: { allow: [registry.example.com/shop] } }
  - { name: few, effect: warn, cel: { expression: packages.size() < 3, message: too many packages } }
  - { name: gaps, effect: unknown, coverage: {} }
";

/// Problems of the tests in `yaml`, each after the name of its test.
fn problems(yaml: &str) -> Vec<String> {
    let policy = Policy::parse(POLICY).unwrap();
    let cases = Cases::parse(&format!("version: 1\ntests:\n{yaml}"), &|name| match name {
        "web.json" => Ok(std::fs::read_to_string(crate::data("reports/node.json")).unwrap()),
        name => Err(format!("there is no {name}")),
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let run = |case: &boltseal_policy::Trial| {
        let outcome = case.run(&policy, NOW.parse().unwrap());
        outcome
            .problems
            .into_iter()
            .map(move |problem| format!("{}: {problem}", outcome.name))
            .collect::<Vec<_>>()
    };
    cases.tests().iter().flat_map(run).collect()
}

#[test]
fn what_is_as_expected_passes() {
    let found = problems(
        "
- { name: clean, image: registry.example.com/shop/web:1, expect: allow, silent: [fixable, ours] }
- { name: foreign, image: 'debian:12', expect: deny, reasons: { ours: '*docker.io*' } }
- name: fixable
  image: registry.example.com/shop/web:1
  facts:
    packages: [{ ecosystem: debian, name: openssl, version: 3.0.11 }]
    findings: [{ id: CVE-2024-1, package: openssl, severity: critical, fixed: 3.0.13 }]
  expect: deny
  reasons: { fixable: '*CVE-2024-1*' }
  silent: [exploited]
- name: exploited
  image: registry.example.com/shop/web:1
  facts: { findings: [{ id: CVE-2024-1, kev: true, epss: 0.9 }] }
  expect: deny
  reasons: { exploited: '*' }
- name: many
  image: registry.example.com/shop/web:1
  facts: { packages: [{ name: a }, { name: b }, { name: c }] }
  expect: warn
  reasons: { few: too many packages }
- name: not looked at
  image: registry.example.com/shop/web:1
  facts: { gaps: [{ kind: feed-missing }] }
  expect: unknown
- { name: never scanned, image: registry.example.com/shop/web:1, unscanned: true, expect: unknown }
- { name: a report, report: web.json, image: registry.example.com/shop/web:1, expect: deny }
",
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_not_as_expected_is_told() {
    let found = problems(
        "
- { name: a, image: 'debian:12', expect: allow }
- { name: b, image: 'debian:12', expect: deny, reasons: { fixable: '*', ours: '*quay.io*', other: '*' }, silent: [ours, none] }
",
    );
    assert_eq!(
        found,
        [
            "a: expected allow, got deny: the image comes from docker.io/library/debian (policy shop, rule ours); wanted: \
             images from registry.example.com/shop only; fix: use an image from where the rule allows",
            "b: rule fixable says nothing",
            "b: rule other says nothing, because there is no such rule",
            "b: rule ours finds nothing like `*quay.io*`: the image comes from docker.io/library/debian",
            "b: rule ours is not silent: the image comes from docker.io/library/debian",
            "b: rule none is silent, because there is no such rule",
        ]
    );
}

#[test]
fn what_is_no_test_is_refused_with_its_line() {
    for (test, expected) in [
        ("{ name: a, expect: deny }", "policy line 3: test `a`: write `image`, or `report`"),
        (
            "{ name: a, image: x, unscanned: true, facts: {}, expect: deny }",
            "policy line 3: test `a`: write one of `report` (a file), `facts`, and `unscanned: true`",
        ),
        ("{ name: a, report: no.json, expect: deny }", "policy line 3: test `a`: there is no no.json"),
        (
            "{ name: a, image: x, facts: { findings: [{ id: CVE-1, severty: high }] }, expect: deny }",
            "policy line 3: test `a`: facts: an entry of `findings` has no `severty`; it has id, aliases,",
        ),
        (
            "{ name: a, image: x, facts: { packages: [{ version: 1 }] }, expect: deny }",
            "policy line 3: test `a`: facts: an entry of `packages` needs `name`",
        ),
        (
            "{ name: a, image: x, facts: { finding: [] }, expect: deny }",
            "policy line 3: test `a`: facts: there is no `finding`; there is distro,",
        ),
        (
            "{ name: a, image: x, facts: { findings: [{ id: CVE-1, severity: huge }] }, expect: deny }",
            "policy line 3: test `a`: facts: ",
        ),
        ("{ name: a, image: x, expect: maybe }", "policy line 3, column 34: unknown word `maybe`"),
        (
            "{ name: a, image: x, expects: deny }",
            "policy line 3, column 26: unknown field `expects`; did you mean `expect`?",
        ),
    ] {
        let yaml = format!("version: 1\ntests:\n  - {test}\n");
        let error = Cases::parse(&yaml, &|name| Err(format!("there is no {name}"))).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{test}: {error}");
    }
}
