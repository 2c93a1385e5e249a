//! Imports and mirrors: jobs that copy from other registries.

use std::{sync::atomic::Ordering, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::upstreams::{context, kinds};
use boltseal_identity::seal::Purpose;
use boltseal_store::{Document, Job, JobState};
use boltseal_wire::server::{Limits, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    upstream::there::{Mood, There},
    world::World,
};

const LAYER: &[u8] = b"\x1f\x8b a layer";

async fn over(world: &World, id: &str) -> Job {
    for _ in 0..600 {
        let job = world.facts.job(id).await.unwrap().unwrap();
        if job.state.is_over() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end: {:?}", world.facts.job(id).await);
}

async fn import(world: &World, spec: Value) -> Job {
    let id = world.facts.request_job(kinds::IMPORT_JOB, &spec.to_string(), "admin").await.unwrap();
    over(world, &id).await
}

async fn mirror(world: &World, host: &str, more: Value) {
    let mut body = json!({
        "name": "m", "host": host, "repositories": ["app"], "destination": "mirror",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let document =
        Document { kind: kinds::MIRROR.to_owned(), id: "m".to_owned(), body: Some(body.to_string()) };
    world.facts.change_settings(vec![document]).await.unwrap();
}

async fn run(world: &World) -> Job {
    let spec = json!({ "mirror": "m" }).to_string();
    let id = world.facts.request_job(kinds::MIRROR_JOB, &spec, "admin").await.unwrap();
    over(world, &id).await
}

async fn status(world: &World, path: &str) -> u16 {
    world.get(path).await.status.as_u16()
}

fn gets(there: &There) -> usize {
    there.asked().iter().filter(|what| what.starts_with("GET ") && !what.contains("/tags/")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_imported_with_its_parts_and_judged() {
    let (world, there) = (World::new().await, There::new().await);
    let one = there.image("app", None, "", LAYER);
    let other = there.image("app", None, "deny", b"\x1f\x8b for arm64");
    there.index("app", "v1", &[("amd64", &one), ("arm64", &other)]);
    let signature = there.referrer("app", &one);
    let source = format!("{}/app:v1", there.address);
    let job =
        import(&world, json!({ "source": source, "destination": "base/app:1", "referrers": true })).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    assert_eq!(job.done, job.total, "{job:?}");
    assert_eq!(status(&world, "/v2/base/app/manifests/1").await, 200);
    assert_eq!(status(&world, &format!("/v2/base/app/manifests/{one}")).await, 200);
    assert_eq!(status(&world, &format!("/v2/base/app/manifests/{other}")).await, 403, "the same gate");
    let referrers = world.get(&format!("/v2/base/app/referrers/{one}")).await.json();
    assert_eq!(referrers["manifests"][0]["digest"], signature.to_string());
    let records = world.records().await;
    let brought = records.iter().filter(|record| record.detail.get("asked_by") == Some(&"admin".into()));
    assert!(brought.count() >= 4, "each thing is in the log");

    // Again: nothing is fetched but what says what there is.
    gets(&there);
    let job = import(&world, json!({ "source": source, "destination": "base/app:2" })).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    assert_eq!(gets(&there), 1, "the index");

    let one_platform = json!({ "source": source, "destination": "few/app", "platforms": ["linux/amd64"] });
    assert_eq!(import(&world, one_platform).await.state, JobState::Done);
    assert_eq!(status(&world, &format!("/v2/few/app/manifests/{one}")).await, 200);
    assert_eq!(status(&world, &format!("/v2/few/app/manifests/{other}")).await, 404);
    assert_eq!(status(&world, "/v2/few/app/manifests/v1").await, 200);

    let absent = json!({ "source": source.replace("v1", "v2"), "destination": "base/app" });
    let job = import(&world, absent).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.message.unwrap().contains("404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_an_import_is_forgotten_with_it() {
    let there = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(listener, there.registry.router(), None, Limits::default(), std::future::pending()));
    there.push_image("team/app", "v1", "", LAYER).await;
    let world = World::new().await;
    for (password, expected) in [
        (there.people.secret("puller").to_owned(), JobState::Done),
        ("mistaken".to_owned(), JobState::Failed),
    ] {
        let keys = world.people.authority.keys();
        let sealed = keys.seal(Purpose::Setting, password.as_bytes(), &context(&host, "puller")).unwrap();
        let (kind, id) = (kinds::IMPORT_SECRET.to_owned(), "s".to_owned());
        let secret = Document { kind, id, body: Some(STANDARD.encode(sealed)) };
        world.facts.change_settings(vec![secret]).await.unwrap();
        let spec = json!({
            "source": format!("{host}/team/app:v1"), "destination": "copy/app", "username": "puller", "secret": "s",
        });
        let job = import(&world, spec).await;
        assert_eq!(job.state, expected, "{:?}", job.message);
        assert!(!format!("{job:?}").contains(&password));
        assert_eq!(world.facts.documents_of(kinds::IMPORT_SECRET).await.unwrap(), []);
    }
    assert_eq!(status(&world, "/v2/copy/app/manifests/v1").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_brings_what_is_new_and_removes_what_is_gone() {
    let (world, there) = (World::new().await, There::new().await);
    for tag in ["1.9", "1.10", "1.11-rc1", "latest"] {
        there.image("app", Some(tag), "", format!("\x1f\u{8b} {tag}").as_bytes());
    }
    let more = json!({ "tags": ["1.*"], "skip": ["*-rc*"], "newest": 5, "delete": true });
    mirror(&world, &there.address, more).await;
    let job = run(&world).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    let tags = world.get("/v2/mirror/app/tags/list").await.json()["tags"].clone();
    assert_eq!(tags, json!(["1.10", "1.9"]));
    assert_eq!(status(&world, "/v2/mirror/app/manifests/1.10").await, 200);

    gets(&there);
    let job = run(&world).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    assert!(job.message.unwrap().starts_with("2 tags, 2 unchanged"));
    assert_eq!(gets(&there), 0, "what is here is not fetched again");

    there.image("app", Some("1.9"), "", b"\x1f\x8b newer");
    there.forget("app", "1.10");
    there.image("app", Some("1.12"), "", b"\x1f\x8b 1.12");
    let job = run(&world).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    let tags = world.get("/v2/mirror/app/tags/list").await.json()["tags"].clone();
    assert_eq!(tags, json!(["1.12", "1.9"]));

    // One bad tag does not keep the others.
    there.image("app", Some("1.13"), "", b"\x1f\x8b 1.13");
    there.image("app", Some("1.14"), "", b"\x1f\x8b 1.14");
    there.lose_blob(b"\x1f\x8b 1.13");
    let job = run(&world).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.message.unwrap().contains("1 of them failed: app:1.13"));
    assert_eq!(status(&world, "/v2/mirror/app/manifests/1.14").await, 200);
    assert_eq!(status(&world, "/v2/mirror/app/manifests/1.13").await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_waits_for_a_registry_in_a_hurry() {
    let (world, there) = (World::new().await, There::new().await);
    there.image("app", Some("v1"), "", LAYER);
    mirror(&world, &there.address, json!({})).await;
    there.is(Mood::Limited);
    let spec = json!({ "mirror": "m" }).to_string();
    let id = world.facts.request_job(kinds::MIRROR_JOB, &spec, "admin").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    there.is(Mood::Well);
    let job = over(&world, &id).await;
    assert_eq!(job.state, JobState::Done, "{:?}", job.message);
    assert_eq!(status(&world, "/v2/mirror/app/manifests/v1").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_stops_when_told_and_goes_on_later() {
    let (world, there) = (World::new().await, There::new().await);
    for tag in ["1", "2", "3"] {
        there.image("app", Some(tag), "", format!("\x1f\u{8b} {tag}").as_bytes());
    }
    mirror(&world, &there.address, json!({})).await;
    there.is(Mood::Hang);
    let spec = json!({ "mirror": "m" }).to_string();
    let id = world.facts.request_job(kinds::MIRROR_JOB, &spec, "admin").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(world.facts.stop_job(&id).await.unwrap());
    assert_eq!(over(&world, &id).await.state, JobState::Stopped);
    there.is(Mood::Well);

    assert_eq!(run(&world).await.state, JobState::Done);
    assert_eq!(world.judge.opened.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_begins_by_itself() {
    let (world, there) = (World::new().await, There::new().await);
    there.image("app", Some("v1"), "", LAYER);
    mirror(&world, &there.address, json!({ "every": 3600 })).await;
    // The schedule is looked at when the registry starts.
    let world = world.reopen().await;
    for _ in 0..200 {
        if status(&world, "/v2/mirror/app/manifests/v1").await == 200 {
            let jobs = world.facts.jobs(Some(kinds::MIRROR_JOB), 10).await.unwrap();
            assert_eq!((jobs.len(), jobs[0].by.as_str()), (1, "schedule"));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never began");
}
