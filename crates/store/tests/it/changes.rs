//! What changed about findings: since when they are there, what is news, and what of it is kept.

use boltseal_model::{Decision, Digest, Epss, Finding, Severity, Timestamp};
use boltseal_store::{Cause, ChangeFilter, Facts, ImagePlace, NewDelivery, Outcome, PassedOver, Pulled};

use crate::{
    databases::Database,
    facts::manifest,
    views::{finding, report},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

async fn judge(facts: &Facts, image: &Digest, snapshot: &str, findings: &[Finding], now: Timestamp) {
    let report = report(image, Decision::Warn, snapshot, findings.to_vec());
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: vec![] };
    facts.record(vec![(image.clone(), outcome)], now).await.unwrap();
}

async fn judge_blindly(facts: &Facts, image: &Digest, now: Timestamp) {
    let mut report = report(image, Decision::Unknown, "none", vec![]);
    report.snapshot = None;
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: vec![] };
    facts.record(vec![(image.clone(), outcome)], now).await.unwrap();
}

/// Cause, vulnerability and `since`, the oldest first.
async fn told(facts: &Facts, causes: &[Cause]) -> Vec<(Cause, String, Option<Timestamp>)> {
    let filter = ChangeFilter { causes: causes.to_vec(), ..ChangeFilter::default() };
    let all = facts.finding_changes(&filter, 100).await.unwrap();
    all.into_iter().rev().map(|one| (one.cause, one.vulnerability, one.since)).collect()
}

fn with_epss(finding: Finding, score: f64) -> Finding {
    Finding { epss: Some(Epss { score, percentile: 0.5 }), ..finding }
}

async fn since(facts: &Facts, id: &str) -> Option<Timestamp> {
    let detail = facts.vulnerability(id).await.unwrap();
    detail.and_then(|detail| detail.hits.first().and_then(|hit| hit.since))
}

#[tokio::test]
async fn a_finding_is_known_since_it_was_seen_first_and_news_only_later() {
    for database in Database::each() {
        let image = Digest::of(b"image");
        let old = finding("CVE-1", "openssl", Severity::Low, None, false);
        let new = finding("CVE-2", "zlib", Severity::Critical, Some("2"), false);
        {
            let facts = database.open().await;
            facts.put_manifest(manifest("team/app", "v1", &image, &[])).await.unwrap();
            // Without vulnerability data nothing is found; what the first data finds is no news.
            judge_blindly(&facts, &image, at(0)).await;
            judge(&facts, &image, "s1", std::slice::from_ref(&old), at(10)).await;
            assert_eq!(told(&facts, &Cause::ALL).await, []);
            assert_eq!(facts.newest_change().await.unwrap(), None);
            assert_eq!(since(&facts, "CVE-1").await, Some(at(10)));

            judge(&facts, &image, "s2", &[new.clone(), old.clone()], at(20)).await;
            let expected = [(Cause::Feed, "CVE-2".to_owned(), Some(at(20)))];
            assert_eq!(told(&facts, &Cause::NEWS).await, expected);
            assert_eq!(since(&facts, "CVE-1").await, Some(at(10)), "it has not moved");
        }
        // All of it survives a restart.
        let facts = database.open().await;
        // The same data, and the scanner finds what it did not.
        let seen = finding("CVE-3", "curl", Severity::Low, None, false);
        judge(&facts, &image, "s2", &[new.clone(), old.clone(), seen.clone()], at(30)).await;
        // One goes, and comes back after a while: it is known since it was seen first.
        judge(&facts, &image, "s3", &[new.clone(), old.clone()], at(40)).await;
        assert_eq!(told(&facts, &[Cause::Gone]).await, [(Cause::Gone, "CVE-3".to_owned(), Some(at(30)))]);
        judge(&facts, &image, "s4", &[new.clone(), old.clone(), seen], at(50)).await;
        assert_eq!(
            told(&facts, &Cause::NEWS).await,
            [
                (Cause::Feed, "CVE-2".to_owned(), Some(at(20))),
                (Cause::Scanner, "CVE-3".to_owned(), Some(at(30))),
                (Cause::Returned, "CVE-3".to_owned(), Some(at(30))),
            ]
        );
        assert_eq!(since(&facts, "CVE-3").await, Some(at(30)));
        let all = facts.finding_changes(&ChangeFilter::default(), 100).await.unwrap();
        assert_eq!(all.iter().map(|one| one.number).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(all[2].snapshot.as_deref(), Some("s2"));
        assert_eq!((all[2].at, all[2].now.fixed.as_deref(), &all[2].before), (at(20), Some("2"), &None));
        assert_eq!(all[2].title, "something in zlib");

        let sums = facts.newly_vulnerable(at(25)).await.unwrap();
        assert_eq!((sums.findings, sums.images, sums.more), (2, 1, false));
        // What has gone is not newly vulnerable, whatever was said of it.
        judge(&facts, &image, "s5", &[old], at(60)).await;
        assert_eq!(told(&facts, &Cause::NEWS).await, []);
        assert_eq!(facts.newly_vulnerable(at(0)).await.unwrap().findings, 0);

        // With the last manifest everything about the image goes; numbers do not come again.
        facts.remove_manifest("team/app", &image).await.unwrap();
        assert_eq!(told(&facts, &Cause::ALL).await, []);
        facts.put_manifest(manifest("team/app", "v2", &image, &[])).await.unwrap();
        judge(&facts, &image, "s5", &[], at(70)).await;
        judge(&facts, &image, "s6", &[new], at(80)).await;
        assert_eq!(facts.newest_change().await.unwrap(), Some((7, at(80))));
    }
}

#[tokio::test]
async fn what_grows_worse_is_news_with_a_cause_of_its_own() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("team/app", "v1", &image, &[])).await.unwrap();
        let first = with_epss(finding("CVE-1", "openssl", Severity::Medium, None, false), 0.02);
        judge(&facts, &image, "s0", std::slice::from_ref(&first), at(0)).await;
        let steps = [
            ("a score that moves a little", with_epss(first.clone(), 0.03), None),
            ("a score that reaches a tenth", with_epss(first.clone(), 0.12), Some(Cause::Likely)),
            ("more severe", Finding { severity: Severity::High, ..first.clone() }, Some(Cause::Worse)),
            (
                "a fix",
                Finding { severity: Severity::High, fixed: Some("2".to_owned()), ..first.clone() },
                Some(Cause::Fixable),
            ),
            (
                "known exploited",
                finding("CVE-1", "openssl", Severity::High, Some("2"), true),
                Some(Cause::Exploited),
            ),
            ("the same again", finding("CVE-1", "openssl", Severity::High, Some("2"), true), None),
            ("less severe", finding("CVE-1", "openssl", Severity::Low, Some("2"), true), None),
        ];
        let mut expected = Vec::new();
        for (place, (what, changed, cause)) in steps.into_iter().enumerate() {
            let second = i64::try_from(place).unwrap() + 1;
            judge(&facts, &image, &format!("s{second}"), &[changed], at(second)).await;
            expected.extend(cause.map(|cause| (cause, "CVE-1".to_owned(), Some(at(0)))));
            assert_eq!(told(&facts, &Cause::ALL).await, expected, "{what}");
        }
        let exploited = ChangeFilter { causes: vec![Cause::Exploited], ..ChangeFilter::default() };
        let one = facts.finding_changes(&exploited, 1).await.unwrap().pop().unwrap();
        let before = one.before.unwrap();
        assert_eq!((one.now.kev, before.kev, before.severity), (true, false, Severity::High));
        assert_eq!(before.fixed.as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn the_list_is_filtered_and_comes_in_parts() {
    for database in Database::each() {
        let facts = database.open().await;
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        facts.put_manifest(manifest("team/app", "v1", &a, &[])).await.unwrap();
        facts.put_manifest(manifest("other/web", "", &b, &[])).await.unwrap();
        let mut index = manifest("other/web", "multi", &Digest::of(b"index"), &[]);
        (index.kind, index.manifests) = (boltseal_store::Kind::Index, vec![b.clone()]);
        facts.put_manifest(index).await.unwrap();
        let bad = finding("CVE-1", "openssl", Severity::High, None, false);
        let mild = finding("CVE-2", "zlib", Severity::Low, None, false);
        for (image, second) in [(&a, 0), (&b, 1)] {
            judge(&facts, image, "s1", &[], at(second)).await;
        }
        for (image, second) in [(&a, 10), (&b, 20)] {
            judge(&facts, image, "s2", &[bad.clone(), mild.clone()], at(second)).await;
        }
        let all = ChangeFilter::default;
        for (what, filter, expected) in [
            ("all", all(), vec![4, 3, 2, 1]),
            ("since", ChangeFilter { since: at(20), ..all() }, vec![4, 3]),
            ("severe", ChangeFilter { severity: Some(Severity::High), ..all() }, vec![3, 1]),
            ("in a repository", ChangeFilter { repository: Some("team/*".to_owned()), ..all() }, vec![2, 1]),
            ("nowhere", ChangeFilter { repository: Some("team".to_owned()), ..all() }, vec![]),
            ("LIKE's own signs", ChangeFilter { repository: Some("team_app%".to_owned()), ..all() }, vec![]),
            ("the rest", ChangeFilter { below: Some(3), ..all() }, vec![2, 1]),
        ] {
            let found = facts.finding_changes(&filter, 10).await.unwrap();
            assert_eq!(found.iter().map(|one| one.number).collect::<Vec<_>>(), expected, "{what}");
        }
        assert_eq!(facts.finding_changes(&all(), 2).await.unwrap().len(), 2);
        let between = facts.changes_between(1, 3, 10).await.unwrap();
        assert_eq!(between.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(facts.change_after(2).await.unwrap(), Some((3, at(20))));
        assert_eq!(facts.change_after(4).await.unwrap(), None);

        let pulled = |by: &str, second| Pulled {
            repository: "team/app".to_owned(),
            digest: a.clone(),
            tag: None,
            number: 1,
            last: at(second),
            by: Some(by.to_owned()),
        };
        facts.count_pulls(vec![pulled("ada", 50)]).await.unwrap();
        facts.count_pulls(vec![pulled("bob", 40)]).await.unwrap();
        let places = facts.places(&[a.clone(), b.clone(), Digest::of(b"none")]).await.unwrap();
        let [ours] = places[&a].as_slice() else { panic!("{places:?}") };
        assert_eq!(
            (ours.repository.as_str(), ours.tags.as_slice()),
            ("team/app", ["v1".to_owned()].as_slice())
        );
        let last = ours.pulled.as_ref().unwrap();
        assert_eq!((last.at, last.by.as_deref()), (at(50), Some("ada")), "the last, not the last told");
        let theirs =
            ImagePlace { repository: "other/web".to_owned(), tags: vec!["multi".to_owned()], pulled: None };
        assert_eq!(places[&b], [theirs], "by the tag of its index");
        assert_eq!(places.len(), 2);
    }
}

#[tokio::test]
async fn what_is_old_or_too_much_is_forgotten() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("a", "v1", &image, &[])).await.unwrap();
        judge(&facts, &image, "s0", &[], at(0)).await;
        let name = |number: i64| format!("CVE-{number}");
        let mut findings = Vec::new();
        for number in 1..=6 {
            findings.push(finding(&name(number), "openssl", Severity::Low, None, false));
            judge(&facts, &image, &format!("s{number}"), &findings, at(number)).await;
        }
        let numbers = async || {
            let all = facts.finding_changes(&ChangeFilter::default(), 10).await.unwrap();
            all.iter().map(|one| one.number).collect::<Vec<_>>()
        };
        assert!(!facts.forget_changes(at(1)).await.unwrap(), "nothing is that old");
        assert_eq!(numbers().await, [6, 5, 4, 3, 2, 1]);
        assert!(!facts.forget_changes(at(3)).await.unwrap());
        assert_eq!(numbers().await, [6, 5, 4, 3]);
        assert!(!facts.forget_changes_but(at(0), 2).await.unwrap());
        assert_eq!(numbers().await, [6, 5]);
        assert_eq!(since(&facts, "CVE-1").await, Some(at(1)), "what is there stays known");
    }
}

#[tokio::test]
async fn a_rule_reads_every_change_once() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("a", "v1", &image, &[])).await.unwrap();
        judge(&facts, &image, "s0", &[], at(0)).await;
        let news = finding("CVE-1", "openssl", Severity::Low, None, false);
        judge(&facts, &image, "s1", std::slice::from_ref(&news), at(1)).await;
        assert_eq!(facts.notified("ops").await.unwrap(), None);
        facts.begin_notifying("ops").await.unwrap();
        assert_eq!(facts.notified("ops").await.unwrap(), Some((1, None)), "from now on");
        let more = finding("CVE-2", "zlib", Severity::Low, None, false);
        judge(&facts, &image, "s2", &[news, more], at(2)).await;
        facts.begin_notifying("ops").await.unwrap();
        assert_eq!(facts.notified("ops").await.unwrap(), Some((1, None)), "it has begun already");
        let message = |id: &str| NewDelivery {
            id: id.to_owned(),
            webhook: "rule:ops".to_owned(),
            event: "news".to_owned(),
            body: "{}".to_owned(),
        };
        assert!(facts.notify("ops", (1, 2), Some(message("1")), PassedOver::default(), at(9)).await.unwrap());
        let other = Digest::of(b"other");
        let passed =
            PassedOver { more: vec![(image.clone(), 2), (other.clone(), 3)], ..PassedOver::default() };
        let late = facts.notify("ops", (1, 2), Some(message("2")), passed.clone(), at(9)).await.unwrap();
        assert!(!late, "somebody was first");
        assert_eq!(facts.passed_over("ops").await.unwrap(), []);
        assert!(facts.notify("ops", (2, 3), None, passed, at(10)).await.unwrap());
        // What was passed over first counts, and goes when it was told of.
        let again = PassedOver { more: vec![(image.clone(), 3)], settled: vec![other], forget: false };
        assert!(facts.notify("ops", (3, 3), None, again, at(10)).await.unwrap());
        assert_eq!(facts.passed_over("ops").await.unwrap(), [(image.clone(), 2)]);
        assert_eq!(facts.passed_over("others").await.unwrap(), []);
        let untold: Vec<u64> =
            facts.changes_of(&image, 1, 3, 10).await.unwrap().iter().map(|change| change.number).collect();
        assert_eq!(untold, [2]);
        let forget = PassedOver { forget: true, ..PassedOver::default() };
        assert!(facts.notify("ops", (3, 3), None, forget, at(10)).await.unwrap());
        assert_eq!(facts.passed_over("ops").await.unwrap(), []);
        assert_eq!(facts.notified("ops").await.unwrap(), Some((3, Some(at(9)))));
        let sent = facts.deliveries("rule:ops", None, 10).await.unwrap();
        assert_eq!(sent.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["1"]);
        facts.end_notifying("ops").await.unwrap();
        facts.forget_deliveries_of("rule:ops").await.unwrap();
        assert_eq!(facts.notified("ops").await.unwrap(), None);
        assert_eq!(facts.deliveries("rule:ops", None, 10).await.unwrap(), []);
    }
}
