//! Damaged bytes come again from the registry they came from, if they are right there.

use boltseal_api::upstreams::kinds;
use boltseal_audit::record::Outcome;
use boltseal_model::Digest;
use boltseal_store::Document;
use serde_json::json;

use super::{
    files, job,
    rot::{SCRUB, flip},
};
use crate::{
    upstream::{
        there::{Mood, There},
        upstream,
    },
    world::World,
};

const LAYER: &[u8] = b"\x1f\x8b a layer";

async fn scrub(world: &World) -> String {
    job(&world.facts, "scrub", SCRUB).await.message.unwrap()
}

async fn bytes(world: &World, repository: &str, digest: &Digest) -> Vec<u8> {
    world.get(&format!("/v2/{repository}/blobs/{digest}")).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_an_upstream_comes_again() {
    let (world, there) = (World::new().await, There::new().await);
    let image = there.image("app", Some("v1"), "", LAYER);
    upstream(&world, &there.address, json!({})).await;
    let manifest = world.get("/v2/cache/app/manifests/v1").await.body;
    assert_eq!(Digest::of(&manifest), image);
    let layer = Digest::of(LAYER);
    let mine = Digest::of(b"pushed here");
    world.push_image("mine", "v1", "", b"pushed here").await;

    for digest in [&layer, &image, &mine] {
        flip(&world, digest);
    }
    there.asked();
    let found = scrub(&world).await;
    assert!(found.contains("3 damaged, 2 of them repaired: push the others again"), "{found}");
    let mut asked = there.asked();
    asked.sort();
    let wanted = [format!("GET /v2/app/blobs/{layer}"), format!("GET /v2/app/manifests/{image}")];
    assert_eq!(asked, wanted, "by their digests, and for nothing that did not come from there");
    assert_eq!(bytes(&world, "cache/app", &layer).await, LAYER);
    assert_eq!(world.get("/v2/cache/app/manifests/v1").await.body, manifest);
    assert_eq!(there.asked(), Vec::<String>::new(), "they are here");
    assert_eq!(files(&world, "quarantine").len(), 3, "what was damaged stays for somebody to look at");
    let rotten = world.facts.rotten(10).await.unwrap();
    assert!(rotten.len() == 1 && rotten[0].digest == mine, "{rotten:?}");
    assert_eq!(world.get(&format!("/v2/mine/blobs/{mine}")).await.status.as_u16(), 404);

    let records = world.records().await;
    let of = |digest: &Digest| {
        let of = records.iter().filter(|record| record.action == "Boltseal/storage/scrub/action");
        let of = of.filter(|record| record.subject.digest.as_ref() == Some(digest));
        of.map(|record| (record.outcome, record.alert)).collect::<Vec<_>>()
    };
    assert_eq!(of(&layer), [(Outcome::Failure, true), (Outcome::Success, false)], "found, then repaired");
    assert_eq!(of(&mine), [(Outcome::Failure, true)]);
    let repaired =
        records.iter().filter(|record| record.status.as_deref().unwrap_or("").contains("again from"));
    for record in repaired {
        assert_eq!(record.detail["upstream"], there.address);
        assert_eq!(
            record.status,
            Some(format!("damaged bytes were brought again from {}/app", there.address))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_waits_and_is_asked_for_again() {
    for (mood, more) in [
        (Mood::LieAboutBlobs, json!({})),
        (Mood::Cut, json!({})),
        (Mood::Status(500), json!({})),
        (Mood::Status(404), json!({})),
        (Mood::Well, json!({"enabled": false})),
        (Mood::Well, json!({"deny": ["app"]})),
    ] {
        let (world, there) = (World::new().await, There::new().await);
        there.image("app", Some("v1"), "", LAYER);
        upstream(&world, &there.address, json!({})).await;
        assert_eq!(world.get("/v2/cache/app/manifests/v1").await.status.as_u16(), 200);
        let layer = Digest::of(LAYER);
        flip(&world, &layer);
        there.is(mood);
        upstream(&world, &there.address, more.clone()).await;
        // The list of upstreams may be a second old.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let found = scrub(&world).await;
        if mood == Mood::Cut {
            assert!(found.contains("1 damaged, 1 of them repaired"), "a cut download goes on: {found}");
            continue;
        }
        assert!(found.contains("1 damaged: push them again"), "{mood:?} {more}: {found}");
        assert_eq!(world.facts.rotten(10).await.unwrap().len(), 1);
        assert_eq!(files(&world, "uploads").len(), 0, "nothing is left of it");

        there.is(Mood::Well);
        upstream(&world, &there.address, json!({"ttl": 7200})).await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let found = scrub(&world).await;
        assert!(
            found.ends_with("nothing is damaged; 1 that were damaged before are repaired"),
            "{mood:?} {more}: {found}"
        );
        assert_eq!(bytes(&world, "cache/app", &layer).await, LAYER);
        assert_eq!(world.facts.rotten(10).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mirror_brought_comes_again() {
    let (world, there) = (World::new().await, There::new().await);
    let image = there.image("app", Some("v1"), "", LAYER);
    let mirror = json!({
        "name": "m", "host": there.address, "repositories": ["app"], "destination": "copies", "plain_http": true,
    });
    let document =
        Document { kind: kinds::MIRROR.to_owned(), id: "m".to_owned(), body: Some(mirror.to_string()) };
    world.facts.change_settings(vec![document]).await.unwrap();
    job(&world.facts, kinds::MIRROR_JOB, r#"{"mirror":"m"}"#).await;
    let layer = Digest::of(LAYER);
    for digest in [&layer, &image] {
        flip(&world, digest);
    }
    let found = scrub(&world).await;
    assert!(found.contains("2 damaged, 2 of them repaired"), "{found}");
    assert_eq!(bytes(&world, "copies/app", &layer).await, LAYER);
    assert_eq!(
        world.get("/v2/copies/app/manifests/v1").await.header("docker-content-digest"),
        image.to_string()
    );
}
