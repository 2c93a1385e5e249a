//! What nodes say that they run.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Run, RunWith, UsedPackage};

use crate::databases::Database;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_006_400 + seconds).unwrap()
}

#[tokio::test]
async fn what_a_node_says_is_in_place_of_what_it_said_before() {
    for database in Database::each() {
        let facts = database.open().await;
        let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
        let run = |container: &str, digest: &Digest| Run {
            container: container.to_owned(),
            digest: digest.clone(),
            image: "registry.example.com/app:1".to_owned(),
            since: at(1),
            uses: None,
        };
        let many: Vec<Run> = (0..400).map(|number| run(&format!("many/{number:03}"), &first)).collect();
        facts
            .report_running("node-1", vec![run("shop/web", &first), run("shop/db", &second)], at(10))
            .await
            .unwrap();
        facts.report_running("node-2", many, at(20)).await.unwrap();
        let both = [first.clone(), second.clone()];
        let found = facts.running(RunWith::Images(&both), 1_000).await.unwrap();
        assert_eq!(found.len(), 402);
        assert_eq!((found[0].host.as_str(), &found[0].run), ("node-1", &run("shop/db", &second)));
        assert_eq!(facts.running(RunWith::Images(&both[1..]), 10).await.unwrap().len(), 1);
        assert_eq!(
            facts.running(RunWith::Images(&both), 7).await.unwrap().len(),
            7,
            "no more than asked for"
        );
        // By name, and by that of the group; what only begins so or looks like a pattern is another.
        for (name, number) in
            [("shop/web", 1), ("shop", 2), ("sho", 0), ("sho_", 0), ("Shop", 0), ("shop/", 0), ("many", 400)]
        {
            let found = facts.running(RunWith::Name(name), 1_000).await.unwrap();
            assert_eq!(found.len(), number, "{name}");
        }
        assert_eq!(facts.running(RunWith::Anything, 1_000).await.unwrap().len(), 402);
        // Nobody looked into them: they are in no answer about packages, and told as such.
        assert_eq!(facts.running(RunWith::Vulnerability("CVE-2030-0001"), 10).await.unwrap(), []);
        assert_eq!(facts.running(RunWith::Package("busybox", Some("1")), 10).await.unwrap(), []);
        assert_eq!(facts.running_unlooked(1_000).await.unwrap().len(), 402);

        // The same again is only when it was said last.
        facts
            .report_running("node-1", vec![run("shop/web", &first), run("shop/db", &second)], at(25))
            .await
            .unwrap();
        assert_eq!(facts.running(RunWith::Images(&both), 1_000).await.unwrap(), found);
        assert_eq!(facts.nodes().await.unwrap()[0], ("node-1".to_owned(), at(25)));

        // What it uses is another thing to say.
        let uses = |executed| UsedPackage { package: "musl".to_owned(), version: "1".to_owned(), executed };
        for (seconds, uses) in
            [(26, Some(vec![uses(false)])), (27, Some(vec![uses(true), uses(true)])), (28, None)]
        {
            let web = Run { uses, ..run("shop/web", &first) };
            facts.report_running("node-1", vec![web, run("shop/db", &second)], at(seconds)).await.unwrap();
            assert_eq!(facts.running(RunWith::Images(&both), 1_000).await.unwrap(), found);
        }

        facts.report_running("node-2", Vec::new(), at(30)).await.unwrap();
        facts.report_running("node-1", vec![run("shop/web", &second)], at(40)).await.unwrap();
        let found = facts.running(RunWith::Images(&both), 1_000).await.unwrap();
        assert_eq!(found.iter().map(|one| one.run.clone()).collect::<Vec<_>>(), [run("shop/web", &second)]);
        let nodes = [("node-1".to_owned(), at(40)), ("node-2".to_owned(), at(30))];
        assert_eq!(facts.nodes().await.unwrap(), nodes);

        // Who says nothing for a month is forgotten, with what it said.
        facts.report_running("node-3", Vec::new(), at(40 * 86_400)).await.unwrap();
        assert_eq!(facts.nodes().await.unwrap(), [("node-3".to_owned(), at(40 * 86_400))]);
        assert_eq!(facts.running(RunWith::Images(&both), 1_000).await.unwrap(), []);
    }
}
