//! Plans of what goes: a table, and what holds for every plan whatever the images and rules are.

use boltseal_api::retention::Rule;
use boltseal_flow::retention::{Image, covers, plan};
use boltseal_model::{Digest, Timestamp};
use proptest::prelude::*;

const DAY: i64 = 86_400;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn ago(days: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 - days * DAY - 1).unwrap()
}

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Pushed so many days ago.
fn image(name: &str, tags: &[&str], days: i64) -> Image {
    Image {
        digest: digest(name),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        pushed: ago(days),
        pulled: None,
        denied: None,
        subject: None,
        children: vec![],
        locked: false,
    }
}

fn rule(change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = Rule { name: "rule".to_owned(), repositories: "*".to_owned(), ..Rule::default() };
    change(&mut rule);
    rule
}

fn old(days: u32) -> Rule {
    rule(|rule| rule.older_than_days = Some(days))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The names of `images` that go, in their order.
fn check(what: &str, images: &[(&str, Image)], rules: &[Rule], expected: &[&str]) {
    let rules: Vec<&Rule> = rules.iter().collect();
    let all: Vec<Image> = images.iter().map(|(_, image)| image.clone()).collect();
    let going = plan(&all, &rules, now());
    let mut names: Vec<&str> = going
        .iter()
        .map(|going| images.iter().find(|(_, image)| image.digest == going.digest).unwrap().0)
        .collect();
    names.sort_unstable();
    assert_eq!(names, expected, "{what}: {going:?}");
    assert!(going.iter().all(|going| going.why.len() > 10), "{what}: says why");
}

fn named(images: Vec<(&'static str, Vec<&str>, i64)>) -> Vec<(&'static str, Image)> {
    images.into_iter().map(|(name, tags, days)| (name, image(name, &tags, days))).collect()
}

#[test]
fn what_goes_by_rules() {
    let three = || named(vec![("a", vec!["v1"], 100), ("b", vec!["v2"], 50), ("c", vec!["latest"], 1)]);
    check("no rule", &three(), &[], &[]);
    check("a rule without conditions", &three(), &[rule(|_| ())], &[]);
    check("older than", &three(), &[old(60)], &["a"]);
    check("exactly as old stays", &named(vec![("a", vec![], 0)]), &[old(0)], &[]);
    check("disabled", &three(), &[rule(|r| (r.older_than_days, r.disabled) = (Some(60), true))], &[]);
    check("beyond the newest", &three(), &[rule(|r| r.beyond_newest = Some(1))], &["a", "b"]);
    check("beyond none", &three(), &[rule(|r| r.beyond_newest = Some(0))], &["a", "b", "c"]);
    let versions = rule(|r| (r.beyond_newest, r.tags) = (Some(1), texts(&["v*"])));
    check("counted among those with such tags", &three(), &[versions], &["a"]);
    let both = rule(|r| (r.beyond_newest, r.older_than_days) = (Some(1), Some(60)));
    check("all conditions", &three(), &[both], &["a"]);
    check("any rule", &three(), &[old(60), rule(|r| r.beyond_newest = Some(2))], &["a"]);
    let keep = rule(|r| r.keep = texts(&["v1"]));
    check("a keeping rule beside", &three(), &[old(10), keep.clone()], &["b"]);
    let off = Rule { disabled: true, ..keep };
    check("keeps also when it deletes nothing", &three(), &[old(10), off], &["b"]);
    let two_names = named(vec![("a", vec!["dev", "v1"], 100)]);
    check(
        "another name",
        &two_names,
        &[rule(|r| (r.older_than_days, r.tags) = (Some(1), texts(&["dev"])))],
        &[],
    );
    check("kept by one name", &two_names, &[old(1), rule(|r| r.keep = texts(&["v?"]))], &[]);
    let untagged = rule(|r| (r.untagged, r.older_than_days) = (true, Some(7)));
    let some = named(vec![("a", vec![], 100), ("b", vec![], 5), ("c", vec!["v1"], 100)]);
    check("untagged and old", &some, std::slice::from_ref(&untagged), &["a"]);
    let mut fresh = image("a", &[], 0);
    fresh.pushed = Timestamp::from_second(1_800_000_000 - 60).unwrap();
    check("what has just come", &[("a", fresh)], &[rule(|r| r.untagged = true)], &[]);
    let mut locked = three();
    locked[0].1.locked = true;
    check("locked", &locked, &[old(60)], &[]);
}

#[test]
fn what_goes_by_use_and_verdict() {
    let unused = rule(|r| r.not_pulled_days = Some(30));
    let mut some = named(vec![("a", vec!["v1"], 100), ("b", vec!["v2"], 100), ("c", vec!["v3"], 10)]);
    some[1].1.pulled = Some(ago(3));
    check("not pulled", &some, std::slice::from_ref(&unused), &["a"]);
    some[1].1.pulled = Some(ago(40));
    check("pulled long ago", &some, std::slice::from_ref(&unused), &["a", "b"]);
    let denied = rule(|r| r.denied_days = Some(14));
    let mut some = named(vec![("a", vec!["v1"], 100), ("b", vec!["v2"], 100), ("c", vec!["v3"], 100)]);
    (some[0].1.denied, some[1].1.denied) = (Some(ago(20)), Some(ago(2)));
    check("denied for long", &some, &[denied], &["a"]);
}

#[test]
fn what_belongs_together_goes_together() {
    let untagged = rule(|r| (r.untagged, r.older_than_days) = (true, Some(7)));
    let house = |tags: &[&str]| {
        let mut index = image("index", tags, 100);
        index.children = vec![digest("amd"), digest("arm"), digest("not here")];
        let mut signature = image("signature", &[], 100);
        signature.subject = Some(digest("amd"));
        let name = digest("index").to_string().replace(':', "-") + ".sig";
        vec![
            ("amd", image("amd", &[], 100)),
            ("arm", image("arm", &["arm"], 100)),
            ("index", index),
            ("old signature", image("old signature", &[&name], 100)),
            ("signature", signature),
        ]
    };
    check("all of a kept index", &house(&["v1"]), std::slice::from_ref(&untagged), &[]);
    check("all of a kept index, by age", &house(&["v1"]), &[old(1), rule(|r| r.keep = texts(&["v1"]))], &[]);
    check(
        "an image with a name of its own stays",
        &house(&[]),
        std::slice::from_ref(&untagged),
        &["amd", "index", "old signature", "signature"],
    );
    check("all", &house(&["v1"]), &[old(1)], &["amd", "arm", "index", "old signature", "signature"]);
    let mut shared = house(&["v1"]);
    let mut other = image("other", &["v2"], 1);
    other.children = vec![digest("amd")];
    shared.push(("other", other));
    check("what another index needs stays", &shared, &[old(50)], &["arm", "index", "old signature"]);
    let mut lonely = image("lonely", &[], 100);
    lonely.subject = Some(digest("gone"));
    check(
        "about something that is gone",
        &[("lonely", lonely)],
        std::slice::from_ref(&untagged),
        &["lonely"],
    );
    let mut locked = house(&["v1"]);
    locked[4].1.locked = true;
    check("a lock on a signature", &locked, &[old(1)], &["amd", "arm", "index", "old signature"]);
    // A tag of somebody's choice makes two belong to each other; no rule speaks about either, so both stay, with all
    // that they have.
    let mut crossed = house(&["v1"]);
    let own = digest("other").to_string().replace(':', "-") + ".sig";
    let mut other = image("other", &[], 100);
    other.subject = Some(digest("crossed"));
    let mut with = image("crossed", &[&own], 100);
    with.children = vec![digest("amd")];
    crossed.extend([("other", other), ("crossed", with)]);
    check("two that belong to each other", &crossed, &[old(1)], &["arm", "index", "old signature"]);
    let all: Vec<Image> = house(&["v1"]).into_iter().map(|(_, image)| image).collect();
    let order: Vec<Digest> = plan(&all, &[&old(1)], now()).into_iter().map(|going| going.digest).collect();
    let place = |name: &str| order.iter().position(|one| *one == digest(name)).unwrap();
    assert!(place("signature") < place("amd") && place("index") < place("amd"), "the whole before its parts");
}

#[test]
fn scopes_of_rules() {
    for (pattern, repository, expected) in [
        ("*", "a/b", true),
        ("team/*", "team/a/b", true),
        ("team/*", "other/a", false),
        ("team/a", "team/a", true),
    ] {
        assert_eq!(covers(&rule(|r| r.repositories = pattern.to_owned()), repository), expected, "{pattern}");
    }
}

prop_compose! {
    /// Up to eight images that refer to each other as it comes.
    fn houses()(parts in prop::collection::vec(
        (0..60_i64, prop::option::of(0..60_i64), prop::option::of(0..60_i64), 0..4_usize, prop::option::of(0..8_usize),
         prop::collection::vec(0..8_usize, 0..3), prop::bool::weighted(0.1)), 0..8,
    )) -> Vec<Image> {
        let name = |place: usize| digest(&place.to_string());
        parts.into_iter().enumerate().map(|(place, (pushed, pulled, denied, tag, subject, children, locked))| Image {
            digest: name(place),
            tags: texts(match tag { 0 => &[], 1 => &["latest"], 2 => &["v1", "dev"], _ => &["dev"] }),
            pushed: ago(pushed),
            pulled: pulled.map(ago),
            denied: denied.map(ago),
            subject: subject.map(name),
            children: children.into_iter().map(name).collect(),
            locked,
        }).collect()
    }
}

prop_compose! {
    fn rules()(parts in prop::collection::vec(
        (prop::option::of(0..60_u32), prop::option::of(0..4_u32), prop::option::of(0..60_u32), prop::option::of(0..60_u32),
         any::<bool>(), any::<bool>(), any::<bool>()), 0..4,
    )) -> Vec<Rule> {
        parts.into_iter().map(|(older, newest, pulled, denied, untagged, dev, keep)| rule(|r| {
            (r.older_than_days, r.beyond_newest, r.not_pulled_days, r.denied_days) = (older, newest, pulled, denied);
            r.untagged = untagged;
            r.tags = if dev { texts(&["dev"]) } else { vec![] };
            r.keep = if keep { texts(&["lat*"]) } else { vec![] };
        })).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_safe((images, rules) in (houses(), rules())) {
        let rules: Vec<&Rule> = rules.iter().collect();
        let going = plan(&images, &rules, now());
        let goes = |wanted: &Digest| going.iter().any(|going| going.digest == *wanted);
        for image in &images {
            if image.locked || rules.iter().any(|r| !r.keep.is_empty()) && image.tags.contains(&"latest".to_owned()) {
                prop_assert!(!goes(&image.digest), "kept");
            }
            if !goes(&image.digest) {
                prop_assert!(image.children.iter().all(|child| !goes(child)), "a part of what stays");
                let attached = images.iter().filter(|other| other.subject.as_ref() == Some(&image.digest));
                prop_assert!(attached.into_iter().all(|other| !goes(&other.digest)), "a signature of what stays");
            }
        }
        prop_assert!(rules.iter().any(|rule| rule.deletes()) || going.is_empty());

        let mut turned = images.clone();
        turned.reverse();
        prop_assert_eq!(&plan(&turned, &rules, now()), &going, "in whatever order they come");
    }
}
