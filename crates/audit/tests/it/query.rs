//! Filters.

use boltseal_audit::{
    Record,
    query::Filter,
    record::{Activity, Outcome},
};
use proptest::{prelude::*, sample::select};

use crate::samples::{any_record, samples};

/// The pairs, and the names of the samples that are meant.
fn check(pairs: &[(&str, &str)], wanted: &[&str]) {
    let filter = Filter::parse(pairs.iter().copied()).unwrap();
    let mut found = Vec::new();
    for (name, record) in samples() {
        let entry = record.entry();
        if filter.matches(&record) {
            found.push(name);
            assert!(filter.may_match(&entry), "{pairs:?} matches `{name}`, and its bytes do not");
        }
    }
    assert_eq!(found, wanted, "{pairs:?}");
    let again = Filter::parse(filter.pairs()).unwrap();
    assert_eq!(again.pairs(), filter.pairs());
}

#[test]
fn each_filter_finds_what_it_says() {
    let repository = ["pull", "push refused", "tag moved"];
    let all: Vec<&str> = samples().iter().map(|(name, _)| *name).collect();
    check(&[], &all);
    check(&[("who", " "), ("text", "")], &all);
    check(&[("who", "1f6e")], &["pull"]);
    check(&[("who", "ci")], &["pull"]);
    check(&[("who", "c")], &[]);
    check(&[("who", "alice"), ("outcome", "denied")], &["push refused", "sign-in failed"]);
    check(&[("action", "Boltseal/serve")], &["start"]);
    check(&[("action", "Boltseal/*")], &["sign-in failed", "token", "user removed", "start", "break-glass"]);
    check(&[("activity", "sign-in")], &["sign-in failed", "break-glass"]);
    check(&[("class", "authentication")], &["sign-in failed", "token", "break-glass"]);
    check(&[("class", "6002")], &["start"]);
    check(&[("subject", "/registries/main/repositories")], &repository);
    check(&[("subject", "/registries/main/repositories/")], &repository);
    check(&[("subject", "/registries/main/repositories/tea")], &[]);
    check(&[("subject", "v2")], &["push refused"]);
    check(&[("subject", &boltseal_model::Digest::of(b"manifest").to_string())], &["pull"]);
    check(&[("severity", "high")], &["break-glass", "hostile"]);
    check(&[("alert", "true")], &["break-glass"]);
    check(&[("alert", "false"), ("who", "system")], &["start"]);
    check(&[("text", "SKOPEO")], &["pull"]);
    check(&[("text", "x11; linux")], &["sign-in failed"]);
    check(&[("text", "c\\d\"E]f\nX=1")], &["hostile"]);
    check(&[("since", "2026-03-01T12:00:00.250Z"), ("until", "2026-03-02")], &all);
    check(&[("since", "2026-03-01T12:00:00.251Z")], &[]);
    check(&[("until", "2026-03-01T12:00:00.250Z")], &[]);
}

#[test]
fn bytes_tell_most_entries_apart() {
    let filter = Filter::parse([("who", "alice"), ("activity", "read")]).unwrap();
    let passed: Vec<&str> = samples()
        .iter()
        .filter(|(_, record)| filter.may_match(&record.entry()))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(passed, ["secret"]);
}

#[test]
fn what_is_no_filter_says_what_would_be() {
    let long = "x".repeat(2_000);
    let table = [
        (vec![("user", "a")], "`user` is no filter; known are: who, action, activity, class"),
        (vec![("who", "a"), ("who", "b")], "the filter `who` stands there twice: keep one"),
        (vec![("activity", "jump")], "the filter activity is `jump`: expected one of create, read, update"),
        (vec![("outcome", "yes")], "expected one of unknown, success, denied, failure"),
        (vec![("class", "1")], "expected one of account, authentication"),
        (vec![("since", "yesterday")], "expected a moment such as 2026-03-01T12:00:00Z, or a date"),
        (vec![("alert", "maybe")], "expected true or false"),
        (vec![("text", long.as_str())], "expected at most 1024 bytes"),
    ];
    for (pairs, wanted) in table {
        let error = Filter::parse(pairs).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

/// A filter that has a chance to match the record.
fn filter_of(record: &Record, which: usize, from: usize, length: usize) -> Option<Filter> {
    let part = |text: &str| -> String { text.chars().skip(from % 8).take(1 + length % 12).collect() };
    let (activity, outcome) = (record.activity.name().to_owned(), record.outcome.name().to_owned());
    let time = record.time.to_string();
    let pair = match which % 13 {
        0 => ("who", record.actor.id.clone()),
        1 => ("who", record.actor.name.clone()),
        2 => ("action", record.action.clone()),
        3 => ("action", part(&record.action) + "*"),
        4 => ("activity", activity),
        5 => ("class", record.activity.class().name().to_owned()),
        6 => ("outcome", outcome),
        7 => ("subject", record.subject.scope.clone()),
        8 => ("subject", record.subject.name.clone()?),
        9 => ("since", time),
        10 => ("text", part(&record.actor.name).to_ascii_uppercase()),
        11 => ("text", part(record.status.as_deref()?)),
        _ => ("alert", record.alert.to_string()),
    };
    Filter::parse([pair]).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn bytes_never_hide_a_match(
        record in any_record(30),
        other in any_record(30),
        which in any::<usize>(),
        place in any::<(usize, usize)>(),
    ) {
        let Some(filter) = filter_of(&record, which, place.0, place.1) else { return Ok(()) };
        for record in [record, other] {
            let entry = record.entry();
            let read = Record::parse(&entry).unwrap();
            prop_assert!(!filter.matches(&read) || filter.may_match(&entry), "{:?}", filter.pairs());
        }
    }

    #[test]
    fn a_records_own_words_match_it(
        record in any_record(30),
        activity in select(Activity::ALL.to_vec()),
        outcome in select(Outcome::ALL.to_vec()),
    ) {
        let pairs = [("activity", activity.name()), ("outcome", outcome.name())];
        let filter = Filter::parse(pairs).unwrap();
        let wanted = record.activity == activity && record.outcome == outcome;
        prop_assert_eq!(filter.matches(&record), wanted);
    }
}
