//! What came from other registries, on both databases.

use std::time::Duration;

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Checked, Kind, NewManifest};

use crate::{databases::Database, facts::manifest};

#[tokio::test]
async fn an_index_may_come_before_its_images() {
    for database in Database::each() {
        let facts = database.open().await;
        let (index, image, layer) = (Digest::of(b"index"), Digest::of(b"image"), Digest::of(b"layer"));
        let listing = || NewManifest {
            kind: Kind::Index,
            manifests: vec![image.clone()],
            ..manifest("hub/app", "v1", &index, &[])
        };
        assert_eq!(facts.put_manifest(listing()).await.unwrap(), std::slice::from_ref(&image));
        assert_eq!(facts.put_sparse_manifest(listing()).await.unwrap(), []);
        assert_eq!(facts.tag("hub/app", "v1").await.unwrap(), Some(index.clone()));
        // It is linked all the same, so that nobody takes the image for one that nothing needs.
        assert_eq!(facts.pointing_to("hub/app", &image).await.unwrap().len(), 1);
        let hole = manifest("hub/app", "", &image, &[&layer]);
        assert_eq!(facts.put_sparse_manifest(hole).await.unwrap(), [layer], "blobs must be here");
    }
}

#[tokio::test]
async fn what_was_asked_and_when() {
    for database in Database::each() {
        let facts = database.open().await;
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(facts.upstream_check("hub/app", "v1").await.unwrap(), None);
        for body in [None, Some("[]".to_owned())] {
            let checked = Checked { at, body };
            facts.note_upstream_check("hub/app", "v1", checked.clone()).await.unwrap();
            assert_eq!(facts.upstream_check("hub/app", "v1").await.unwrap(), Some(checked));
        }
        for name in ["hub/app", "hub/own", "hubs/own", "hub"] {
            facts.add_blob(name, &Digest::of(b"layer"), 5).await.unwrap();
        }
        for (prefix, own) in [("hub", Some("hub/own")), ("hubs", Some("hubs/own")), ("other", None)] {
            assert_eq!(facts.own_repository_below(prefix).await.unwrap().as_deref(), own, "{prefix}");
        }
    }
}

#[tokio::test]
async fn a_mirror_is_begun_by_one() {
    for database in Database::each() {
        let facts = database.open().await;
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let (hour, later) = (Duration::from_hours(1), now + Duration::from_hours(1));
        assert_eq!(facts.mirror_started("m").await.unwrap(), None);
        let tries = (0..8).map(|_| {
            let facts = facts.clone();
            tokio::spawn(async move { facts.start_mirror("m", now - hour, now).await.unwrap() })
        });
        let mut begun = 0;
        for one in tries.collect::<Vec<_>>() {
            begun += u32::from(one.await.unwrap());
        }
        assert_eq!(begun, 1);
        assert_eq!(facts.mirror_started("m").await.unwrap(), Some(now));
        assert!(!facts.start_mirror("m", later - hour - hour, later).await.unwrap(), "not yet");
        assert!(facts.start_mirror("m", later - hour, later).await.unwrap());
    }
}
