//! The log as other programs use it: tiles, records, proofs, exports, and what they send.

use axum::{body::Body, http::Request};
use boltseal_api::audit::{Records, Status, Taken, Verified};
use boltseal_audit::{
    Record,
    log::{Memory, Proof, Reader, Storage as _, Tile, Verifier, verify},
};
use boltseal_identity::{Assignment, AssignmentId, Edit, Principal, PrincipalId, PrincipalKind};
use boltseal_wire::server::Peer;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    app::{Answer, App, token},
    sample,
};

/// Asks as somebody, for bytes.
async fn bytes(app: &App, name: &str, method: &str, path: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", token(&app.state, name)))
        .extension(Peer { address: ([127, 0, 0, 1], 40_000).into(), tls: false });
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = boltseal_server::router(app.state.clone()).oneshot(request).await.unwrap();
    let cache =
        response.headers().get("cache-control").map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    (status, cache, axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap().to_vec())
}

async fn json<T: DeserializeOwned>(app: &App, path: &str) -> T {
    let answer: Answer = app.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", answer.body))
}

/// Somebody new who holds a role somewhere.
fn somebody(app: &App, name: &str, role: &str, scope: &str) {
    let (access, by) = (&app.state.access, boltseal_identity::Caller::system());
    let id = PrincipalId(Uuid::new_v4());
    let principal = Principal::new(id, PrincipalKind::ServicePrincipal, name.parse().unwrap());
    let directory = access.authority().directory();
    let change = directory.apply(Edit::CreatePrincipal(principal.into()), sample::now()).unwrap();
    let assignment = Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal: id,
        role: change.directory.role_named(role).unwrap_or_else(|| panic!("no role {role}")).id,
        scope: scope.parse().unwrap(),
        condition: None,
        created: sample::now(),
        by: by.id,
        expires: None,
        reason: "a test".to_owned(),
    };
    let change = change.directory.apply(Edit::Assign(assignment), sample::now()).unwrap();
    access.authority().replace(change.directory);
}

#[tokio::test]
async fn a_mirror_of_the_tiles_verifies() {
    let app = App::empty().await;
    let entries: Vec<Vec<u8>> =
        (0..700).map(|number| format!("{{\"number\":{number}}}").into_bytes()).collect();
    app.state.facts.append(entries).await.unwrap();
    app.state.recorder.seal().await.unwrap();
    let name = sample::NAME;

    let (status, cache, checkpoint) = bytes(&app, name, "GET", "/audit/checkpoint", b"").await;
    assert_eq!((status, cache.as_str()), (200, "no-cache"));
    let verifier: Verifier = json::<Status>(&app, "/api/v1/audit/status").await.key.parse().unwrap();
    let mirror = Memory::default();
    mirror.write("checkpoint", &checkpoint).unwrap();
    let reader = Reader::new(&mirror, verifier);
    let size = reader.checkpoint().unwrap().checkpoint().size;
    assert!(size > 700);
    let mut tiles = 0;
    loop {
        // Verification names the first file that it misses, until it misses none.
        let missing = match verify(&reader, None, &mut |_| ()) {
            Ok(whole) => break assert_eq!(whole.checkpoint.checkpoint().size, size),
            Err(boltseal_audit::log::Broken::Missing { path, .. }) => path,
            Err(boltseal_audit::log::Broken::Unreadable(boltseal_audit::log::Error::Missing { path })) => {
                path
            }
            Err(other) => panic!("{other}"),
        };
        let (status, cache, tile) = bytes(&app, name, "GET", &format!("/audit/{missing}"), b"").await;
        assert_eq!(status, 200, "{missing}");
        assert!(cache.contains("immutable") && cache.contains("private"), "{missing}: {cache}");
        mirror.write(&missing, &tile).unwrap();
        tiles += 1;
    }
    assert!(tiles >= 7, "{tiles} tiles");

    let beyond = Tile { kind: boltseal_audit::log::Kind::Entries, index: 2, width: 256 }.to_string();
    for path in [
        beyond.as_str(),
        "tile/0/x001/000",
        "tile/64/000",
        "tile/0/0",
        "tile/entries/../../facts.db",
        "tile/entries/%2e%2e/%2e%2e/facts.db",
        "tile/0/000.p/256",
    ] {
        let (status, _, body) = bytes(&app, name, "GET", &format!("/audit/{path}"), b"").await;
        assert_eq!(status, 404, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn whoever_may_not_read_the_log_sees_nothing_of_it() {
    let app = App::new().await;
    somebody(&app, "builder", "AcrPull", "/");
    for path in [
        "/audit/checkpoint",
        "/audit/tile/0/000",
        "/api/v1/audit/records",
        "/api/v1/audit/records/0",
        "/api/v1/audit/records/0/proof",
        "/api/v1/audit/status",
        "/api/v1/audit/export",
    ] {
        assert_eq!(app.ask("GET", path, &[], "").await.status, 401, "{path}");
        let (status, _, body) = bytes(&app, "builder", "GET", path, b"").await;
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status, problem["action"].as_str()),
            (403, Some("Boltseal/audit/records/read")),
            "{path}"
        );
    }
    let denied: Records = json(&app, "/api/v1/audit/records?who=builder&outcome=denied").await;
    assert_eq!(denied.records.len(), 7, "every attempt is in the log");
}

#[tokio::test]
async fn records_are_found_and_proved() {
    let app = App::empty().await;
    app.state.recorder.seal().await.unwrap();
    app.get("/api/v1/audit/status").await;
    let found: Records = json(&app, "/api/v1/audit/records?limit=3").await;
    let newest = &found.records[0];
    assert!(!newest.sealed, "what is durable is shown before it is sealed");
    assert_eq!(newest.record["api"]["operation"], "Boltseal/audit/records/read", "reading is recorded");
    assert!(found.records.windows(2).all(|pair| pair[0].index == pair[1].index + 1));
    let (mut before, mut all) = (found.next, found.records.len());
    while let Some(next) = before {
        let page: Records = json(&app, &format!("/api/v1/audit/records?limit=3&before={next}")).await;
        all += page.records.len();
        before = page.next;
    }
    assert_eq!(all as u64, newest.index + 1, "pages fit together");

    let made: Records = json(&app, "/api/v1/audit/records?activity=add-user").await;
    assert_eq!(made.records.len(), 1);
    let index = made.records[0].index;
    let one: boltseal_api::audit::Recorded = json(&app, &format!("/api/v1/audit/records/{index}")).await;
    assert!(one.sealed && one.record == made.records[0].record);

    let answer = app.get(&format!("/api/v1/audit/records/{index}/proof")).await;
    assert_eq!(answer.status, 200);
    let proof = Proof::parse(answer.body.as_bytes()).unwrap();
    let status: Status = json(&app, "/api/v1/audit/status").await;
    let entry = proof.extra.clone().unwrap();
    proof.verify(&entry, &status.key.parse().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&entry).unwrap(), one.record);

    for (path, expected) in [
        ("/api/v1/audit/records?colour=red", 400),
        ("/api/v1/audit/records?since=yesterday", 400),
        ("/api/v1/audit/records?before=x", 400),
        ("/api/v1/audit/records/1000000", 404),
        ("/api/v1/audit/records/1000000/proof", 404),
        ("/api/v1/audit/records/-1", 404),
        ("/api/v1/audit/export?format=pdf", 400),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn the_log_is_exported_in_every_format() {
    let app = App::new().await;
    app.state.recorder.seal().await.unwrap();
    let size = app.state.recorder.reader().unwrap().checkpoint().unwrap().checkpoint().size;
    for format in ["ocsf", "cef", "syslog", "cloudevents", "otlp", "azure"] {
        let answer = app.get(&format!("/api/v1/audit/export?format={format}")).await;
        assert_eq!(answer.status, 200, "{format}");
        assert_eq!(answer.body.lines().count() as u64, size, "{format}");
    }
    let answer = app.get("/api/v1/audit/export").await;
    let records: Vec<Record> =
        answer.body.lines().map(|line| Record::parse(line.as_bytes()).unwrap()).collect();
    assert!(records.iter().any(|record| record.action.contains("roleAssignments/write")));
    let none = app.get("/api/v1/audit/export?until=2020-01-01").await;
    assert_eq!((none.status.as_u16(), none.body.as_str()), (200, ""));
}

#[tokio::test]
async fn what_clusters_report_is_taken_once() {
    let app = App::new().await;
    let Some(path) = boltseal_testkit::shared("data/admission/audit-sample.jsonl") else { return };
    let batch = std::fs::read(path).unwrap();
    let events = batch.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    somebody(&app, "east-api-server", "Event Reporter", "/clusters/east");
    let east = "/api/v1/audit/ingest/kubernetes?cluster=east";
    for recorded in [events, 0] {
        let (status, _, body) = bytes(&app, "east-api-server", "POST", east, &batch).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let taken: Taken = serde_json::from_slice(&body).unwrap();
        assert_eq!(taken, Taken { received: events, recorded });
    }
    let found: Records = json(&app, "/api/v1/audit/records?subject=/clusters/east&limit=1000").await;
    assert!(found.records.len() >= events);

    for (path, body, expected) in [
        ("/api/v1/audit/ingest/kubernetes?cluster=west", &batch[..], 403),
        ("/api/v1/audit/ingest/docker?host=east", b"{}", 403),
        ("/api/v1/audit/ingest/kubernetes", &batch, 400),
        ("/api/v1/audit/ingest/kubernetes?cluster=a%2f..%2fb", &batch, 400),
        (east, b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", 400),
        (east, &vec![b' '; (16 << 20) + 1], 413),
    ] {
        let (status, _, body) = bytes(&app, "east-api-server", "POST", path, body).await;
        assert_eq!(status, expected, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn what_was_asked_of_an_engine_is_told_with_who_asked() {
    let app = App::new().await;
    somebody(&app, "node-1", "Node Agent", "/");
    let path = "/api/v1/audit/ingest/docker-commands?host=node-1";
    let command = |more: &str| {
        format!(
            r#"{{"time":"2026-03-01T12:00:00.5Z","proof":"TLS","method":"POST","path":"/containers/create","command":"container create","object":null,"image":"app:v1",{more}}}"#
        )
    };
    let refused =
        command(r#""user":"alice","outcome":"refused","why":"container create asks for privileged""#);
    let allowed = command(r#""user":null,"outcome":"allowed","why":null"#).replace("00.5Z", "01Z");
    let batch = format!("{refused}\n{allowed}");
    for recorded in [2, 0] {
        let (status, _, body) = bytes(&app, "node-1", "POST", path, batch.as_bytes()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let taken: Taken = serde_json::from_slice(&body).unwrap();
        assert_eq!(taken, Taken { received: 2, recorded });
    }
    let found: Records = json(&app, "/api/v1/audit/records?subject=/hosts/node-1&limit=10").await;
    let told: Vec<String> =
        found.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    let has = |words: &[&str]| told.iter().any(|record| words.iter().all(|word| record.contains(word)));
    assert!(has(&["docker:alice", "refused: container create asks for privileged", "app:v1"]), "{told:?}");
    assert!(has(&["docker-socket", "container create app:v1: allowed"]), "{told:?}");

    for wrong in ["{}", &refused.replace("refused", "done"), &refused.replace("2026-03-01T", "yesterday")] {
        let (status, ..) = bytes(&app, "node-1", "POST", path, wrong.as_bytes()).await;
        assert_eq!(status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_a_node_runs_is_told_once() {
    let app = App::new().await;
    somebody(&app, "node-1", "Node Agent", "/hosts/node-1");
    let path = "/api/v1/audit/ingest/node?host=node-1";
    let digest = format!("sha256:{}", "7".repeat(64));
    let event = format!(
        r#"{{"number":1,"at":"2026-03-01T12:00:00Z","what":"container.start","group":"shop","container":"web","details":{{"digest":"{digest}","plan":"p","verdict":"allowed"}}}}"#
    );
    for recorded in [1, 0] {
        let (status, _, body) = bytes(&app, "node-1", "POST", path, event.as_bytes()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let taken: Taken = serde_json::from_slice(&body).unwrap();
        assert_eq!(taken, Taken { received: 1, recorded });
    }
    let found: Records = json(&app, "/api/v1/audit/records?subject=/hosts/node-1/groups/shop&limit=10").await;
    let told: Vec<String> =
        found.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&digest) && told[0].contains("container shop/web started"), "{told:?}");
    let other = path.replace("node-1", "node-2");
    assert_eq!(bytes(&app, "node-1", "POST", &other, event.as_bytes()).await.0, 403);
    assert_eq!(bytes(&app, "node-1", "POST", path, b"{}").await.0, 400);
}

#[tokio::test]
async fn a_broken_log_closes_and_can_still_be_looked_at() {
    let app = App::new().await;
    app.state.recorder.seal().await.unwrap();
    let answer = app.ask("GET", "/readyz", &[], "").await;
    assert_eq!(answer.status, 200);
    let size = app.state.recorder.reader().unwrap().checkpoint().unwrap().checkpoint().size;
    let path = app.state.recorder.folder().join(format!("tile/entries/000.p/{size}"));
    let mut bundle = std::fs::read(&path).unwrap();
    bundle[300] ^= 1;
    std::fs::write(&path, bundle).unwrap();

    let (status, ..) = bytes(&app, sample::NAME, "POST", "/api/v1/audit/verify", b"").await;
    assert_eq!(status, 202);
    let mut state = app.state.recorder.state();
    state.wait_for(|state| matches!(state.verified, Verified::Broken { .. })).await.unwrap();

    assert_eq!(app.ask("GET", "/readyz", &[], "").await.status, 503);
    let status: Status = json(&app, "/api/v1/audit/status").await;
    assert!(matches!(&status.verified, Verified::Broken { why } if why.contains("entry ")), "{status:?}");
    assert!(status.closed.is_some());
    assert_eq!(app.get("/api/v1/images").await.status, 200, "images are still shown");
    let (status, ..) = bytes(&app, sample::NAME, "POST", "/api/v1/audit/ingest/docker?host=a", b"{}").await;
    assert!(status == 503 || status == 403, "{status}");
    assert!(app.state.facts.append(vec![b"{}".to_vec()]).await.is_err());
}

#[tokio::test]
async fn what_is_archived_is_not_missed_but_told() {
    let app = App::empty().await;
    let entries = (0..1_000).map(|number| format!("{{\"number\":{number}}}").into_bytes()).collect();
    app.state.facts.append(entries).await.unwrap();
    app.state.recorder.seal().await.unwrap();
    let (status, _, body) =
        bytes(&app, sample::NAME, "POST", "/api/v1/audit/archive", b"{\"before\":600}").await;
    assert_eq!((status, &body[..]), (200, &b"{\"first\":512}"[..]), "whole bundles");
    let log = app.state.recorder.folder().to_owned();
    let archive = log.with_file_name("audit-archive");
    assert!(!log.join("tile/entries/001").exists() && archive.join("tile/entries/001").exists());
    assert!(log.join("tile/entries/002").exists() && log.join("tile/0/001").exists());
    app.state.recorder.seal().await.unwrap();

    let found: Records = json(&app, "/api/v1/audit/records?subject=/audit&activity=update").await;
    assert_eq!(found.records[0].record["unmapped"]["detail"]["before"], 512, "it is recorded");
    for (path, expected) in [
        ("/api/v1/audit/records/511", 410),
        ("/api/v1/audit/records/511/proof", 410),
        ("/audit/tile/entries/001", 410),
        ("/audit/tile/0/001", 200),
        ("/api/v1/audit/records/512", 200),
        ("/api/v1/audit/records/512/proof", 200),
    ] {
        let (status, _, body) = bytes(&app, sample::NAME, "GET", path, b"").await;
        assert_eq!(status, expected, "{path}: {}", String::from_utf8_lossy(&body));
    }
    let (mut before, mut last) = (None::<u64>, u64::MAX);
    loop {
        let place = before.map(|before| format!("&before={before}")).unwrap_or_default();
        let page: Records = json(&app, &format!("/api/v1/audit/records?limit=300{place}")).await;
        last = page.records.last().map_or(last, |record| record.index);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(last, 512, "pages end where the archive begins");
    let export = app.get("/api/v1/audit/export").await;
    assert!(export.body.lines().next().unwrap().contains("512 records from index 0"), "a mark, not a hole");
    assert_eq!(json::<Status>(&app, "/api/v1/audit/status").await.archived, 512);

    assert!(matches!(app.state.recorder.verify(), Verified::Good { .. }));
    let tile = log.join("tile/0/000");
    let mut hashes = std::fs::read(&tile).unwrap();
    hashes[40] ^= 1;
    std::fs::write(&tile, hashes).unwrap();
    assert!(matches!(app.state.recorder.verify(), Verified::Broken { .. }), "hashes of the archived count");
}

#[tokio::test]
async fn a_look_at_the_log_is_recorded_once_a_minute() {
    let app = App::empty().await;
    somebody(&app, "mirror", "Auditor", "/");
    for session in [1, 2] {
        let authorization = format!("Bearer {}", token(&app.state, "mirror"));
        for _ in 0..20 {
            let headers = [("authorization", authorization.as_str())];
            assert_eq!(app.ask("GET", "/audit/checkpoint", &headers, "").await.status, 200);
        }
        let found: Records = json(&app, "/api/v1/audit/records?who=mirror").await;
        assert_eq!(found.records.len(), session, "one for each session");
    }
}
