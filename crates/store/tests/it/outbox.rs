//! Events that are written once and sent until they arrive.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Attempt, DeliveryState, NewDelivery, Outgoing};

use crate::databases::Database;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn delivery(id: &str, webhook: &str) -> NewDelivery {
    NewDelivery {
        id: id.to_owned(),
        webhook: webhook.to_owned(),
        event: "push".to_owned(),
        body: "{}".to_owned(),
    }
}

#[tokio::test]
async fn an_event_is_written_once_and_tried_again() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        assert_eq!(facts.webhook_position().await.unwrap(), None);
        assert!(facts.put_outgoing(None, 5, Outgoing::default(), at(0)).await.unwrap());
        assert!(!facts.put_outgoing(None, 9, Outgoing::default(), at(0)).await.unwrap(), "somebody began");
        let outgoing = Outgoing {
            deliveries: vec![delivery("1", "a"), delivery("2", "b")],
            held: vec![("team/app".to_owned(), image.clone(), "noted".to_owned())],
            released: vec![],
        };
        assert!(facts.put_outgoing(Some(5), 8, outgoing.clone(), at(0)).await.unwrap());
        assert!(!facts.put_outgoing(Some(5), 8, outgoing, at(0)).await.unwrap(), "somebody else was first");
        assert_eq!(facts.webhook_position().await.unwrap(), Some(8));
        assert_eq!(facts.held_pushes(&image).await.unwrap(), [("team/app".to_owned(), "noted".to_owned())]);

        let taken = facts.claim_deliveries(at(1), at(60), &[], 10).await.unwrap();
        assert_eq!(taken.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        let except = ["b".to_owned()];
        assert_eq!(facts.claim_deliveries(at(61), at(61), &except, 10).await.unwrap().len(), 1);
        assert_eq!(facts.claim_deliveries(at(2), at(60), &[], 10).await.unwrap(), [], "somebody has them");
        assert_eq!(facts.claim_deliveries(at(61), at(90), &[], 1).await.unwrap().len(), 1, "who is gone");
        facts.attempted("1", Attempt::Delivered { status: 204 }, at(3)).await.unwrap();
        let failed = |again| Attempt::Failed { status: Some(500), error: "no".to_owned(), again };
        facts.attempted("2", failed(Some(at(100))), at(3)).await.unwrap();
        assert_eq!(facts.claim_deliveries(at(99), at(200), &[], 10).await.unwrap(), []);
        let again = facts.claim_deliveries(at(100), at(200), &[], 10).await.unwrap();
        assert_eq!((again.len(), again[0].attempts, again[0].status), (1, 1, Some(500)));
        facts.attempted("2", failed(None), at(101)).await.unwrap();
        assert_eq!(facts.claim_deliveries(at(999), at(1000), &[], 10).await.unwrap(), [], "over");

        let dead = facts.deliveries("b", Some(DeliveryState::Dead), 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts, dead[0].error.as_deref()), (1, 2, Some("no")));
        assert!(!facts.redeliver("a", "2", at(200)).await.unwrap(), "it is another one's");
        assert!(facts.redeliver("b", "2", at(200)).await.unwrap());
        assert_eq!(facts.claim_deliveries(at(200), at(300), &[], 10).await.unwrap().len(), 1);
        facts.put_delivery(delivery("3", "gone"), at(0)).await.unwrap();
        facts.forget_deliveries(at(100), vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(facts.deliveries("a", None, 10).await.unwrap(), [], "it ended long ago");
        assert_eq!(facts.deliveries("b", None, 10).await.unwrap().len(), 1);
        assert_eq!(facts.deliveries("gone", None, 10).await.unwrap(), []);

        let released =
            Outgoing { released: vec![("team/app".to_owned(), image.clone())], ..Outgoing::default() };
        assert!(facts.put_outgoing(Some(8), 9, released, at(0)).await.unwrap());
        assert_eq!(facts.held_pushes(&image).await.unwrap(), []);
    }
}
