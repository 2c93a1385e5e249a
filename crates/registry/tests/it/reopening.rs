//! Images that were judged before there was an inventory of credentials get into it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_flow::look::FingerprintKey;
use boltseal_model::{Digest, Timestamp};
use boltseal_policy::Policy;
use boltseal_registry::FlowJudge;
use boltseal_store::{CredentialFilter, JobState, State};
use boltseal_testkit::image::{Built, Image, Layer};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::{people::People, world::World};

const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "Kx7qLw3nTk92vbQ4";

/// What migrations from 0014 on made is taken away: the facts are as a version before them left them.
const BEFORE: &[&str] = &[
    "DROP TABLE credentials",
    "DROP TABLE leaks",
    "DROP INDEX judgements_by_support",
    "ALTER TABLE judgements DROP COLUMN secrets",
    "ALTER TABLE judgements DROP COLUMN misconfigurations",
    "ALTER TABLE judgements DROP COLUMN unowned",
    "ALTER TABLE judgements DROP COLUMN malware",
    "ALTER TABLE judgements DROP COLUMN unsupported",
    "ALTER TABLE judgements DROP COLUMN recognised",
    "DROP INDEX judgements_unheeded",
    "ALTER TABLE judgements DROP COLUMN attached",
    "ALTER TABLE judgements DROP COLUMN heeded",
    "ALTER TABLE judgements DROP COLUMN claims",
    "DROP INDEX manifests_speaking",
    "DROP TABLE pushers",
    "DROP TABLE passed_over",
    "DROP TABLE used",
    "DROP TABLE running",
    "DROP TABLE nodes",
    "DELETE FROM _sqlx_migrations WHERE version >= 14",
];

fn judge() -> FlowJudge {
    FlowJudge::new("registry.test", None, Arc::new(Policy::built_in().clone()))
}

fn leaky(path: &str) -> Built {
    Image::new().layer(Layer::new().file(path, format!("DB_PASSWORD={SECRET}\n"))).build()
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn state(world: &World, image: &Digest) -> State {
    world.facts.judgement(image).await.unwrap().unwrap().state
}

/// A folder as a version before the inventory left it: two images that were judged, and of the second the layer is lost.
async fn before(whole: &Built, lost: &Built) -> (TempDir, People) {
    let folder = tempfile::tempdir().unwrap();
    // Without a key, as versions were that knew of none.
    let world = World::judged_by(folder, None, Arc::new(judge())).await;
    for (name, built) in [("team/whole", whole), ("team/lost", lost)] {
        world.push_built(name, "v1", built).await;
        until("judged", async || state(&world, &built.manifest).await == State::Judged).await;
    }
    world.registry.end().await;
    let World { folder, people, .. } = world;
    (folder, people)
}

async fn made_old(folder: &Path, lost: &Built) {
    let file = folder.join("facts.db");
    let mut db = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    for &statement in BEFORE {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    let layer = lost.layers().remove(0);
    std::fs::remove_file(folder.join("blobs/sha256").join(layer.hex())).unwrap();
}

#[test]
fn what_an_older_version_looked_at_is_looked_at_again() {
    let (whole, lost) = (leaky("app/.env"), leaky("srv/.env"));
    // Nothing of the older one goes on: its workers end with their runtime.
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let older = runtime();
    let (folder, people) = older.block_on(before(&whole, &lost));
    older.shutdown_timeout(PATIENCE);
    runtime().block_on(async {
        made_old(folder.path(), &lost).await;
        let judge = Arc::new(judge().recognising(FingerprintKey::new(&[7; 32])));
        looked_at_again(&World::judged_by(folder, Some(people), judge).await, &whole, &lost).await;
    });
}

async fn looked_at_again(world: &World, whole: &Built, lost: &Built) {
    let all = CredentialFilter::default();
    until("a credential with a fingerprint", async || {
        // Nobody waits meanwhile: the verdict of before holds.
        assert_eq!(state(world, &whole.manifest).await, State::Judged);
        !world.facts.credentials(&all, None, 10).await.unwrap().is_empty()
    })
    .await;
    until("the end of the job", async || {
        world.facts.jobs(Some("reopen"), 10).await.unwrap().iter().all(|job| job.state.is_over())
    })
    .await;
    let jobs = world.facts.jobs(Some("reopen"), 10).await.unwrap();
    let [job] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!(
        (job.state, job.message.as_deref()),
        (JobState::Done, Some("looked at 2 images again; 1 could not be opened: push it again"))
    );

    let found = world.facts.credentials(&all, None, 10).await.unwrap();
    let [credential] = found.as_slice() else { panic!("{found:?}") };
    let places = world.facts.leaks_of(&[credential.fingerprint], 10).await.unwrap();
    let places: Vec<_> = places.iter().map(|row| (row.repository.as_str(), row.place.as_str())).collect();
    assert_eq!(places, [("team/whole", "app/.env:1")]);
    // The one whose bytes are gone keeps what is known of it, and is still counted.
    assert_eq!(state(world, &lost.manifest).await, State::Judged);
    assert!(world.facts.report(&lost.manifest).await.unwrap().is_some());
    assert_eq!(world.facts.observations(Timestamp::now()).await.unwrap().unrecognised, 1);
    assert_eq!(world.facts.unrecognised(None, 10).await.unwrap(), std::slice::from_ref(&lost.manifest));
}
