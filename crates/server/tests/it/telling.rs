//! What becomes newly vulnerable: who sees it, who is told of it and how, and what nobody is told.

mod mail;
mod pages;
mod seen;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State as From, http::HeaderMap, http::StatusCode, routing::post};
use boltseal_model::{
    Coverage, Decision, Digest, Finding, Kev, Omitted, Proof, Report, Severity, SnapshotInfo, Status,
    Subject, Timestamp, Verdict,
};
use boltseal_store::{About, Outcome};
use serde_json::{Value, json};

use crate::{
    app::App,
    control::{call, records},
    keeping::image,
};

/// For everything that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// What must not be seen anywhere.
const SESAME: &str = "sesame-opens";

/// What came in, and what is answered next; 200 where nothing is said.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Inbox>>);

type Inbox = (VecDeque<u16>, Vec<(HeaderMap, Value)>);

async fn take(From(this): From<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut state = this.0.lock().unwrap();
    let status = state.0.pop_front().unwrap_or(200);
    state.1.push((headers, serde_json::from_slice(&body).unwrap()));
    StatusCode::from_u16(status).unwrap()
}

impl Receiver {
    async fn start() -> (Self, SocketAddr) {
        let this = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let path = format!("/services/{SESAME}");
        let router = Router::new().route(&path, post(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, address)
    }

    fn taken(&self) -> Vec<(HeaderMap, Value)> {
        self.0.lock().unwrap().1.clone()
    }
}

fn finding(id: &str, severity: Severity, fixed: Option<&str>, kev: bool) -> Finding {
    let added = "2026-01-02".parse().unwrap();
    Finding {
        id: id.to_owned(),
        aliases: vec![],
        package: "openssl".to_owned(),
        purl: "pkg:deb/debian/openssl@1".to_owned(),
        installed: "1".to_owned(),
        fixed: fixed.map(str::to_owned),
        fixed_on: None,
        severity,
        cvss: vec![],
        kev: kev.then_some(Kev { added, due: None, ransomware: false }),
        epss: None,
        status: Status::Affected,
        fix: None,
        title: "overflow <b>in</b> a parser".to_owned(),
        published: None,
        references: vec![],
        proof: Proof {
            layer: None,
            path: "var/lib/dpkg/status".to_owned(),
            advisory: id.to_owned(),
            feed: "debian-tracker".to_owned(),
            matched: "debian:12/openssl".to_owned(),
            range: "< 2".to_owned(),
            comparison: "1 < 2 (dpkg order)".to_owned(),
        },
        statements: Vec::new(),
    }
}

fn report(digest: &Digest, snapshot: &str, findings: Vec<Finding>) -> Report {
    Report {
        leaks: Some(Vec::new()),
        misconfigurations: Vec::new(),
        unowned: Vec::new(),
        malware: Vec::new(),
        subject: Subject {
            reference: "team/app".to_owned(),
            name: None,
            digest: Some(digest.clone()),
            config: None,
            platform: None,
        },
        snapshot: Some(SnapshotInfo { id: snapshot.to_owned(), built: Timestamp::UNIX_EPOCH, feeds: vec![] }),
        coverage: Coverage::of(vec![]),
        distro: None,
        layers: vec![],
        packages: vec![],
        findings,
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: Some(Verdict {
            decision: Decision::Warn,
            policy: "test".to_owned(),
            policy_digest: Digest::of(b"policy"),
            snapshot: Some(snapshot.to_owned()),
            reasons: vec![],
            expires: None,
        }),
    }
}

/// Pushes an image and has it judged without findings.
async fn push(app: &App, repository: &str, tag: &str, name: &str) {
    let manifest = image(repository, tag, name, About::default(), Timestamp::now());
    app.state.facts.put_manifest(manifest).await.unwrap();
    judge(app, name, "first", vec![]).await;
}

async fn judge(app: &App, name: &str, snapshot: &str, findings: Vec<Finding>) {
    let digest = Digest::of(name.as_bytes());
    let outcome =
        Outcome::Judged { report: Box::new(report(&digest, snapshot, findings)), catalog_gaps: vec![] };
    app.state.facts.record(vec![(digest, outcome)], Timestamp::now()).await.unwrap();
}

/// Adds a rule that tells at once.
async fn rule(app: &App, name: &str, more: Value) -> (u16, Value) {
    let mut asked = json!({ "name": name, "settle": 0, "every": 0 });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(app, "admin", "POST", "/api/v1/notifications", &asked).await
}

fn slack(address: SocketAddr) -> Value {
    json!({
        "to": { "kind": "slack", "allow_private": true },
        "secret": format!("http://{address}/services/{SESAME}?sig={SESAME}"),
    })
}

/// Tells until `wanted` gives something.
async fn until<T>(app: &App, wanted: impl AsyncFn() -> Option<T>) -> T {
    let all = async {
        loop {
            app.state.exchange.tell_now().await.unwrap();
            if let Some(found) = wanted().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap()
}

/// The deliveries of a rule, the newest first, once the newest was tried.
async fn tried(app: &App, name: &str) -> Vec<Value> {
    let path = format!("/api/v1/notifications/{name}/deliveries");
    until(app, async || {
        let (status, all) = call(app, "admin", "GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{all}");
        let all = all.as_array().unwrap().clone();
        all.first().is_some_and(|last| last["attempts"].as_u64() > Some(0)).then_some(all)
    })
    .await
}

#[tokio::test]
async fn an_update_of_feeds_is_one_message() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    for number in 0..30 {
        push(&app, &format!("team/app-{number}"), "v1", &format!("image {number}")).await;
    }
    judge(&app, "image 0", "before", vec![finding("CVE-0", Severity::High, None, false)]).await;
    let mut high = slack(address);
    high["severity"] = json!("high");
    assert_eq!(rule(&app, "high", high).await.0, 201);
    let mut quiet = slack(address);
    quiet["severity"] = json!("critical");
    assert_eq!(rule(&app, "critical", quiet).await.0, 201);
    app.state.exchange.tell_now().await.unwrap();

    for number in 0..30 {
        let mut found = vec![
            finding("CVE-1", Severity::High, Some("2"), false),
            finding("CVE-2", Severity::Low, None, false),
        ];
        if number == 0 {
            found.push(finding("CVE-0", Severity::High, None, false));
        }
        judge(&app, &format!("image {number}"), "second", found).await;
    }
    let taken = until(&app, async || Some(receiver.taken()).filter(|taken| !taken.is_empty())).await;
    // Whatever comes later would be one too many.
    for _ in 0..5 {
        app.state.exchange.tell_now().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.taken().len(), 1, "{:?}", receiver.taken());
    let text = taken[0].1.to_string();
    assert!(text.contains("30 new findings in 30 images") && text.contains("CVE-1"), "{text}");
    assert!(!text.contains("CVE-0") && !text.contains("CVE-2"), "{text}");

    // It becomes known to be exploited: news again, with its own cause; and what was told is not told again.
    let exploited = finding("CVE-2", Severity::Low, None, true);
    let mut only = slack(address);
    only["exploited"] = json!(true);
    assert_eq!(rule(&app, "exploited", only).await.0, 201);
    judge(&app, "image 7", "third", vec![finding("CVE-1", Severity::High, Some("2"), false), exploited])
        .await;
    let taken = until(&app, async || Some(receiver.taken()).filter(|taken| taken.len() > 1)).await;
    assert!(taken[1].1.to_string().contains("CVE-2"), "{:?}", taken[1]);
    assert!(taken[1].1.to_string().contains("is known to be exploited now"), "{:?}", taken[1]);
    assert_eq!(taken.len(), 2);

    // A rule that is off tells nothing, also not later.
    let mut off = slack(address);
    off["disabled"] = json!(true);
    assert_eq!(rule(&app, "high", off).await.0, 201);
    judge(&app, "image 9", "fourth", vec![finding("CVE-4", Severity::High, None, false)]).await;
    app.state.exchange.tell_now().await.unwrap();
    assert_eq!(rule(&app, "high", slack(address)).await.0, 201);
    for _ in 0..5 {
        app.state.exchange.tell_now().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.taken().len(), 2);
}

#[tokio::test]
async fn messages_wait_for_silence_and_for_each_other() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    push(&app, "team/app", "v1", "image").await;
    let mut waiting = slack(address);
    waiting["settle"] = json!(900);
    assert_eq!(rule(&app, "settling", waiting).await.0, 201);
    let mut rare = slack(address);
    rare["every"] = json!(3600);
    assert_eq!(rule(&app, "rare", rare).await.0, 201);
    judge(&app, "image", "s1", vec![finding("CVE-1", Severity::High, None, false)]).await;
    until(&app, async || Some(()).filter(|()| receiver.taken().len() == 1)).await;
    let more =
        vec![finding("CVE-1", Severity::High, None, false), finding("CVE-2", Severity::High, None, false)];
    judge(&app, "image", "s2", more).await;
    for _ in 0..5 {
        app.state.exchange.tell_now().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.taken().len(), 1, "one waits for silence, the other for an hour");
    let (_, all) =
        call(&app, "admin", "GET", "/api/v1/notifications/settling/deliveries", &Value::Null).await;
    assert_eq!(all, json!([]));
    // What waited is told once the rule lets it.
    let (status, made) =
        rule(&app, "rare", json!({ "to": { "kind": "slack", "allow_private": true } })).await;
    assert_eq!(status, 201, "the address stays: {made}");
    until(&app, async || Some(()).filter(|()| receiver.taken().len() == 2)).await;
    assert!(receiver.taken()[1].1.to_string().contains("CVE-2"));
}

/// Adds a rule anew: what it passed over is looked at with the next message, not only after a minute.
async fn look_again(app: &App, name: &str, more: &Value) {
    assert_eq!(rule(app, name, more.clone()).await.0, 201);
}

#[tokio::test]
async fn where_an_image_is_counts_when_the_message_is_made() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    let mut tagged = slack(address);
    tagged["tagged"] = json!(true);
    let mut pulled = slack(address);
    pulled["pulled_within_days"] = json!(30);
    for (name, wanted) in [("tagged", &tagged), ("pulled", &pulled)] {
        assert_eq!(rule(&app, name, wanted.clone()).await.0, 201);
    }
    for name in ["leaves", "comes", "heals"] {
        push(&app, &format!("team/{name}"), "v1", name).await;
    }
    app.state.exchange.tell_now().await.unwrap();
    let untag = async |name: &str| {
        assert!(app.state.facts.remove_tag(&format!("team/{name}"), "v1").await.unwrap());
    };
    let tag = async |name: &str| {
        let manifest = image(&format!("team/{name}"), "v2", name, About::default(), Timestamp::now());
        app.state.facts.put_manifest(manifest).await.unwrap();
    };
    let nothing_comes = async |so_far: usize| {
        for _ in 0..5 {
            app.state.exchange.tell_now().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(receiver.taken().len(), so_far, "{:?}", receiver.taken());
    };

    // The tag goes between the finding and the message; nobody has pulled any of them.
    untag("leaves").await;
    untag("comes").await;
    untag("heals").await;
    for name in ["leaves", "comes", "heals"] {
        judge(&app, name, "second", vec![finding("CVE-1", Severity::High, None, false)]).await;
    }
    nothing_comes(0).await;
    // One is tagged again, and one also, but without the finding by then.
    judge(&app, "heals", "third", vec![]).await;
    tag("comes").await;
    tag("heals").await;
    look_again(&app, "tagged", &tagged).await;
    let taken = until(&app, async || Some(receiver.taken()).filter(|taken| !taken.is_empty())).await;
    let text = taken[0].1.to_string();
    assert!(text.contains("1 new finding in 1 image") && text.contains("team/comes:v2"), "{text}");
    look_again(&app, "tagged", &tagged).await;
    nothing_comes(1).await;

    // Pulled at last: whoever is told of what is in use hears of it now, once.
    let pull = boltseal_store::Pulled {
        repository: "team/leaves".to_owned(),
        digest: Digest::of(b"leaves"),
        tag: None,
        number: 1,
        last: Timestamp::now(),
        by: None,
    };
    app.state.facts.count_pulls(vec![pull]).await.unwrap();
    look_again(&app, "pulled", &pulled).await;
    let taken = until(&app, async || Some(receiver.taken()).filter(|taken| taken.len() > 1)).await;
    assert!(taken[1].1.to_string().contains("team/leaves"), "{:?}", taken[1]);
    look_again(&app, "pulled", &pulled).await;
    nothing_comes(2).await;
}

#[tokio::test]
async fn what_fails_is_tried_again_and_says_why() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    receiver.0.lock().unwrap().0.extend([404, 200]);
    assert_eq!(rule(&app, "ops", slack(address)).await.0, 201);
    push(&app, "team/app", "v1", "image").await;
    judge(&app, "image", "s1", vec![finding("CVE-1", Severity::High, None, false)]).await;
    let first = tried(&app, "ops").await.remove(0);
    assert_eq!((first["state"].as_str(), first["status"].as_u64()), (Some("waiting"), Some(404)), "{first}");
    assert!(first["error"].as_str().unwrap().contains("make a new one there"), "{first}");
    assert_eq!(first["event"], "news");
    assert!(first["due"].is_string(), "{first}");
    let (_, listed) = call(&app, "admin", "GET", "/api/v1/notifications", &Value::Null).await;
    assert_eq!(listed[0]["last"]["error"], first["error"], "{listed}");
    let again = format!("/api/v1/notifications/ops/deliveries/{}/redeliver", first["id"].as_str().unwrap());
    assert_eq!(call(&app, "admin", "POST", &again, &Value::Null).await.0, 202);
    until(&app, async || Some(()).filter(|()| receiver.taken().len() == 2)).await;
    let done = until(&app, async || {
        let all = tried(&app, "ops").await;
        Some(all[0].clone()).filter(|last| last["state"] == "delivered")
    })
    .await;
    assert_eq!(done["attempts"], 2);
    let taken = receiver.taken();
    assert_eq!(taken[0].1, taken[1].1, "the same message");
    // A webhook of the same name is somebody else.
    let hooks = call(&app, "admin", "GET", "/api/v1/webhooks/ops/deliveries", &Value::Null).await;
    assert_eq!(hooks.0, 404);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/notifications/ops", &Value::Null).await.0, 204);
    for (method, path) in [
        ("GET", "/api/v1/notifications/ops/deliveries"),
        ("POST", "/api/v1/notifications/ops/test"),
        ("DELETE", "/api/v1/notifications/ops"),
    ] {
        assert_eq!(call(&app, "admin", method, path, &Value::Null).await.0, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn secrets_are_never_shown_and_own_networks_never_told() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    let mut outside = slack(address);
    outside["secret"] = json!(format!("https://localhost:{}/services/{SESAME}?sig={SESAME}", address.port()));
    outside["to"] = json!({ "kind": "teams" });
    let (status, made) = rule(&app, "teams", outside).await;
    assert_eq!((status, &made["to"]["host"]), (201, &json!("localhost")), "{made}");
    let mail = json!({ "secret": SESAME, "to": {
        "kind": "email", "host": "localhost", "port": address.port(), "username": "boltseal",
        "from": "boltseal@example.com", "to": ["ops@example.com"],
    } });
    assert_eq!(rule(&app, "mail", mail).await.0, 201);
    let hook =
        json!({ "to": { "kind": "webhook", "url": format!("https://localhost:{}/", address.port()) } });
    let (status, made) = rule(&app, "hook", hook).await;
    assert_eq!(status, 201, "{made}");
    let signing = made["secret"].as_str().unwrap().to_owned();
    assert!(signing.starts_with("whsec_"), "made for it, and shown once");
    let mut said = String::new();
    for name in ["teams", "mail", "hook"] {
        let path = format!("/api/v1/notifications/{name}/test");
        assert_eq!(call(&app, "admin", "POST", &path, &Value::Null).await.0, 202);
        let last = tried(&app, name).await.remove(0);
        assert!(last["error"].as_str().unwrap().contains("not public"), "{name}: {last}");
        said.push_str(&last.to_string());
    }
    assert_eq!(receiver.taken().len(), 0, "the own network was told");
    said.push_str(&call(&app, "admin", "GET", "/api/v1/notifications", &Value::Null).await.1.to_string());
    said.push_str(&app.get("/notifications").await.body);
    let recorded = records(&app).await;
    let of_rules = recorded.iter().filter(|record| record.to_string().contains("/notifications"));
    assert_eq!(of_rules.count(), 3, "every change is recorded: {recorded:?}");
    said.push_str(&serde_json::to_string(&recorded).unwrap());
    for document in app.state.facts.documents_of("registry.notification").await.unwrap() {
        said.push_str(&document.body.unwrap());
    }
    assert!(!said.contains(SESAME) && !said.contains(&signing), "{said}");
    assert!(said.contains("ops@example.com"), "nothing of it was looked at");

    // A password stays with the server that it was given for.
    let elsewhere = json!({ "to": {
        "kind": "email", "host": "mail.evil.example", "username": "boltseal",
        "from": "boltseal@example.com", "to": ["ops@example.com"],
    } });
    let (status, why) = rule(&app, "mail", elsewhere).await;
    assert_eq!(status, 400, "{why}");
    assert!(why["title"].as_str().unwrap().contains("password"), "{why}");
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused() {
    let app = App::empty().await;
    let good = json!({ "to": { "kind": "webhook", "url": "https://example.org/" } });
    assert_eq!(rule(&app, "good", good.clone()).await.0, 201);
    let mail = json!({ "kind": "email", "host": "mail.example.org", "from": "a@example.org", "to": ["b@example.org"] });
    let with = |field: &str, value: Value| {
        let mut to = mail.clone();
        to[field] = value;
        json!({ "to": to })
    };
    for wrong in [
        json!({ "name": "A B" }),
        json!({ "severity": "bad" }),
        json!({ "epss": 0.35 }),
        json!({ "epss": 0.0 }),
        json!({ "repositories": "" }),
        json!({ "pulled_within_days": 0 }),
        json!({ "settle": 901 }),
        json!({ "lines": 41 }),
        json!({ "lines": 0 }),
        json!({ "dashboard": "javascript:alert(1)" }),
        json!({ "secret": "short" }),
        json!({ "to": { "kind": "webhook", "url": "http://example.org/" } }),
        json!({ "to": { "kind": "webhook", "url": "https://me:secret@example.org/" } }),
        json!({ "to": { "kind": "webhook", "url": "https://example.org/", "ca": "no certificate" } }),
        json!({ "to": { "kind": "slack" } }),
        json!({ "to": { "kind": "slack" }, "secret": "http://example.org/x" }),
        json!({ "to": { "kind": "teams" }, "secret": "nowhere" }),
        json!({ "to": { "kind": "pager" } }),
        with("host", json!("mail example")),
        with("from", json!("nobody")),
        with("to", json!([])),
        with("to", json!(["ops@example.org\r\nBcc: all@example.org"])),
        with("username", json!("boltseal")),
        json!({ "to": { "kind": "email", "host": "m", "from": "a@b.example", "to": ["b@b.example"], "tls": "none", "username": "x" }, "secret": "y" }),
    ] {
        let mut asked = good.clone();
        asked.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let (status, answer) = rule(&app, "bad", asked.clone()).await;
        assert_eq!(status, 400, "{asked}: {answer}");
    }
    let (_, listed) = call(&app, "admin", "GET", "/api/v1/notifications", &Value::Null).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
}
