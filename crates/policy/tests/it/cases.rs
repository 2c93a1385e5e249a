//! Expected verdicts lie in `data/verdicts`. After a change that is meant, `BOLTSEAL_BLESS=1 cargo test` rewrites
//! them, and the difference is reviewed like code.

use boltseal_model::{Decision, Report, Verdict};
use boltseal_policy::{Facts, Policy, decide, unscanned};

use crate::{NOW, data, files};

fn policies() -> Vec<Policy> {
    let mut policies: Vec<Policy> = files("policies")
        .iter()
        .map(|(name, yaml)| Policy::parse(yaml).unwrap_or_else(|e| panic!("{name}: {e}")))
        .collect();
    policies.push(Policy::built_in().clone());
    policies
}

fn reports() -> Vec<(String, Report)> {
    files("reports")
        .into_iter()
        .map(|(name, json)| {
            let report = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, report)
        })
        .collect()
}

fn check(name: &str, verdict: &Verdict) {
    let path = data("verdicts").join(name).with_extension("json");
    // The digest of the policy's text changes with every comment; it has a test of its own.
    let mut value = serde_json::to_value(verdict).unwrap();
    value.as_object_mut().unwrap().remove("policy_digest");
    let found = serde_json::to_string_pretty(&value).unwrap() + "\n";
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(found, wanted, "{name}");
}

#[test]
fn verdicts_are_as_reviewed() {
    let now = NOW.parse().unwrap();
    for policy in policies() {
        for (name, report) in reports() {
            check(&format!("{}/{name}", policy.name()), &decide(&policy, &Facts::from(&report), now));
        }
    }
}

#[test]
fn unscanned_images_are_unknown_unless_a_rule_says_otherwise() {
    let now = NOW.parse().unwrap();
    let (_, report) = reports().into_iter().find(|(name, _)| name == "clean-debian").unwrap();
    for policy in policies() {
        check(&format!("{}/unscanned", policy.name()), &unscanned(&policy, &report.subject, now));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of days")]
fn support_ends_with_notice_and_grace() {
    use Decision::{Allow, Deny, Warn};
    let report: Report = reports().into_iter().find(|(name, _)| name == "clean-debian").unwrap().1;
    let until = |last: Option<&str>| {
        let mut report = report.clone();
        let distro = report.distro.as_mut().unwrap();
        distro.end_of_life = last.map(|day| day.parse().unwrap());
        report.coverage.gaps.clear();
        report
    };
    let check = |effect: &str, rule: &str, last: Option<&str>, now: &str| {
        let text = format!(
            "version: 1\nname: shop\nrules:\n  - name: supported\n    effect: {effect}\n    end_of_life: {rule}\n"
        );
        let (policy, report) = (Policy::parse(&text).unwrap(), until(last));
        let verdict = decide(&policy, &Facts::from(&report), now.parse().unwrap());
        let found = verdict.reasons.first().map(|reason| reason.found.clone()).unwrap_or_default();
        let found = found.split_once(" of Debian").map_or(found.clone(), |(_, rest)| {
            rest.split_once(") ").map_or(rest, |(_, rest)| rest).to_owned()
        });
        (verdict.decision, found, verdict.expires.map(|at| at.to_string()))
    };
    let both = "{ grace_days: 30, notice_days: 60 }";
    let last = Some("2026-06-30");
    for (effect, rule, last, now, decision, found, expires) in [
        ("deny", both, None, "2026-06-30T00:00:00Z", Allow, "", None),
        ("deny", both, last, "2026-04-30T23:59:59Z", Allow, "", Some("2026-05-01T00:00:00Z")),
        (
            "deny",
            both,
            last,
            "2026-05-01T00:00:00Z",
            Warn,
            "ends on 2026-06-30",
            Some("2026-07-01T00:00:00Z"),
        ),
        (
            "deny",
            both,
            last,
            "2026-06-30T23:59:59Z",
            Warn,
            "ends on 2026-06-30",
            Some("2026-07-01T00:00:00Z"),
        ),
        (
            "deny",
            both,
            last,
            "2026-07-01T00:00:00Z",
            Warn,
            "ended on 2026-06-30; days of grace last until 2026-07-30",
            Some("2026-07-31T00:00:00Z"),
        ),
        ("deny", both, last, "2026-07-31T00:00:00Z", Deny, "ended on 2026-06-30", None),
        ("deny", "{}", last, "2026-06-30T23:59:59Z", Allow, "", Some("2026-07-01T00:00:00Z")),
        ("deny", "{}", last, "2026-07-01T00:00:00Z", Deny, "ended on 2026-06-30", None),
        ("warn", "{}", last, "2026-07-01T00:00:00Z", Warn, "ended on 2026-06-30", None),
        (
            "warn",
            both,
            last,
            "2026-06-30T00:00:00Z",
            Allow,
            "ends on 2026-06-30",
            Some("2026-07-01T00:00:00Z"),
        ),
    ] {
        let expected = (decision, found.to_owned(), expires.map(str::to_owned));
        assert_eq!(check(effect, rule, last, now), expected, "{effect} {rule} at {now}");
    }
    let wrong = "version: 1\nname: shop\nrules:\n  - name: a\n    effect: deny\n    end_of_life: { grace_days: 4000 }\n";
    assert!(Policy::parse(wrong).is_err_and(|error| error.to_string().contains("3650")));
}

#[test]
fn digest_is_of_the_exact_text() {
    let policy = Policy::built_in();
    assert_eq!(policy.name(), "default");
    assert_eq!(*policy.digest(), boltseal_model::Digest::of(Policy::built_in_text().as_bytes()));
}

#[test]
fn grace_may_be_given_from_outside() {
    let text = "version: 1\nname: shop\nrules:\n  - name: fixable\n    effect: deny\n    vulnerabilities: { fixable: true }\n  \
        - name: exploited\n    effect: deny\n    vulnerabilities: { fixable: true, kev: true }\n  \
        - name: complete\n    effect: warn\n    coverage: {}\n";
    let example = std::fs::read_to_string(data("../../../../docs/reference/report.example.json")).unwrap();
    let example: Report = serde_json::from_str(&example).unwrap();
    let mut unexploited = example.clone();
    for finding in &mut unexploited.findings {
        finding.kev = None;
    }
    // The fix is eight days old.
    for (days, report, expected) in [
        (14, &unexploited, Decision::Warn),
        (8, &unexploited, Decision::Warn),
        (7, &unexploited, Decision::Deny),
        (14, &example, Decision::Deny),
    ] {
        let (policy, changed) = Policy::parse(text).unwrap().with_grace(days);
        assert_eq!((policy.name(), changed), (format!("shop, {days} days of grace").as_str(), 1));
        let verdict = decide(&policy, &Facts::from(report), NOW.parse().unwrap());
        assert_eq!(verdict.decision, expected, "{days}: {:?}", verdict.reasons);
    }
    let (policy, changed) = Policy::parse("version: 1\nname: none\n").unwrap().with_grace(7);
    assert_eq!((policy.name(), changed), ("none", 0));
}
