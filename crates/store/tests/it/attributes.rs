//! Lists of what is known about tags and manifests, and decisions about images, on both databases.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{AttributeOrder, AttributePage, Document, Facts};

use crate::{databases::Database, facts::manifest};

/// Three images whose digests, tags and times have different orders. Gives the digests.
async fn fill(facts: &Facts) -> [Digest; 3] {
    let digests = [b"1", b"2", b"3"].map(|bytes| Digest::of(bytes));
    for (digest, (tag, second)) in digests.iter().zip([("b", 2), ("a", 3), ("c", 1)]) {
        let mut image = manifest("team/a", tag, digest, &[]);
        image.at = Timestamp::from_second(second).unwrap();
        assert!(facts.put_manifest(image).await.unwrap().is_empty());
    }
    digests
}

#[tokio::test]
async fn tags_and_manifests_in_every_order_page_by_page() {
    for database in Database::each() {
        let facts = database.open().await;
        let digests = fill(&facts).await;
        let mut by_name: Vec<String> = digests.iter().map(ToString::to_string).collect();
        by_name.sort();
        let named = |places: [usize; 3]| places.map(|place| digests[place].to_string()).to_vec();
        for (order, tags, manifests) in [
            (AttributeOrder::Name, ["a", "b", "c"], by_name),
            (AttributeOrder::Oldest, ["c", "b", "a"], named([2, 0, 1])),
            (AttributeOrder::Newest, ["a", "b", "c"], named([1, 0, 2])),
        ] {
            let (mut found, mut last) = (Vec::new(), String::new());
            loop {
                let page = AttributePage { order, last: &last, limit: 2 };
                let rows = facts.tag_attributes("team/a", None, page).await.unwrap();
                found.extend(rows.iter().map(|row| row.name.clone()));
                let Some(end) = rows.last().filter(|_| rows.len() == 2) else { break };
                last.clone_from(&end.name);
            }
            assert_eq!(found, tags, "{order:?}");
            let (mut found, mut last) = (Vec::new(), String::new());
            loop {
                let page = AttributePage { order, last: &last, limit: 2 };
                let rows = facts.manifest_attributes("team/a", page).await.unwrap();
                found.extend(rows.iter().map(|row| row.digest.to_string()));
                let Some(end) = rows.last().filter(|_| rows.len() == 2) else { break };
                last = end.digest.to_string();
            }
            assert_eq!(found, manifests, "{order:?}");
        }
        let page = AttributePage { order: AttributeOrder::Name, last: "", limit: 9 };
        let of_one = facts.tag_attributes("team/a", Some(&digests[2]), page).await.unwrap();
        assert_eq!(of_one.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(facts.attributes_of_tag("team/a", "c").await.unwrap(), of_one.first().cloned());
        assert_eq!(facts.attributes_of_tag("team/a", "d").await.unwrap(), None);

        let one = facts.attributes_of_manifest("team/a", &digests[0]).await.unwrap().unwrap();
        assert_eq!((one.tags, one.size, one.content_size), (vec!["b".to_owned()], 10, 100));
        assert_eq!(one.platform.unwrap().to_string(), "linux/amd64");
        assert_eq!(facts.attributes_of_manifest("team/b", &digests[0]).await.unwrap(), None);

        let all = facts.attributes_of_repository("team/a").await.unwrap().unwrap();
        assert_eq!((all.manifests, all.tags), (3, 3));
        assert!(all.created <= all.updated);
        assert_eq!(facts.attributes_of_repository("team/b").await.unwrap(), None);
    }
}

#[tokio::test]
async fn decisions_about_images_last_and_are_no_documents_of_access() {
    for database in Database::each() {
        let facts = database.open().await;
        let [image, other, _] = fill(&facts).await;
        let decision = || async { facts.quarantine("team/a", &image).await.unwrap() };
        assert_eq!(decision().await, None);
        for body in ["{\"state\":\"Passed\"}", "{\"state\":\"Failed\"}"] {
            facts.set_quarantine("team/a", &image, Some(body.to_owned())).await.unwrap();
            assert_eq!(decision().await.as_deref(), Some(body));
        }
        assert_eq!(facts.quarantine("team/a", &other).await.unwrap(), None);
        assert_eq!(facts.quarantine("team/b", &image).await.unwrap(), None);
        assert_eq!(facts.documents().await.unwrap(), Vec::<Document>::new());
        let again = database.open().await;
        assert!(again.quarantine("team/a", &image).await.unwrap().is_some());
        facts.set_quarantine("team/a", &image, None).await.unwrap();
        assert_eq!(decision().await, None);
    }
}
