//! What rules about deleting see of a repository, and what manifests say of themselves.

use boltseal_model::{Decision, Digest, Timestamp};
use boltseal_store::{About, BuildStep, Kind, LockChange, Locked, NewManifest, Pulled};

use crate::{
    databases::Database,
    facts::manifest,
    views::{judged, report},
};

fn layers(names: &[&str]) -> Vec<Digest> {
    names.iter().map(|name| Digest::of(name.as_bytes())).collect()
}

#[tokio::test]
async fn a_repository_as_rules_see_it() {
    for database in Database::each() {
        let facts = database.open().await;
        let (image, index, signature) =
            (Digest::of(b"image"), Digest::of(b"index"), Digest::of(b"signature"));
        facts.put_manifest(manifest("a", "v1", &image, &[])).await.unwrap();
        let mut list = manifest("a", "multi", &index, &[]);
        (list.kind, list.manifests) = (Kind::Index, vec![image.clone()]);
        facts.put_manifest(list).await.unwrap();
        let mut about_image = manifest("a", "", &signature, &[]);
        (about_image.kind, about_image.subject) = (Kind::Artifact, Some(image.clone()));
        facts.put_manifest(about_image).await.unwrap();
        facts.put_manifest(manifest("b", "v1", &image, &[])).await.unwrap();
        judged(&facts, &image, report(&image, Decision::Deny, "s1", vec![])).await;
        let pulled = Timestamp::from_second(2_000_000_000).unwrap();
        let pull = Pulled {
            repository: "a".to_owned(),
            digest: image.clone(),
            tag: None,
            number: 1,
            last: pulled,
            by: None,
        };
        facts.count_pulls(vec![pull]).await.unwrap();

        let there = facts.kept_manifests("a", 10).await.unwrap();
        let one = |wanted: &Digest| there.iter().find(|kept| kept.digest == *wanted).unwrap();
        assert_eq!(there.len(), 3);
        assert_eq!(
            (one(&image).tags.as_slice(), one(&image).pulled),
            (["v1".to_owned()].as_slice(), Some(pulled))
        );
        assert!(one(&image).denied.is_some() && one(&image).children.is_empty() && !one(&image).locked);
        assert_eq!(one(&index).children, std::slice::from_ref(&image));
        assert_eq!((one(&signature).subject.as_ref(), one(&signature).denied), (Some(&image), None));
        assert_eq!(facts.kept_manifests("a", 2).await.unwrap().len(), 2);

        // Since when it is denied does not change with every look at it; that it is denied does.
        let since = one(&image).denied;
        judged(&facts, &image, report(&image, Decision::Deny, "s2", vec![])).await;
        assert_eq!(facts.kept_manifests("b", 9).await.unwrap()[0].denied, since);
        judged(&facts, &image, report(&image, Decision::Allow, "s3", vec![])).await;
        assert_eq!(facts.kept_manifests("b", 9).await.unwrap()[0].denied, None);

        let kept = one(&image).clone();
        assert!(facts.is_as_kept("a", &kept).await.unwrap());
        facts.put_manifest(manifest("a", "v2", &image, &[])).await.unwrap();
        assert!(!facts.is_as_kept("a", &kept).await.unwrap(), "it has another name");
        let lock = LockChange { delete: Some(false), ..LockChange::default() };
        facts
            .change_lock("a", Locked::Tag("v2".to_owned()), lock, "alice", "", Timestamp::now())
            .await
            .unwrap();
        let there = facts.kept_manifests("a", 10).await.unwrap();
        assert_eq!(there.iter().filter(|kept| kept.locked).count(), 1);
        assert!(facts.remove_manifest("a", &image).await.is_err());
    }
}

#[tokio::test]
async fn what_manifests_say() {
    for database in Database::each() {
        let facts = database.open().await;
        let (base, image) = (Digest::of(b"base"), Digest::of(b"image"));
        let created = Timestamp::from_second(1_600_000_000).unwrap();
        let said = About {
            created: Some(created),
            base_name: Some("registry.example/base:1".to_owned()),
            base_digest: Some(base.clone()),
            layers: layers(&["1", "2", "3"]),
            labels: vec![
                ("team".to_owned(), "blue".to_owned()),
                ("team".to_owned(), "red".to_owned()),
                ("long".to_owned(), "ä".repeat(5_000)),
                ("odd".to_owned(), "a\0b".to_owned()),
            ],
            history: None,
        };
        let push = |repository, tag, digest: &Digest, about: About| NewManifest {
            about: Some(about),
            ..manifest(repository, tag, digest, &[])
        };
        facts.put_manifest(push("a", "v1", &image, said.clone())).await.unwrap();
        assert_eq!(facts.build_steps(&image).await.unwrap(), None, "pushed before steps were kept");
        // The same bytes say the same; of steps, more may be known by now.
        let step =
            |text: &str, empty| BuildStep { step: Some(text.to_owned()), empty, ..BuildStep::default() };
        let steps = vec![step("COPY . /", false), step("ENV A=1\0", true)];
        let again = About { history: Some(steps.clone()), created: None, ..said.clone() };
        facts.put_manifest(push("b", "v1", &image, again)).await.unwrap();
        let other = About { history: Some(vec![]), ..said.clone() };
        facts.put_manifest(push("c", "v1", &image, other)).await.unwrap();
        let read = facts.build_steps(&image).await.unwrap().unwrap();
        assert_eq!(read, [steps[0].clone(), step("ENV A=1\u{fffd}", true)]);
        let below = About { layers: layers(&["1", "2"]), ..About::default() };
        facts.put_manifest(push("a", "base", &base, below.clone())).await.unwrap();
        facts.put_manifest(manifest("a", "silent", &Digest::of(b"silent"), &[])).await.unwrap();

        let found = facts.about(&[image.clone(), base.clone(), Digest::of(b"silent")]).await.unwrap();
        assert_eq!(found.len(), 2);
        let (_, read) = found.iter().find(|(digest, _)| *digest == image).unwrap();
        assert_eq!(*read, About { labels: vec![], ..said.clone() });
        let labels = facts.labels(&image).await.unwrap();
        assert_eq!(labels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["long", "odd", "team"]);
        assert_eq!(
            (labels[0].1.len(), labels[1].1.as_str(), labels[2].1.as_str()),
            (1_000, "a\u{fffd}b", "blue")
        );

        let chains = read.chains_below();
        assert_eq!(chains.len(), 2, "all beginnings but the whole");
        let bases = facts.images_of_chains(&chains).await.unwrap();
        assert_eq!(bases, [(chains[0].clone(), base.clone())]);
        facts.remove_manifest("a", &base).await.unwrap();
        assert_eq!(facts.images_of_chains(&chains).await.unwrap(), []);
    }
}
