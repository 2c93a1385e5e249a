//! Records to entries and back.

use std::collections::BTreeMap;

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Class, MAX_ENTRY, Outcome, RecordError, Source, Subject, Why, canonical},
};
use boltseal_model::{Digest, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{any_record, samples};

/// RFC 8785: the examples of sections 3.2.2 and 3.2.3 as far as they apply, and what is decided here.
#[test]
fn canonical_json_has_one_spelling() {
    let table = [
        (r#" { "b" : [ null , true , false ] , "a" : { } } "#, r#"{"a":{},"b":[null,true,false]}"#),
        (r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#, r#""€$\u000f\nA'B\"\\\\\"/""#),
        (
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
        ("[0, -0, -0.0, 1.0, 1e3, -7]", "[0,0,0,1,1000,-7]"),
        ("[9007199254740991, -9007199254740991]", "[9007199254740991,-9007199254740991]"),
        // Not exact in ECMAScript, or not whole: their digits as a string.
        ("[9007199254740992, 18446744073709551615]", r#"["9007199254740992","18446744073709551615"]"#),
        ("[0.5, 1e30]", r#"["0.5","1e+30"]"#),
        (r#""\b\f\t\u0000\u001f\u007f\u2028""#, "\"\\b\\f\\t\\u0000\\u001f\u{7f}\u{2028}\""),
    ];
    for (input, wanted) in table {
        let value: Value = serde_json::from_str(input).unwrap();
        assert_eq!(String::from_utf8(canonical(&value)).unwrap(), wanted, "{input}");
    }
}

/// What OCSF 1.8 requires of each class, <https://schema.ocsf.io/1.8.0>.
#[test]
fn every_activity_has_what_its_class_requires() {
    let base = ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
    for activity in Activity::ALL {
        let (class, id, name) = activity.ocsf();
        let record = Record::new(Timestamp::UNIX_EPOCH, activity, "x").subject(Subject::new("/s").name("n"));
        let event: Value = serde_json::from_slice(&record.entry()).unwrap();
        let required: &[&str] = match class {
            Class::Account => &["user"],
            Class::Authentication => &["user", "service"],
            Class::Access => &["user", "privileges"],
            Class::Lifecycle => &["app"],
            Class::Api => &["actor", "api", "src_endpoint"],
        };
        for field in base.iter().chain(required) {
            assert!(!event[field].is_null(), "{activity:?} has no {field}: {event}");
        }
        assert_eq!(event["type_uid"], class.uid() * 100 + id);
        assert_eq!(event["category_uid"], class.uid() / 1000);
        assert_eq!(event["activity_name"], name);
        assert_eq!(event["metadata"]["version"], "1.8.0");
        assert_eq!(event["metadata"]["product"]["vendor_name"], "Boltseal");
        assert_eq!(Record::parse(&record.entry()).unwrap().activity, activity);
        assert_eq!(Activity::named(activity.name()), Some(activity));
    }
}

#[test]
fn samples_come_back_as_they_were() {
    for (name, record) in samples() {
        let entry = record.entry();
        assert_eq!(Record::parse(&entry).unwrap(), record, "{name}");
        assert!(entry.len() < 4096, "{name} has {} bytes", entry.len());
    }
}

#[test]
fn an_id_comes_from_time_and_content() {
    let record = Record::new("2026-03-01T12:00:00Z".parse().unwrap(), Activity::Read, "a");
    let id = |record: &Record| Record::parse(&record.entry()).unwrap().id.unwrap();
    assert_eq!(id(&record).get_version_num(), 7);
    assert_eq!(id(&record), id(&record.clone()));
    assert_ne!(id(&record), id(&record.clone().status("other")));
    let later = Record { time: "2026-03-01T12:00:00.001Z".parse().unwrap(), ..record.clone() };
    assert!(id(&record) < id(&later));
}

#[test]
fn what_is_too_long_is_cut_and_named() {
    let agent = "é".repeat(2_000);
    let record = Record::new(Timestamp::UNIX_EPOCH, Activity::Read, "a")
        .source(Source::local().agent(agent.clone()))
        .detail("small", 1)
        .detail("large", "x".repeat(20_000));
    let event: Value = serde_json::from_slice(&record.entry()).unwrap();
    assert_eq!(event["metadata"]["is_truncated"], true);
    let read = Record::parse(&record.entry()).unwrap();
    assert_eq!(read.source.agent.as_deref(), Some("é".repeat(256).as_str()));
    let cuts: BTreeMap<&str, (u64, Digest)> =
        read.truncated.iter().map(|cut| (cut.field, (cut.bytes, cut.digest.clone()))).collect();
    assert_eq!(cuts["agent"], (4_000, Digest::of(agent.as_bytes())));
    let whole = canonical(&json!({"small": 1, "large": "x".repeat(20_000)}));
    assert_eq!(cuts["detail"], (whole.len() as u64, Digest::of(&whole)));
    assert_eq!(read.detail, BTreeMap::from([("small".to_owned(), json!(1))]));
    assert_eq!(Record::parse(&read.entry()).unwrap(), read);
}

/// All texts too long, of characters that take the most room, and each stands where it is written twice.
#[test]
fn the_longest_entry_fits_into_the_log() {
    let long = || "\u{1}".repeat(100_000);
    for activity in Activity::ALL {
        for why in [Why::granted(long(), long(), long()), Why::Missing(long())] {
            let mut actor = Actor::user(long(), long()).session(long());
            actor.via = boltseal_audit::record::Via::Certificate;
            let address =
                "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".parse::<std::net::Ipv6Addr>().unwrap();
            let digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
            let mut record = Record::new(Timestamp::MIN, activity, long())
                .actor(actor)
                .source(Source::https(address, u16::MAX).agent(long()).host(long()))
                .subject(Subject::new(long()).name(long()).digest(digest))
                .outcome(Outcome::Failure)
                .status(long())
                .why(why)
                .original(long())
                .detail("role", long())
                .alert();
            for number in 0..1_000 {
                record = record.detail(format!("{number}"), "\u{1}".repeat(80));
            }
            let entry = record.entry();
            assert!(entry.len() <= MAX_ENTRY, "{activity:?}: {} bytes", entry.len());
            assert!(Record::parse(&entry).unwrap().entry() == entry, "{activity:?}");
        }
    }
}

#[test]
fn deep_details_are_left_out() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let record =
        Record::new(Timestamp::UNIX_EPOCH, Activity::Read, "a").detail("deep", deep).detail("flat", 1);
    let read = Record::parse(&record.entry()).unwrap();
    assert_eq!(read.detail.keys().collect::<Vec<_>>(), ["flat"]);
    assert_eq!(read.truncated[0].field, "detail");
}

#[test]
fn what_is_not_a_record_is_refused_with_its_place() {
    let good = String::from_utf8(samples()[0].1.entry()).unwrap();
    let table: [(String, &str); 12] = [
        (String::new(), "the entry is not a record, at byte 0: EOF while parsing a value at line 1 column 0"),
        ("[]".to_owned(), "invalid length 1, expected struct Event"),
        ("{}".to_owned(), "missing field `activity_id`"),
        (good.clone() + "x", "trailing characters"),
        (
            good.replace("\"class_uid\":6003", "\"class_uid\":4001"),
            "the entry's class_uid is `4001/2`, which no record has",
        ),
        (good.replace("0195512a", "x195512a"), "the entry's metadata.uid is"),
        (good.replace("\"time\":", "\"time\":9999"), "the entry's time is"),
        (
            good.replace("192.0.2.7", "192.0.2.700"),
            "the entry's src_endpoint.ip is `192.0.2.700`, which no record has",
        ),
        (good.replace("\"door\":\"https\"", "\"door\":\"window\""), "the entry's unmapped.door is `window`"),
        (good.replace("\"type\":\"assignment\"", "\"type\":\"wish\""), "policy.type is `wish`"),
        (good.replace("sha256:", "sha257:"), "the entry's resources.uid_alt is `sha257:"),
        ("[".repeat(70_000), "the entry has 70000 bytes, more than the 65535 that a log can hold"),
    ];
    for (entry, wanted) in table {
        let error = Record::parse(entry.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\nwanted: {wanted}");
    }
    let deep = format!("{{\"unmapped\":{{\"detail\":{}}}}}", "[".repeat(60_000));
    assert!(matches!(Record::parse(deep.as_bytes()), Err(RecordError::Shape { .. })));
    // Where nobody looks, too.
    let broken = [&good.as_bytes()[..good.len() - 1], b",\"x\":\"\xff\"}"].concat();
    let problem = "this is not UTF-8".to_owned();
    assert_eq!(Record::parse(&broken), Err(RecordError::Shape { at: good.len() + 6, problem }));
}

fn check_any(record: &Record) -> Result<(), TestCaseError> {
    let entry = record.entry();
    prop_assert!(entry.len() <= MAX_ENTRY);
    prop_assert!(entry.iter().all(|byte| *byte >= 0x20), "a control character");
    let value: Value = serde_json::from_slice(&entry).unwrap();
    prop_assert_eq!(String::from_utf8(canonical(&value)), String::from_utf8(entry.clone()));
    let read = Record::parse(&entry).unwrap();
    prop_assert_eq!(read.entry(), entry);
    if read.truncated.is_empty() {
        // Numbers that JSON does not keep everywhere became strings; everything else is as it was.
        let detail: Value = serde_json::from_slice(&canonical(&json!(record.detail))).unwrap();
        prop_assert_eq!(json!(read.detail.clone()), detail);
        let wanted = Record { id: record.id.or(read.id), detail: read.detail.clone(), ..record.clone() };
        prop_assert_eq!(read, wanted);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_record_comes_back(record in any_record(40)) {
        check_any(&record)?;
    }

    #[test]
    fn any_long_record_comes_back_shorter(record in any_record(1_500)) {
        check_any(&record)?;
    }
}
