//! What holds for every policy and every image.

use boltseal_model::{Date, Decision, Finding, Gap, GapKind, Kev, Report, Severity, Status, Timestamp};
use boltseal_policy::{Facts, Findings, Policy, decide};
use proptest::prelude::*;

use crate::{NOW, files};

fn policy() -> impl Strategy<Value = Policy> {
    let mut policies: Vec<Policy> =
        files("policies").iter().map(|(_, yaml)| Policy::parse(yaml).unwrap()).collect();
    policies.push(Policy::default());
    proptest::sample::select(policies)
}

fn report() -> impl Strategy<Value = Report> {
    let reports: Vec<Report> =
        files("reports").iter().map(|(_, json)| serde_json::from_str(json).unwrap()).collect();
    proptest::sample::select(reports)
}

fn finding() -> impl Strategy<Value = Finding> {
    let example: Vec<Report> =
        files("reports").iter().map(|(_, json)| serde_json::from_str(json).unwrap()).collect();
    let examples: Vec<Finding> = example.into_iter().flat_map(|report| report.findings).collect();
    let status = proptest::sample::select(vec![
        Status::Affected,
        Status::NotAffected,
        Status::UnderInvestigation,
        Status::WillNotFix,
        Status::EndOfLife,
    ]);
    let severity = proptest::sample::select(Severity::WORST_FIRST.to_vec());
    let day = proptest::option::of((2020_i16..2030, 1_i8..13, 1_i8..29));
    (proptest::sample::select(examples), status, severity, day, any::<(bool, bool)>(), 0..50_u32).prop_map(
        |(finding, status, severity, day, (fixable, exploited), number)| {
            let day = day.map(|(year, month, day)| Date::new(year, month, day).unwrap());
            let kev =
                exploited.then(|| Kev { added: "2026-01-01".parse().unwrap(), due: None, ransomware: false });
            let (fixed, fix) =
                if fixable { (Some("9.9".to_owned()), finding.fix.clone()) } else { (None, None) };
            let id = format!("CVE-2026-{number:04}");
            Finding { id, status, severity, fixed_on: day, kev, fixed, fix, ..finding }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn more_findings_never_improve_a_decision(
        policy in policy(),
        report in report(),
        findings in proptest::collection::vec(finding(), 0..40),
        split in 0..40_usize,
    ) {
        let now = NOW.parse().unwrap();
        let fewer = &findings[..split.min(findings.len())];
        let facts = Facts { findings: Findings::Plain(fewer), ..Facts::from(&report) };
        let before = decide(&policy, &facts, now);
        let facts = Facts { findings: Findings::Plain(&findings), ..facts };
        let after = decide(&policy, &facts, now);
        prop_assert!(after.decision >= before.decision, "{before:?}\n{after:?}");
        prop_assert!(after.reasons.len() <= 400);
    }

    #[test]
    fn the_order_of_findings_does_not_matter(
        policy in policy(),
        report in report(),
        findings in proptest::collection::vec(finding(), 0..40),
    ) {
        let now = NOW.parse().unwrap();
        let mut turned: Vec<&Finding> = findings.iter().collect();
        turned.reverse();
        let facts = Facts { findings: Findings::Plain(&findings), ..Facts::from(&report) };
        let before = decide(&policy, &facts, now);
        let after = decide(&policy, &Facts { findings: Findings::Picked(&turned), ..facts }, now);
        prop_assert_eq!(before.decision, after.decision);
        prop_assert_eq!(before.expires, after.expires);
        prop_assert_eq!(before.reasons.len(), after.reasons.len());
    }

    #[test]
    fn a_verdict_holds_until_it_expires(
        policy in policy(),
        report in report(),
        findings in proptest::collection::vec(finding(), 0..20),
        hours in 0..200_000_i64,
    ) {
        let now: Timestamp = NOW.parse().unwrap();
        let facts = Facts { findings: Findings::Plain(&findings), ..Facts::from(&report) };
        let verdict = decide(&policy, &facts, now);
        let later = now + jiff::SignedDuration::from_hours(hours);
        // A feed may claim a day in the future; when that day comes, the claim is a day like any other.
        let claims = findings.iter().chain(&report.findings).filter_map(|finding| finding.fixed_on);
        let settled = claims.map(|day| day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()).all(|day| day <= now);
        if settled && verdict.expires.is_none_or(|expires| later < expires) {
            prop_assert_eq!(verdict, decide(&policy, &facts, later));
        }
    }

    #[test]
    fn what_was_not_looked_at_is_never_simply_allowed(
        policy in policy(),
        report in report(),
        kind in proptest::sample::select(vec![
            GapKind::UnknownDistribution, GapKind::EndOfLife, GapKind::FeedMissing, GapKind::FeedStale,
            GapKind::FileNotParsed, GapKind::VersionNotComparable, GapKind::LayerNotRead, GapKind::LayerNotVerified,
            GapKind::LimitReached,
        ]),
    ) {
        let now = NOW.parse().unwrap();
        let gaps = [Gap::new(kind, "something", "look at it")];
        let verdict = decide(&policy, &Facts { gaps: &gaps, ..Facts::from(&report) }, now);
        let looks_inside = !["places", "fresh"].contains(&policy.name());
        prop_assert!(!looks_inside || verdict.decision != Decision::Allow, "{verdict:?}");
    }
}
