//! Locks, immutable tags, the trash and quotas: what is refused, what comes back, and figures that stay right.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{
    Error, Facts, ImmutableRule, Kind, LockChange, Locked, NewManifest, Quota, Refusal, State, Topic, Usage,
};

use crate::{databases::Database, facts::manifest};

const WRITE: LockChange = LockChange { write: Some(false), ..NOTHING };
pub const DELETE: LockChange = LockChange { delete: Some(false), ..NOTHING };
const READ: LockChange = LockChange { read: Some(false), ..NOTHING };
pub const NOTHING: LockChange = LockChange { read: None, write: None, delete: None, list: None };
pub const OPEN: LockChange =
    LockChange { read: Some(true), write: Some(true), delete: Some(true), list: Some(true) };

/// After everything that the test does.
fn later() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

pub async fn push(facts: &Facts, repository: &str, tag: &str, text: &str) -> Result<Digest, Error> {
    let (image, layer) = (Digest::of(text.as_bytes()), layer(text));
    facts.add_blob(repository, &layer, 5).await?;
    let missing = facts.put_manifest(manifest(repository, tag, &image, &[&layer])).await?;
    assert_eq!(missing, []);
    Ok(image)
}

pub fn layer(text: &str) -> Digest {
    Digest::of(format!("layer of {text}").as_bytes())
}

pub async fn lock(facts: &Facts, target: Locked, change: LockChange) {
    let at = Timestamp::now();
    facts.change_lock("team/app", target, change, "alice", "ticket 7", at).await.unwrap().unwrap();
}

/// What an attempt came to, in a word.
pub fn word<T>(outcome: &Result<T, Error>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(Error::Refused(Refusal::Locked { attribute, .. })) => attribute,
        Err(Error::Refused(Refusal::Immutable { .. })) => "immutable",
        Err(Error::Refused(Refusal::Quota { .. })) => "quota",
        Err(_) => "failed",
    }
}

#[tokio::test]
async fn locks_hold_for_what_they_are_on() {
    // What is locked, how, and what then becomes of: a push of another image under the tag, a push of the same, a push
    // under another tag, removing the tag, removing the layer, removing the manifest.
    let image = Digest::of(b"one");
    let manifest_lock = || Locked::Manifest(image.clone());
    let tag_lock = || Locked::Tag("v1".to_owned());
    let (d, w, x) = ("done", "writeEnabled", "deleteEnabled");
    let cases = [
        (Locked::Repository, NOTHING, [d, d, d, d, d, d]),
        (Locked::Repository, WRITE, [w, w, w, w, w, w]),
        (Locked::Repository, DELETE, [d, d, d, x, x, x]),
        (Locked::Repository, READ, [d, d, d, d, d, d]),
        (tag_lock(), WRITE, [w, d, d, w, w, w]),
        (tag_lock(), DELETE, [d, d, d, x, x, x]),
        (manifest_lock(), WRITE, [d, d, d, d, w, w]),
        (manifest_lock(), DELETE, [d, d, d, d, x, x]),
    ];
    for database in Database::each() {
        let facts = database.open().await;
        for (target, change, expected) in cases.clone() {
            push(&facts, "team/app", "v1", "one").await.unwrap();
            lock(&facts, target.clone(), change).await;
            let mut found = [""; 6];
            for (place, found) in found.iter_mut().enumerate() {
                // Each on the same ground.
                facts.change_lock("team/app", target.clone(), OPEN, "", "", later()).await.unwrap();
                push(&facts, "team/app", "v1", "one").await.unwrap();
                lock(&facts, target.clone(), change).await;
                *found = match place {
                    0 => word(&push(&facts, "team/app", "v1", "two").await),
                    1 => word(&push(&facts, "team/app", "v1", "one").await),
                    2 => word(&push(&facts, "team/app", "v2", "two").await),
                    3 => word(&facts.remove_tag("team/app", "v1").await),
                    4 => word(&facts.remove_blob("team/app", &layer("one")).await),
                    _ => word(&facts.remove_manifest("team/app", &image).await),
                };
                if *found == "done" && target == tag_lock() && place != 3 {
                    lock(&facts, target.clone(), OPEN).await;
                }
            }
            assert_eq!(found, expected, "{target:?} {change:?}");
            facts.change_lock("team/app", target, OPEN, "", "", later()).await.unwrap();
            assert_eq!(facts.locks("team/app").await.unwrap(), [], "an open lock is none");
        }
    }
}

#[tokio::test]
async fn a_lock_says_whose_it_is_and_reaches_whoever_pulls() {
    for database in Database::each() {
        let facts = database.open().await;
        let mut following = facts.following();
        let image = push(&facts, "team/app", "v1", "one").await.unwrap();
        let nothing = facts.change_lock("team/app", Locked::Tag("v9".to_owned()), READ, "alice", "", later());
        assert_eq!(nothing.await.unwrap(), None);
        lock(&facts, Locked::Manifest(image.clone()), READ).await;
        while following.next().await != Topic::Repository("team/app".to_owned()) {}
        let refusal = facts.read_lock("team/app", Some("v1"), &image).await.unwrap().unwrap().to_string();
        assert!(
            refusal.starts_with(&format!("team/app@{image} is locked and cannot be pulled")),
            "{refusal}"
        );
        assert!(refusal.contains("alice") && refusal.contains("ticket 7"), "{refusal}");
        assert_eq!(facts.read_locks_around("team/app", &layer("one")).await.unwrap().len(), 1);
        assert_eq!(facts.read_locks_around("team/app", &layer("two")).await.unwrap(), []);
        let hidden = LockChange { list: Some(false), ..NOTHING };
        lock(&facts, Locked::Tag("v1".to_owned()), hidden).await;
        lock(&facts, Locked::Repository, hidden).await;
        assert_eq!(facts.unlisted("team/app").await.unwrap(), ["v1"]);
        assert_eq!(facts.unlisted_repositories().await.unwrap(), ["team/app"]);
        // A tag that goes takes its lock along; another of that name starts open.
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        assert_eq!(facts.unlisted("team/app").await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn immutable_tags_neither_move_nor_go() {
    let rule = ImmutableRule {
        id: "releases".to_owned(),
        repositories: "team/*".to_owned(),
        tags: "v*,stable".to_owned(),
        exceptions: "*-rc*".to_owned(),
        by: "alice".to_owned(),
        at: Timestamp::from_second(1_800_000_000).unwrap(),
    };
    for database in Database::each() {
        let facts = database.open().await;
        facts.put_immutable_rule(rule.clone()).await.unwrap();
        assert_eq!(facts.immutable_rules().await.unwrap(), std::slice::from_ref(&rule));
        for (repository, tag, expected) in [
            ("team/app", "v1", "immutable"),
            ("team/app", "stable", "immutable"),
            ("team/app", "v1-rc1", "done"),
            ("team/app", "latest", "done"),
            ("other/app", "v1", "done"),
        ] {
            let first = push(&facts, repository, tag, "one").await.unwrap();
            assert_eq!(
                word(&push(&facts, repository, tag, "one").await),
                "done",
                "the same again is nothing"
            );
            assert_eq!(word(&push(&facts, repository, tag, "two").await), expected, "{repository}:{tag}");
            let held = if expected == "done" { Digest::of(b"two") } else { first };
            assert_eq!(facts.tag(repository, tag).await.unwrap(), Some(held.clone()));
            assert_eq!(word(&facts.remove_manifest(repository, &held).await), expected);
            if expected == "immutable" {
                assert_eq!(word(&facts.remove_tag(repository, tag).await), expected);
            }
        }
        assert!(facts.remove_immutable_rule("releases").await.unwrap());
        assert!(!facts.remove_immutable_rule("releases").await.unwrap());
        assert_eq!(word(&push(&facts, "team/app", "v1", "two").await), "done");
    }
}

/// Collects everything that nobody needs.
async fn collect(facts: &Facts) -> usize {
    facts.drop_unlinked(later(), 1000).await.unwrap();
    let condemned = facts.condemn(later(), 100).await.unwrap();
    facts.bury(condemned.clone()).await.unwrap();
    condemned.len()
}

#[tokio::test]
async fn what_was_deleted_comes_back_whole() {
    for database in Database::each() {
        let facts = database.open().await;
        facts.set_trash_days(7).await.unwrap();
        let image = push(&facts, "team/app", "v1", "one").await.unwrap();
        let tagged = manifest("team/app", "v2", &image, &[&layer("one")]);
        assert_eq!(facts.put_manifest(tagged).await.unwrap(), []);
        let index = Digest::of(b"index");
        let list = NewManifest {
            kind: Kind::Index,
            manifests: vec![image.clone()],
            ..manifest("team/app", "multi", &index, &[])
        };
        assert_eq!(facts.put_manifest(list).await.unwrap(), []);

        assert!(facts.remove_manifest_by("bob", "team/app", &index).await.unwrap());
        assert!(facts.remove_manifest_by("bob", "team/app", &image).await.unwrap());
        assert!(!facts.remove_manifest_by("bob", "team/app", &image).await.unwrap());
        assert_eq!(facts.manifest("team/app", &image).await.unwrap(), None);
        assert_eq!(facts.tag("team/app", "v1").await.unwrap(), None);
        assert_eq!(facts.blob("team/app", &layer("one")).await.unwrap(), None, "nor its layer");
        assert_eq!(facts.mount("team/app", "b", &layer("one")).await.unwrap(), None, "nor by a mount");
        assert_eq!(collect(&facts).await, 0, "its bytes are kept");
        let trash = facts.trash(Some("team/app"), ("", ""), 10).await.unwrap();
        let found = trash.iter().find(|trashed| trashed.digest == image).unwrap();
        assert_eq!(
            (found.by.as_str(), found.tags.as_slice()),
            ("bob", &["v1".to_owned(), "v2".to_owned()][..])
        );
        assert_eq!(facts.tag_in_trash("team/app", "v2").await.unwrap().as_ref(), Some(&image));

        // Somebody takes one of its tags meanwhile; the index brings its image along.
        let other = push(&facts, "team/app", "v2", "two").await.unwrap();
        let back = facts.undelete("team/app", &index, Timestamp::now()).await.unwrap().unwrap();
        assert_eq!(back.manifests, [index.clone(), image.clone()]);
        assert_eq!(
            (back.tags.as_slice(), back.taken.as_slice()),
            (&["v1".to_owned(), "multi".to_owned()][..], &["v2".to_owned()][..])
        );
        assert_eq!(facts.tag("team/app", "v2").await.unwrap(), Some(other));
        assert_eq!(facts.tag("team/app", "v1").await.unwrap().as_ref(), Some(&image));
        assert_eq!(facts.blob("team/app", &layer("one")).await.unwrap(), Some(5));
        assert_eq!(facts.pointing_to("team/app", &layer("one")).await.unwrap().len(), 1);
        assert_eq!(facts.judgement(&image).await.unwrap().unwrap().state, State::Pending, "judged anew");
        assert_eq!(facts.undelete("team/app", &image, Timestamp::now()).await.unwrap(), None);
        assert_eq!(facts.trash(None, ("", ""), 10).await.unwrap(), []);
        assert_eq!(collect(&facts).await, 0);

        // For good: after its days, or at once.
        assert!(facts.remove_manifest("team/app", &image).await.unwrap());
        assert!(facts.remove_manifest("team/app", &index).await.unwrap());
        let in_days =
            |days: i64| Timestamp::now() + std::time::Duration::from_hours(24) * u32::try_from(days).unwrap();
        assert_eq!(facts.trash_over(in_days(6), 10).await.unwrap(), []);
        let over = facts.trash_over(in_days(8), 10).await.unwrap();
        assert_eq!(over.len(), 2);
        let names = over.into_iter().map(|trashed| (trashed.repository, trashed.digest)).collect();
        assert_eq!(facts.purge(names, Timestamp::now()).await.unwrap(), 2);
        assert_eq!(collect(&facts).await, 3, "index, image, layer");
    }
}

#[tokio::test]
async fn a_push_of_what_is_in_the_trash_takes_it_out() {
    for database in Database::each() {
        let facts = database.open().await;
        facts.set_trash_days(7).await.unwrap();
        let image = push(&facts, "a", "v1", "one").await.unwrap();
        facts.remove_manifest("a", &image).await.unwrap();
        // The client was told of the layer before the deletion and does not send it again.
        let again = manifest("a", "v1", &image, &[&layer("one")]);
        assert_eq!(facts.put_manifest(again).await.unwrap(), []);
        assert_eq!(facts.blob("a", &layer("one")).await.unwrap(), Some(5));
        assert_eq!(facts.trash(None, ("", ""), 10).await.unwrap(), []);
        facts.set_trash_days(0).await.unwrap();
        facts.remove_manifest("a", &image).await.unwrap();
        assert_eq!(
            facts.trash(None, ("", ""), 10).await.unwrap(),
            [],
            "nothing is kept where nobody wants it"
        );
        assert_eq!(collect(&facts).await, 2);
    }
}

fn quota(scope: &str, bytes: Option<u64>, repositories: Option<u64>, tags: Option<u64>) -> Quota {
    Quota { scope: scope.to_owned(), bytes, repositories, tags }
}

#[tokio::test]
async fn quotas_let_in_what_fits() {
    for database in Database::each() {
        let facts = database.open().await;
        push(&facts, "team/app", "v1", "one").await.unwrap();
        for one in [
            quota("team/*", Some(31), None, None),
            quota("team/app", None, None, Some(2)),
            quota("*", None, Some(3), None),
        ] {
            facts.put_quota(one, "alice", later()).await.unwrap();
        }
        // A layer of 5 and a manifest of 10: one image is there, another fits, a third does not.
        assert_eq!(word(&push(&facts, "team/app", "v1", "one").await), "done", "the same again is no more");
        assert_eq!(
            word(&push(&facts, "team/b", "v1", "one").await),
            "done",
            "nor is it elsewhere in the scope"
        );
        assert_eq!(word(&push(&facts, "team/app", "v2", "two").await), "done");
        let third = push(&facts, "team/b", "v3", "three").await;
        assert_eq!(word(&third), "quota");
        let sentence = third.unwrap_err().to_string();
        assert_eq!(sentence, "the quota of team/* is 31 B: 30 B used, 5 B more do not fit");
        assert_eq!(word(&push(&facts, "team/app", "v3", "one").await), "quota", "two tags are there");
        assert_eq!(word(&push(&facts, "else/c", "v1", "one").await), "done", "outside of it");
        assert_eq!(word(&push(&facts, "else/d", "v1", "one").await), "quota", "a fourth repository");
        assert_eq!(word(&facts.mount("team/app", "else/d", &layer("one")).await), "quota");
        assert_eq!(facts.blob("team/b", &layer("three")).await.unwrap(), None);
        assert_eq!(collect(&facts).await, 1, "what was refused is garbage, and known to be");

        let rows = facts.quotas().await.unwrap();
        let used: Vec<_> = rows.iter().map(|row| (row.quota.scope.as_str(), row.used)).collect();
        let usage = |bytes, repositories, tags| Usage { bytes, repositories, tags };
        let expected = [("*", usage(30, 3, 4)), ("team/*", usage(30, 2, 3)), ("team/app", usage(30, 1, 2))];
        assert_eq!(used, expected);
        assert!(facts.remove_quota("team/*").await.unwrap());
        assert!(!facts.remove_quota("team/*").await.unwrap());
        assert_eq!(word(&push(&facts, "team/b", "v3", "three").await), "done");
    }
}

/// The same numbers again in the same order, so that a failure can be looked at.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test]
async fn usage_is_always_what_counting_anew_says() {
    for database in Database::each() {
        let facts = database.open().await;
        let scopes = ["*", "team/*", "team/sub/*", "team/sub/app", "alone"];
        for scope in &scopes[..3] {
            facts.put_quota(quota(scope, Some(150), None, Some(12)), "", later()).await.unwrap();
        }
        facts.set_trash_days(7).await.unwrap();
        let repositories = ["team/app", "team/sub/app", "team/sub/b", "alone", "other/x"];
        let texts = ["one", "two", "three", "four", "five", "six"];
        let mut dice = Dice(11);
        let mut words = std::collections::BTreeMap::<_, u32>::new();
        for step in 0..400 {
            let (repository, text) = (repositories[dice.roll(5)], texts[dice.roll(6)]);
            let image = Digest::of(text.as_bytes());
            let tag = format!("v{}", dice.roll(4));
            let outcome = match dice.roll(10) {
                0..=3 => word(&push(&facts, repository, &tag, text).await),
                4 => word(&facts.remove_tag(repository, &tag).await),
                5 => word(&facts.remove_manifest(repository, &image).await),
                6 => word(&facts.undelete(repository, &image, Timestamp::now()).await),
                7 => word(&facts.mount(repositories[dice.roll(5)], repository, &layer(text)).await),
                8 => word(&facts.remove_blob(repository, &layer(text)).await),
                _ if dice.roll(2) == 0 => {
                    word(&facts.purge(vec![(repository.to_owned(), image)], Timestamp::now()).await)
                }
                _ => {
                    collect(&facts).await;
                    facts.set_trash_days(u32::try_from(dice.roll(2)).unwrap()).await.unwrap();
                    "done"
                }
            };
            *words.entry(outcome).or_default() += 1;
            if step == 200 {
                for scope in &scopes[3..] {
                    facts.put_quota(quota(scope, None, None, None), "", later()).await.unwrap();
                }
            }
            if step % 10 == 0 || step > 390 {
                for row in facts.quotas().await.unwrap() {
                    let counted = facts.measure(&row.quota.scope).await.unwrap();
                    assert_eq!(row.used, counted, "{} after step {step}", row.quota.scope);
                }
            }
        }
        assert!(words["done"] > 100 && words["quota"] > 10, "both ways were gone: {words:?}");
        // Nothing leaks: with everything gone, nothing is counted, and every byte is garbage.
        facts.set_trash_days(0).await.unwrap();
        for repository in repositories {
            for text in texts {
                facts.remove_manifest(repository, &Digest::of(text.as_bytes())).await.unwrap();
                let image = Digest::of(text.as_bytes());
                facts.purge(vec![(repository.to_owned(), image)], Timestamp::now()).await.unwrap();
            }
        }
        collect(&facts).await;
        for row in facts.quotas().await.unwrap() {
            assert_eq!((row.used.bytes, row.used.tags), (0, 0), "{}", row.quota.scope);
        }
        let garbage = facts.garbage(later()).await.unwrap();
        assert_eq!((garbage.unused, garbage.unlinked), (0, 0));
        for text in texts {
            assert_eq!(facts.place(&layer(text)).await.unwrap(), None, "{text}");
            assert_eq!(facts.place(&Digest::of(text.as_bytes())).await.unwrap(), None, "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_race_a_lock_are_before_it_or_refused() {
    for database in Database::each() {
        let facts = database.open().await;
        push(&facts, "team/app", "v1", "first").await.unwrap();
        let pushes: Vec<_> = (0..40)
            .map(|n| {
                let facts = facts.clone();
                tokio::spawn(async move { push(&facts, "team/app", "v1", &format!("image {n}")).await })
            })
            .collect();
        tokio::task::yield_now().await;
        lock(&facts, Locked::Tag("v1".to_owned()), WRITE).await;
        let locked_at = facts.tag("team/app", "v1").await.unwrap();
        let mut refused = 0;
        for push in pushes {
            refused += u32::from(word(&push.await.unwrap()) == "writeEnabled");
        }
        assert_eq!(facts.tag("team/app", "v1").await.unwrap(), locked_at, "{refused} refused");
    }
}
