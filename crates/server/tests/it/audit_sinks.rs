//! Other systems that are sent every record: in order, at least once, also after they were away.

use std::{
    io::Read as _,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State as From, http::HeaderMap, http::StatusCode, routing::post};
use boltseal_api::audit::Sink;
use boltseal_audit::{
    Record,
    record::{Activity, Subject},
};
use serde_json::{Value, json};

use crate::{
    app::{App, token},
    sample,
};

/// For everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came in, and whether more is taken.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    refuses: bool,
    taken: Vec<(HeaderMap, Bytes)>,
}

async fn take(From(this): From<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut state = this.0.lock().unwrap();
    if state.refuses {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    state.taken.push((headers, body));
    StatusCode::NO_CONTENT
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

    fn refuse(&self, refuse: bool) {
        self.0.lock().unwrap().refuses = refuse;
    }

    /// The indexes of the events that came in.
    fn indexes(&self) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        let batches = state.taken.iter().map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
        let events = batches.flat_map(|batch| batch.as_array().unwrap().clone());
        events.map(|event| event["id"].as_str().unwrap_or_default().parse().unwrap()).collect()
    }
}

async fn configure(app: &App, body: &Value, status: u16) -> String {
    let authorization = format!("Bearer {}", token(&app.state, sample::NAME));
    let headers = [("authorization", authorization.as_str())];
    let answer = app.ask("POST", "/api/v1/audit/sinks", &headers, &body.to_string()).await;
    assert_eq!(answer.status, status, "{body}: {}", answer.body);
    answer.body
}

async fn listed(app: &App) -> Vec<Sink> {
    serde_json::from_str(&app.get("/api/v1/audit/sinks").await.body).unwrap()
}

async fn note(app: &App, many: usize) {
    let entry = |number: usize| {
        Record::new(sample::now(), Activity::Read, "Boltseal/images/read")
            .subject(Subject::new(format!("/images/{number}")))
            .entry()
    };
    app.state.facts.append((0..many).map(entry).collect()).await.unwrap();
    app.state.recorder.seal().await.unwrap();
}

/// Sends until nothing waits.
async fn send_all(app: &App) {
    let all = async {
        loop {
            app.state.exchange.send_now().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            let size = app.state.recorder.state().borrow().checkpoint.checkpoint().size;
            let position = app.state.facts.setting("audit.sink.siem").await.unwrap().unwrap();
            if position == format!("{size} {size}") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}

#[tokio::test]
async fn a_webhook_gets_every_record_once_and_in_order() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    note(&app, 1_200).await;
    let secret = "Bearer a-token-of-the-siem";
    let body = json!({ "name": "siem", "url": format!("http://{address}/in"), "format": "cloudevents",
        "authorization": secret, "from": 0 });
    let made = configure(&app, &body, 201).await;
    assert!(!made.contains("a-token"), "{made}");
    app.state.recorder.seal().await.unwrap();
    send_all(&app).await;
    let size = app.state.recorder.state().borrow().checkpoint.checkpoint().size;
    assert_eq!(receiver.indexes(), (0..size).collect::<Vec<_>>());
    {
        let state = receiver.0.lock().unwrap();
        let (headers, _) = &state.taken[0];
        assert_eq!(headers["authorization"], secret);
        assert_eq!(headers["content-type"], "application/cloudevents-batch+json");
        assert!(state.taken.len() >= 3, "in batches");
    }

    // While it is away, everything goes on; afterwards it gets what it missed.
    receiver.refuse(true);
    note(&app, 10).await;
    app.state.exchange.send_now().await.unwrap();
    let failing = async {
        while listed(&app).await[0].error.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, failing).await.unwrap();
    let standing = &listed(&app).await[0];
    assert!(standing.error.as_ref().is_some_and(|why| why.contains("503")), "{standing:?}");
    assert!(standing.waiting >= 10 && standing.next == size, "{standing:?}");
    receiver.refuse(false);
    app.state.recorder.seal().await.unwrap();
    send_all(&app).await;
    let size = app.state.recorder.state().borrow().checkpoint.checkpoint().size;
    assert_eq!(receiver.indexes(), (0..size).collect::<Vec<_>>());
    let kept = app.state.facts.setting("audit.sinks").await.unwrap().unwrap();
    assert!(!kept.contains("a-token"), "{kept}");
}

#[tokio::test]
async fn what_a_sink_lost_is_told_to_it() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    note(&app, 20).await;
    let body = json!({ "name": "siem", "url": format!("http://{address}/in"), "format": "ocsf", "from": 0 });
    configure(&app, &body, 201).await;
    // As if it had lost the first ten: that is all a position says.
    app.state.facts.set("audit.sink.siem", "0 10").await.unwrap();
    app.state.recorder.seal().await.unwrap();
    send_all(&app).await;
    let state = receiver.0.lock().unwrap();
    let first = String::from_utf8(state.taken[0].1.to_vec()).unwrap();
    assert!(
        first.contains("Boltseal/audit/export/gap") && first.contains("10 records from index 0"),
        "{first}"
    );
    assert!(!String::from_utf8_lossy(&state.taken[1].1).contains("export/gap"));
}

#[tokio::test]
async fn syslog_is_sent_with_its_length_before_it() {
    let app = App::empty().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receiving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    });
    note(&app, 5).await;
    let body = json!({ "name": "siem", "url": format!("syslog://{address}"), "format": "syslog", "from": 0 });
    configure(&app, &body, 201).await;
    app.state.recorder.seal().await.unwrap();
    send_all(&app).await;
    let received = receiving.join().unwrap();
    let (mut rest, mut messages) = (received.as_str(), 0);
    while let Some((length, after)) = rest.split_once(' ') {
        let length: usize = length.parse().unwrap();
        let message = &after[..length];
        assert!(message.starts_with("<1") && message.contains(">1 "), "{message}");
        rest = &after[length..];
        messages += 1;
    }
    assert_eq!(messages, app.state.recorder.state().borrow().checkpoint.checkpoint().size);
}

#[tokio::test]
async fn nonsense_is_no_sink() {
    let app = App::empty().await;
    let good = json!({ "name": "siem", "url": "https://siem.example/in", "format": "ocsf" });
    for (field, value) in [
        ("name", "Siem"),
        ("name", ""),
        ("name", "../x"),
        ("url", "http://siem.example/in"),
        ("url", "https://user:pass@siem.example/in"),
        ("url", "file:///etc/passwd"),
        ("url", "syslog://siem.example"),
        ("format", "pdf"),
        ("ca", "not PEM"),
        ("colour", "red"),
    ] {
        let mut body = good.clone();
        body[field] = json!(value);
        configure(&app, &body, 400).await;
    }
    assert!(listed(&app).await.is_empty());
    configure(&app, &good, 201).await;
    let authorization = format!("Bearer {}", token(&app.state, sample::NAME));
    let headers = [("authorization", authorization.as_str())];
    for status in [204, 404] {
        let answer = app.ask("DELETE", "/api/v1/audit/sinks?name=siem", &headers, "").await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let found = app.get("/api/v1/audit/records?subject=/audit/sinks").await;
    assert!(found.body.contains("siem.example"), "{}", found.body);
}
