//! What differs between two policies, in words.

use boltseal_policy::{Policy, compare};

const BEFORE: &str = "\
version: 1
name: shop
rules:
  - { name: gone, effect: warn, malware: {} }
  - { name: same, effect: deny, secrets: {} }
  - { name: stricter, effect: warn, vulnerabilities: { severity: critical } }
  - { name: longer, effect: deny, images: { allow: [a.example/1, a.example/2, a.example/3, a.example/4, a.example/5, a.example/6, a.example/7] } }
exceptions:
  - { name: pardon, findings: [CVE-2024-1], owner: ann, reason: no fix yet, expires: 2027-01-31 }
";

const AFTER: &str = "\
version: 1
name: shop
rules:
  - { name: stricter, effect: deny, vulnerabilities: { severity: high } }
  - { name: same, effect: deny, secrets: {} }
  - { name: longer, effect: deny, images: { allow: [a.example/1, a.example/2, a.example/3, a.example/4, a.example/5, a.example/6, a.example/8] } }
  - { name: new, effect: deny, cel: { expression: packages.size() < 900 } }
exceptions:
  - { name: pardon, findings: [CVE-2024-1], owner: ann, reason: no fix yet, expires: 2027-02-28 }
";

#[test]
fn differences_are_told_in_words() {
    let (before, after) = (Policy::parse(BEFORE).unwrap(), Policy::parse(AFTER).unwrap());
    assert_eq!(compare(&before, &before), []);
    let told: Vec<String> = compare(&before, &after)
        .into_iter()
        .map(|change| {
            let side = |side: Option<String>| side.unwrap_or_default();
            format!(
                "{} {} {}: {} -> {}",
                change.part,
                change.name,
                change.what,
                side(change.before),
                side(change.after)
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "rule gone removed: warn: no file that is known to be malicious -> ",
            "rule stricter changed: warn: no critical vulnerability -> deny: no high or worse vulnerability",
            "rule longer changed: deny: images from a.example/1, a.example/2, a.example/3, a.example/4, a.example/5, \
             a.example/6 and 1 more only -> deny: images from a.example/1, a.example/2, a.example/3, a.example/4, \
             a.example/5, a.example/6 and 1 more only (differs in what this sentence does not show)",
            "rule new added:  -> deny: an image of which this is true: packages.size() < 900",
            "exception pardon changed: findings CVE-2024-1: no fix yet (until 2027-01-31, ann) -> findings CVE-2024-1: \
             no fix yet (until 2027-02-28, ann)",
        ]
    );
}
