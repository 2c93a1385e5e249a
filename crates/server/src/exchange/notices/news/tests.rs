//! When a rule fires, where, and in how many lines.

use boltseal_api::notifications::{Reach, Target};
use boltseal_store::LastPull;

use super::*;

fn rule(wanted: &serde_json::Value) -> Rule {
    let mut rule = serde_json::json!({ "name": "ops", "to": { "kind": "slack" } });
    if let (Some(rule), Some(wanted)) = (rule.as_object_mut(), wanted.as_object()) {
        rule.extend(wanted.clone());
    }
    serde_json::from_value(rule).unwrap_or_else(|wrong| unreachable!("{wrong}"))
}

fn standing(severity: Severity, fixed: Option<&str>, kev: bool, epss: Option<f64>) -> Standing {
    Standing { severity, fixed: fixed.map(str::to_owned), kev, epss }
}

fn change(image: &str, id: &str, cause: Cause, now: Standing, before: Option<Standing>) -> Change {
    Change {
        number: 1,
        at: Timestamp::UNIX_EPOCH,
        cause,
        image: Digest::of(image.as_bytes()),
        vulnerability: id.to_owned(),
        title: String::new(),
        package: "openssl".to_owned(),
        purl: "pkg:deb/debian/openssl@1".to_owned(),
        path: "status".to_owned(),
        installed: "1".to_owned(),
        since: None,
        now,
        before,
        snapshot: None,
    }
}

fn place(repository: &str, tags: &[&str], pulled: Option<i64>) -> ImagePlace {
    ImagePlace {
        repository: repository.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        pulled: pulled
            .map(|second| LastPull { at: Timestamp::from_second(second).unwrap_or_default(), by: None }),
    }
}

#[test]
fn a_rule_fires_when_its_conditions_come_to_hold() {
    use serde_json::json;
    let plain = standing(Severity::Low, None, false, Some(0.05));
    let high = standing(Severity::High, None, false, Some(0.05));
    let fixed = standing(Severity::High, Some("2"), false, Some(0.05));
    let exploited = standing(Severity::Low, None, true, Some(0.05));
    let likely = standing(Severity::Low, None, false, Some(0.5));
    for (what, wanted, cause, now, before, expected) in [
        ("anything new", json!({}), Cause::Feed, &plain, None, true),
        ("what was there already", json!({}), Cause::Worse, &high, Some(&plain), false),
        ("not severe enough", json!({ "severity": "high" }), Cause::Feed, &plain, None, false),
        ("severe", json!({ "severity": "high" }), Cause::Feed, &high, None, true),
        ("grown severe", json!({ "severity": "high" }), Cause::Worse, &high, Some(&plain), true),
        ("grown exploited", json!({ "exploited": true }), Cause::Exploited, &exploited, Some(&plain), true),
        (
            "exploited, not severe",
            json!({ "severity": "high", "exploited": true }),
            Cause::Exploited,
            &exploited,
            Some(&plain),
            false,
        ),
        ("told, and exploited now", json!({}), Cause::Exploited, &exploited, Some(&plain), true),
        (
            "a fix came",
            json!({ "severity": "high", "fixable": true }),
            Cause::Fixable,
            &fixed,
            Some(&high),
            true,
        ),
        (
            "a fix came, not asked for",
            json!({ "severity": "high" }),
            Cause::Fixable,
            &fixed,
            Some(&high),
            false,
        ),
        ("grown likely", json!({ "epss": 0.5 }), Cause::Likely, &likely, Some(&plain), true),
        ("not as likely", json!({ "epss": 0.6 }), Cause::Likely, &likely, Some(&plain), false),
        (
            "no score",
            json!({ "epss": 0.1 }),
            Cause::Feed,
            &standing(Severity::High, None, false, None),
            None,
            false,
        ),
        ("gone", json!({}), Cause::Gone, &high, None, false),
        ("a severity that nobody knows", json!({ "severity": "odd" }), Cause::Feed, &high, None, false),
    ] {
        let change = change("a", "CVE-1", cause, now.clone(), before.cloned());
        assert_eq!(fires(&rule(&wanted), &change), expected, "{what}");
    }
}

#[test]
fn a_rule_is_about_some_places() {
    use serde_json::json;
    let now = Timestamp::from_second(100 * 86_400).unwrap_or_default();
    let places = [
        place("team/app", &["v1"], Some(95 * 86_400)),
        place("team/old", &[], Some(10 * 86_400)),
        place("other/web", &["v2"], None),
    ];
    for (wanted, expected) in [
        (json!({}), vec!["team/app", "team/old", "other/web"]),
        (json!({ "repositories": "team/*" }), vec!["team/app", "team/old"]),
        (json!({ "tagged": true }), vec!["team/app", "other/web"]),
        (json!({ "pulled_within_days": 30 }), vec!["team/app"]),
        (json!({ "repositories": "other/*", "pulled_within_days": 30 }), vec![]),
    ] {
        let found: Vec<_> =
            here(&rule(&wanted), &places, now).iter().map(|place| place.repository.as_str()).collect();
        assert_eq!(found, expected, "{wanted}");
    }
}

#[test]
fn many_images_are_one_line() {
    let mut gathering = Gathering::default();
    let critical = standing(Severity::Critical, None, false, None);
    for number in 0..1_000 {
        let place = place(&format!("team/{number}"), &["v1"], None);
        let image = format!("image {number}");
        for path in ["one", "two"] {
            let mut change = change(&image, "CVE-1", Cause::Feed, critical.clone(), None);
            path.clone_into(&mut change.path);
            gathering.add(&change, &[&place]);
        }
    }
    let here = place("team/app", &[], None);
    for number in 0..50 {
        let low = standing(Severity::Low, None, number == 7, None);
        gathering.add(&change("image 1", &format!("CVE-2-{number}"), Cause::Feed, low, None), &[&here]);
    }
    let news = gathering.news(3).unwrap_or_default();
    assert_eq!((news.findings, news.images, news.rest), (2_050, 1_000, 48));
    assert_eq!((news.counts.critical, news.counts.low), (2_000, 50));
    let lines: Vec<_> = news.lines.iter().map(|line| (line.vulnerability.as_str(), line.images)).collect();
    assert_eq!(lines, [("CVE-2-7", 1), ("CVE-1", 1_000), ("CVE-2-0", 1)], "exploited comes first");
    let named = news.lines.get(1).map(Line::whereabouts).unwrap_or_default();
    assert_eq!(named, "1000 images: team/0:v1, team/1:v1, team/2:v1 …");
    assert_eq!(news.headline(), "2050 new findings in 1000 images");
    assert_eq!(Gathering::default().news(3), None);
    let target = Target::Slack { host: String::new(), reach: Reach::default() };
    assert_eq!(rule(&serde_json::json!({})).to, target);
}
