//! Pulls: sums by name and by day, handed over many at a time.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{DayPulls, Pulled, TagPulls};

use crate::{databases::Database, facts::manifest};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_006_400 + seconds).unwrap()
}

#[tokio::test]
async fn pulls_add_up() {
    for database in Database::each() {
        let facts = database.open().await;
        let (image, other) = (Digest::of(b"image"), Digest::of(b"other"));
        let pulled = |repository: &str, digest: &Digest, tag: Option<&str>, number, last| Pulled {
            repository: repository.to_owned(),
            digest: digest.clone(),
            tag: tag.map(str::to_owned),
            number,
            last,
            by: None,
        };
        let (day, next) = (86_400, at(86_400 + 5));
        facts
            .count_pulls(vec![
                pulled("team/app", &image, Some("v1"), 3, at(10)),
                // The same day under another name: two rows of names, one of days.
                pulled("team/app", &image, None, 2, at(20)),
                pulled("other", &image, Some("v1"), 1, at(5)),
            ])
            .await
            .unwrap();
        facts
            .count_pulls(vec![
                pulled("team/app", &image, Some("v1"), 4, next),
                pulled("team/app", &other, None, 1, at(1)),
            ])
            .await
            .unwrap();
        // Clocks of two servers differ: the last pull stays the last.
        facts.count_pulls(vec![pulled("team/app", &image, Some("v1"), 1, at(30))]).await.unwrap();
        facts.count_pulls(vec![]).await.unwrap();

        let found = facts.pulls(&image, at(0)).await.unwrap();
        let [elsewhere, here] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((elsewhere.repository.as_str(), elsewhere.number, elsewhere.last), ("other", 1, at(5)));
        assert_eq!((here.repository.as_str(), here.number, here.last), ("team/app", 10, next));
        assert_eq!(here.tags["v1"], TagPulls { number: 8, last: next });
        assert_eq!(
            here.days,
            [DayPulls { day: at(0), number: 6 }, DayPulls { day: at(day), number: 4 }],
            "pulls over time"
        );
        assert_eq!(facts.pulls(&image, at(day)).await.unwrap()[1].days.len(), 1);
        let mut last = facts.last_pulls("team/app").await.unwrap();
        last.sort();
        let mut expected = vec![(image.clone(), next), (other.clone(), at(1))];
        expected.sort();
        assert_eq!(last, expected);
        let anywhere = facts.last_pulls_of(&[image.clone(), Digest::of(b"never")]).await.unwrap();
        assert_eq!(anywhere, [(image.clone(), next)]);

        // What was deleted long ago is forgotten, and days of long ago; what is stored is not.
        facts.put_manifest(manifest("team/app", "v1", &image, &[])).await.unwrap();
        facts.forget_old_pulls(at(500 * day)).await.unwrap();
        let found = facts.pulls(&image, at(0)).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].number, found[0].days.len()), (10, 0));
        assert_eq!(facts.pulls(&other, at(0)).await.unwrap(), []);
    }
}
