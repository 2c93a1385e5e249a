//! Other systems that are told of what happens to images: what they are told when, signed, and until it arrives.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State as From, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome as Ended, Subject},
};
use boltseal_model::{Coverage, Decision, Digest, Omitted, Report, Subject as Of, Timestamp, Verdict};
use boltseal_store::{About, Outcome};
use serde_json::{Value, json};

use crate::{
    app::App,
    control::{call, newest},
    keeping::image,
};

/// For everything that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What came in, and what is answered next; 204 where nothing is said.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Inbox>>);

type Inbox = (VecDeque<u16>, Vec<(HeaderMap, Bytes)>);

async fn take(From(this): From<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut state = this.0.lock().unwrap();
    let status = state.0.pop_front().unwrap_or(204);
    state.1.push((headers, body));
    StatusCode::from_u16(status).unwrap()
}

impl Receiver {
    async fn start() -> (Self, SocketAddr) {
        let this = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/in", post(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, address)
    }

    fn answer(&self, statuses: &[u16]) {
        self.0.lock().unwrap().0.extend(statuses);
    }

    /// The types and tags of the events that came in.
    fn told(&self) -> Vec<(String, Value)> {
        let state = self.0.lock().unwrap();
        let events = state.1.iter().map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
        events
            .map(|event| {
                let word =
                    event["type"].as_str().unwrap().trim_start_matches("boltseal.registry.").to_owned();
                (word, event["data"]["tags"].clone())
            })
            .collect()
    }

    fn forget(&self) {
        self.0.lock().unwrap().1.clear();
    }
}

async fn hook(app: &App, name: &str, address: SocketAddr, more: Value) -> Value {
    let mut asked = json!({
        "name": name, "url": format!("http://{address}/in"), "allow_private": true, "secret": SECRET,
    });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = call(app, "admin", "POST", "/api/v1/webhooks", &asked).await;
    assert_eq!(status, 201, "{made}");
    made
}

/// A record of something that happened to `team/app`.
fn record(activity: Activity, action: &str, name: &str) -> Record {
    Record::new(Timestamp::now(), activity, format!("Microsoft.ContainerRegistry/registries/{action}"))
        .subject(Subject::new("/registries/main/repositories/team/app").digest(Digest::of(name.as_bytes())))
        .outcome(Ended::Success)
}

async fn push(app: &App, tag: &str, name: &str) {
    let record = record(Activity::Create, "repositories/content/write", name)
        .named(tag)
        .detail("media_type", "x/y")
        .detail("kind", "image");
    let manifest = image("team/app", tag, name, About::default(), Timestamp::now());
    app.state.facts.recording(vec![record.entry()]).put_manifest(manifest).await.unwrap();
}

fn report(digest: &Digest, decision: Decision) -> Report {
    Report {
        leaks: Some(Vec::new()),
        misconfigurations: Vec::new(),
        unowned: Vec::new(),
        malware: Vec::new(),
        subject: Of {
            reference: "team/app".to_owned(),
            name: None,
            digest: Some(digest.clone()),
            config: None,
            platform: None,
        },
        snapshot: None,
        coverage: Coverage::of(vec![]),
        distro: None,
        layers: vec![],
        packages: vec![],
        findings: vec![],
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: Some(Verdict {
            decision,
            policy: "test".to_owned(),
            policy_digest: Digest::of(b"policy"),
            snapshot: None,
            reasons: vec![],
            expires: None,
        }),
    }
}

async fn judge(app: &App, name: &str, decision: Decision) {
    let digest = Digest::of(name.as_bytes());
    let record = Record::new(Timestamp::now(), Activity::Judge, "Boltseal/images/judge/action")
        .subject(Subject::new("/registries").digest(digest.clone()))
        .outcome(Ended::Success)
        .detail("verdict", decision.word());
    let outcome = Outcome::Judged { report: Box::new(report(&digest, decision)), catalog_gaps: vec![] };
    app.state
        .facts
        .recording(vec![record.entry()])
        .record(vec![(digest, outcome)], Timestamp::now())
        .await
        .unwrap();
}

/// Tells until so many events came in, and then whether more come.
async fn tell(app: &App, receiver: &Receiver, many: usize) -> Vec<(String, Value)> {
    app.state.recorder.seal().await.unwrap();
    let all = async {
        while receiver.told().len() < many {
            app.state.exchange.tell_now().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    app.state.exchange.tell_now().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = receiver.told();
    assert_eq!(told.len(), many, "{told:?}");
    receiver.forget();
    told
}

fn event(word: &str, tags: &[&str]) -> (String, Value) {
    (word.to_owned(), json!(tags))
}

#[tokio::test]
async fn whoever_waits_for_an_image_is_told_when_it_may_be_pulled() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    push(&app, "before", "before").await;
    hook(&app, "ci", address, json!({})).await;
    push(&app, "v1", "one").await;
    assert_eq!(
        tell(&app, &receiver, 1).await,
        [event("quarantine", &["v1"])],
        "ACR's order, and nothing from before"
    );
    judge(&app, "one", Decision::Deny).await;
    assert_eq!(tell(&app, &receiver, 1).await, [event("verdict", &["v1"])]);
    judge(&app, "one", Decision::Allow).await;
    let mut told = tell(&app, &receiver, 2).await;
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(told, [event("push", &["v1"]), event("verdict", &["v1"])]);
    // It is known to be good: another name for it is a push at once.
    push(&app, "v1.0", "one").await;
    assert_eq!(tell(&app, &receiver, 1).await, [event("push", &["v1.0"])]);
    // Pushed and judged before anybody looked: told once.
    push(&app, "v2", "two").await;
    judge(&app, "two", Decision::Allow).await;
    let mut told = tell(&app, &receiver, 2).await;
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(told, [event("push", &["v2"]), event("verdict", &["v2"])]);
    // Somebody decides.
    push(&app, "v3", "three").await;
    assert_eq!(tell(&app, &receiver, 1).await, [event("quarantine", &["v3"])]);
    let decided = record(Activity::Update, "quarantinedArtifacts/write", "three");
    let body = json!({ "state": "Passed" }).to_string();
    let facts = app.state.facts.recording(vec![decided.entry()]);
    facts.set_quarantine("team/app", &Digest::of(b"three"), Some(body)).await.unwrap();
    assert_eq!(tell(&app, &receiver, 1).await, [event("push", &["v3"])]);
    let deleted = record(Activity::Delete, "repositories/content/delete", "one");
    let facts = app.state.facts.recording(vec![deleted.entry()]);
    facts.remove_manifest("team/app", &Digest::of(b"one")).await.unwrap();
    assert_eq!(tell(&app, &receiver, 1).await, [event("delete", &[])]);
}

#[tokio::test]
async fn events_are_signed_chosen_and_tried_again() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    hook(&app, "ci", address, json!({ "events": ["delete"], "repositories": "team/*" })).await;
    hook(&app, "other", address, json!({ "events": ["delete"], "repositories": "other/*" })).await;
    receiver.answer(&[500, 302]);
    push(&app, "v1", "one").await;
    let deleted = record(Activity::Delete, "repositories/content/delete", "one").named("v1");
    app.state.facts.append(vec![deleted.entry()]).await.unwrap();
    app.state.recorder.seal().await.unwrap();
    let tried = async {
        while receiver.told().is_empty() {
            app.state.exchange.tell_now().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (_, all) = call(&app, "admin", "GET", "/api/v1/webhooks/ci/deliveries", &Value::Null).await;
    let first = all[0].clone();
    assert_eq!((first["state"].as_str(), first["attempts"].as_u64()), (Some("waiting"), Some(1)), "{all}");
    assert_eq!((first["status"].as_u64(), first["event"].as_str()), (Some(500), Some("delete")));
    assert!(first["due"].is_string() && first["error"].is_string());
    let path = format!("/api/v1/webhooks/ci/deliveries/{}/redeliver", first["id"].as_str().unwrap());
    assert_eq!(
        call(&app, "admin", "POST", &path, &Value::Null).await.0,
        202,
        "somebody does not want to wait"
    );
    let ((headers, body), again) = {
        tell(&app, &receiver, 2).await;
        receiver.answer(&[200]);
        assert_eq!(call(&app, "admin", "POST", &path, &Value::Null).await.0, 202);
        app.state.exchange.tell_now().await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let taken = receiver.0.lock().unwrap().1.clone();
        (taken[0].clone(), taken.len())
    };
    assert_eq!(again, 1);
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("webhook-id"), first["id"].as_str().unwrap(), "the same in every attempt");
    assert_eq!(text("content-type"), "application/cloudevents+json");
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let signed = format!(
        "{}.{}.{}",
        text("webhook-id"),
        text("webhook-timestamp"),
        std::str::from_utf8(&body).unwrap()
    );
    let expected = STANDARD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
    assert_eq!(text("webhook-signature"), format!("v1,{expected}"));
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["subject"], format!("team/app@{}", Digest::of(b"one")));
    assert_eq!(event["source"], "//boltseal.example/audit");
    let (_, all) =
        call(&app, "admin", "GET", "/api/v1/webhooks/ci/deliveries?state=delivered", &Value::Null).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    let (_, none) = call(&app, "admin", "GET", "/api/v1/webhooks/other/deliveries", &Value::Null).await;
    assert_eq!(none, json!([]), "it is about others");
}

#[tokio::test]
async fn addresses_of_the_own_network_are_not_told() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    let asked = json!({ "name": "trick", "url": format!("https://localhost:{}/in", address.port()) });
    let (status, made) = call(&app, "admin", "POST", "/api/v1/webhooks", &asked).await;
    assert_eq!(status, 201, "{made}");
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "made for it, and shown once");
    let (_, listed) = call(&app, "admin", "GET", "/api/v1/webhooks", &Value::Null).await;
    assert!(listed[0].get("secret").is_none(), "{listed}");
    assert!(!newest(&app).await.to_string().contains("whsec_"), "nor does the log say it");
    let (status, sent) = call(&app, "admin", "POST", "/api/v1/webhooks/trick/ping", &Value::Null).await;
    assert_eq!(status, 202, "{sent}");
    let ended = async {
        loop {
            app.state.exchange.tell_now().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (_, all) =
                call(&app, "admin", "GET", "/api/v1/webhooks/trick/deliveries", &Value::Null).await;
            if all[0]["attempts"].as_u64() > Some(0) {
                return all[0].clone();
            }
        }
    };
    let delivery = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(delivery["error"].as_str().unwrap().contains("not public"), "{delivery}");
    assert_eq!(receiver.told(), []);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/webhooks/trick", &Value::Null).await.0, 204);
    let nowhere = json!({ "name": "a", "url": "https://example.org/" });
    for (field, value) in [
        ("url", json!("http://example.org/")),
        ("url", json!("https://me:secret@example.org/")),
        ("url", json!("ftp://example.org/")),
        ("url", json!("nowhere")),
        ("name", json!("A B")),
        ("events", json!(["pull"])),
        ("repositories", json!("")),
        ("secret", json!("short")),
        ("ca", json!("no certificate")),
    ] {
        let mut asked = nowhere.clone();
        asked[field] = value;
        let (status, answer) = call(&app, "admin", "POST", "/api/v1/webhooks", &asked).await;
        assert_eq!(status, 400, "{asked}: {answer}");
    }
    assert_eq!(call(&app, "admin", "POST", "/api/v1/webhooks/none/ping", &Value::Null).await.0, 404);
}
