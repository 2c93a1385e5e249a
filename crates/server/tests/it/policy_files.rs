//! Signed policy files of several servers that start at one moment: the newest counts at all of them, whoever was first.

use std::sync::Arc;

use boltseal_flow::endorsed::Endorsers;
use boltseal_model::Timestamp;
use boltseal_policy::Policy;
use boltseal_server::{
    ActivePolicy,
    policies::{Held, HeldError, hold, newest_held},
};
use boltseal_store::Facts;
use tokio::{sync::Barrier, task::JoinSet};

const SERVERS: u64 = 8;
/// Which of them is first, the machine decides.
const ROUNDS: u64 = 10;

fn file(revision: u64) -> (ActivePolicy, Held) {
    let text = format!(
        "version: 1\nname: shop\nrevision: {revision}\nrules: [{{ name: gaps, effect: warn, coverage: {{}} }}]\n"
    );
    let policy = ActivePolicy::of_file(Policy::parse(&text).unwrap(), text.clone());
    (policy, Held { text, ..Held::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_files_that_come_at_one_moment_the_newest_counts() {
    let Some(postgres) = boltseal_testkit::postgres() else { return };
    let database = postgres.database();
    // Each server has a connection of its own.
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(Facts::connect(&database).await.unwrap());
    }
    for round in 0..ROUNDS {
        let together = Arc::new(Barrier::new(servers.len()));
        let mut starting = JoinSet::new();
        for (number, facts) in (1..).zip(&servers) {
            let (facts, together, revision) = (facts.clone(), Arc::clone(&together), round * 100 + number);
            starting.spawn(async move {
                let (policy, whole) = file(revision);
                together.wait().await;
                (revision, hold(&facts, &policy, &whole, Timestamp::now(), false).await)
            });
        }
        let newest = round * 100 + SERVERS;
        while let Some(ended) = starting.join_next().await {
            match ended.unwrap() {
                // It was newer than all before it.
                (_, Ok(told)) => assert_eq!(told, None),
                (revision, Err(HeldError::Older { why, .. })) => {
                    assert!(revision < newest, "the newest was refused: {why}");
                    let (begin, end) = (format!("it is revision {revision}, and revision "), " is in force");
                    let before = why.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(end));
                    assert!(before.is_some_and(|other| other.parse::<u64>().unwrap() > revision), "{why}");
                }
                (revision, Err(other)) => panic!("revision {revision}: {other}"),
            }
        }
        // All of them see the same, in whole.
        for facts in &servers {
            let (mine, _) = file(round * 100);
            let found = newest_held(facts, &Endorsers::default(), &mine).await.unwrap().unwrap();
            assert_eq!((found.policy.revision(), found.text), (Some(newest), file(newest).1.text));
        }
    }
}
