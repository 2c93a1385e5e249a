//! A tag that was removed alone comes back.

use std::time::Duration;

use boltseal_model::Timestamp;
use boltseal_store::Undeleted;

use crate::{
    databases::Database,
    life::{push, word},
};

#[tokio::test]
async fn a_tag_that_was_removed_alone_comes_back() {
    for database in Database::each() {
        let facts = database.open().await;
        let now = Timestamp::now();
        let one = push(&facts, "team/app", "v1", "one").await.unwrap();
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        assert_eq!(facts.tag_in_trash("team/app", "v1").await.unwrap(), None, "nothing is kept");
        facts.set_trash_days(7).await.unwrap();
        push(&facts, "team/app", "v1", "one").await.unwrap();
        assert_eq!(facts.tag_in_trash("team/app", "v1").await.unwrap(), None, "it is there");
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        assert_eq!(facts.tag_in_trash("team/app", "v2").await.unwrap(), None);
        let found = facts.tag_in_trash("team/app", "v1").await.unwrap();
        assert_eq!(found.as_ref(), Some(&one));

        let back = facts.undelete_tag("team/app", "v1", &one, now).await.unwrap();
        let tagged = |tag: &str| Undeleted { tags: vec![tag.to_owned()], ..Undeleted::default() };
        assert_eq!(back, Some(tagged("v1")));
        assert_eq!(facts.tag("team/app", "v1").await.unwrap().as_ref(), Some(&one));
        assert_eq!(facts.undelete_tag("team/app", "v1", &one, now).await.unwrap(), None, "once");

        // Taken meanwhile: it stays with whoever took it.
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        let two = push(&facts, "team/app", "v1", "two").await.unwrap();
        let back = facts.undelete_tag("team/app", "v1", &one, now).await.unwrap().unwrap();
        assert_eq!((back.tags.len(), back.taken.as_slice()), (0, &["v1".to_owned()][..]));
        assert_eq!(facts.tag("team/app", "v1").await.unwrap().as_ref(), Some(&two));

        // The image goes as well: the tag brings it along. By its digest it comes without the tag.
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        assert!(facts.remove_manifest("team/app", &two).await.unwrap());
        let back = facts.undelete("team/app", &two, now).await.unwrap().unwrap();
        assert_eq!((back.manifests.len(), back.tags.len()), (1, 0));
        assert!(facts.remove_manifest("team/app", &two).await.unwrap());
        assert_eq!(facts.tag_in_trash("team/app", "v1").await.unwrap().as_ref(), Some(&two));
        let back = facts.undelete_tag("team/app", "v1", &two, now).await.unwrap().unwrap();
        assert_eq!((back.manifests, back.tags), (vec![two.clone()], vec!["v1".to_owned()]));

        // What it pointed to is gone for good, or its time is over.
        assert!(facts.remove_tag("team/app", "v1").await.unwrap());
        assert!(facts.remove_manifest("team/app", &two).await.unwrap());
        facts.purge(vec![("team/app".to_owned(), two.clone())], now).await.unwrap();
        assert_eq!(facts.tag_in_trash("team/app", "v1").await.unwrap(), None);
        push(&facts, "team/app", "v3", "one").await.unwrap();
        assert!(facts.remove_tag("team/app", "v3").await.unwrap());
        let in_days = |days: u32| Timestamp::now() + Duration::from_hours(24) * days;
        assert_eq!(facts.forget_removed_tags(in_days(6)).await.unwrap(), 0);
        assert_eq!(facts.tag_in_trash("team/app", "v3").await.unwrap().as_ref(), Some(&one));
        assert_eq!(facts.forget_removed_tags(in_days(8)).await.unwrap(), 2, "v1 and v3");
        assert_eq!(facts.tag_in_trash("team/app", "v3").await.unwrap(), None);
        assert_eq!(word(&facts.undelete_tag("team/app", "v3", &one, now).await), "done");
        assert_eq!(facts.tag("team/app", "v3").await.unwrap(), None);
    }
}
