//! Two servers, one of which watches the other's log.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::audit::{Status, WitnessedLogs};
use boltseal_audit::{
    Record,
    log::{Proof, SignedCheckpoint, Verifier},
};
use boltseal_identity::{Assignment, AssignmentId, Edit, Principal, PrincipalId, PrincipalKind};
use boltseal_server::{Access, Exchange, State, exchange, recorder};
use boltseal_wire::server::{Limits, serve};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use crate::{
    app::{App, token},
    home::{Home, close},
    sample,
};

/// The one that watches.
struct Watcher {
    app: App,
    address: std::net::SocketAddr,
    serving: Option<JoinHandle<()>>,
    /// What the other one sends as `Authorization`.
    authorization: String,
}

impl Watcher {
    async fn new() -> Self {
        let app = App::empty().await;
        let secret = client(&app.state);
        let authorization = format!("Basic {}", STANDARD.encode(format!("other-server:{secret}")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut this = Self { app, address, serving: None, authorization };
        this.serve(listener);
        this
    }

    fn serve(&mut self, listener: TcpListener) {
        let router = boltseal_server::router(self.app.state.clone());
        let serving = serve(listener, router, None, Limits::default(), std::future::pending());
        self.serving = Some(tokio::spawn(serving));
    }

    async fn stop(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        let _cancelled = serving.await;
    }

    async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    async fn post(&self, path: &str, body: &serde_json::Value) {
        post(&self.app.state, path, body).await;
    }
}

/// A principal that may have checkpoints cosigned and nothing else; its secret.
fn client(state: &State) -> String {
    let id = PrincipalId(Uuid::new_v4());
    let mut principal = Principal::new(id, PrincipalKind::ServicePrincipal, "other-server".parse().unwrap());
    let secret = principal.credentials.rotate_secret(sample::now(), None).unwrap();
    let authority = state.access.authority();
    let directory = authority
        .directory()
        .apply(Edit::CreatePrincipal(principal.into()), sample::now())
        .unwrap()
        .directory;
    let assignment = Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal: id,
        role: directory.role_named("Witness Client").unwrap().id,
        scope: "/".parse().unwrap(),
        condition: None,
        created: sample::now(),
        by: PrincipalId::SYSTEM,
        expires: None,
        reason: "a test".to_owned(),
    };
    authority.replace(directory.apply(Edit::Assign(assignment), sample::now()).unwrap().directory);
    secret.expose().to_owned()
}

/// The server that is watched, on a folder that lasts.
async fn open(home: &Home) -> State {
    let (facts, recorder) = home.open(None).await.unwrap();
    let (access, _) = Access::open_with(&home.data().join("keys"), &facts, false, sample::now).await.unwrap();
    let exchange =
        Exchange::open(&home.data(), &home.data().join("keys"), &facts, &recorder, access.authority())
            .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let like = sample::empty(elsewhere.path()).await.state;
    State { facts, recorder, access, exchange, ..like }
}

async fn post(state: &State, path: &str, body: &serde_json::Value) {
    let app = boltseal_server::router(state.clone());
    let request = axum::http::Request::post(path)
        .header("authorization", format!("Bearer {}", token(state, sample::NAME)))
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    let response = tower::ServiceExt::oneshot(app, request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert_eq!(status, 201, "{path}: {}", String::from_utf8_lossy(&bytes));
}

async fn get(state: &State, path: &str) -> Vec<u8> {
    let request = axum::http::Request::get(path)
        .header("authorization", format!("Bearer {}", token(state, sample::NAME)))
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(boltseal_server::router(state.clone()), request).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()
}

/// Makes each know the other; gives the key that the watcher cosigns with.
async fn introduce(state: &State, watcher: &Watcher) -> Verifier {
    let own = state.recorder.verifier().to_string();
    watcher.post("/api/v1/audit/witnessed-logs", &json!({ "key": own })).await;
    let listed = get(&watcher.app.state, "/api/v1/audit/witnessed-logs").await;
    let listed: WitnessedLogs = serde_json::from_slice(&listed).unwrap();
    assert_eq!((listed.logs.len(), listed.logs[0].size), (1, 0));
    let url = format!("http://{}/audit/witness", watcher.address);
    let body = json!({ "url": url, "key": listed.key, "authorization": watcher.authorization });
    post(state, "/api/v1/audit/witnesses", &body).await;
    listed.key.parse().unwrap()
}

async fn let_go(state: State) {
    let State { facts, recorder, access, exchange, .. } = state;
    drop((access, exchange));
    close(facts, recorder).await;
}

#[tokio::test]
async fn a_log_is_cosigned_and_says_so() {
    let (home, watcher) = (Home::new(), Watcher::new().await);
    let state = open(&home).await;
    let key = introduce(&state, &watcher).await;
    for _ in 0..3 {
        state.recorder.seal().await.unwrap();
        state.exchange.cosign_now().await.unwrap();
        let checkpoint = state.recorder.state().borrow().checkpoint.clone();
        let cosigned = checkpoint.verify(state.recorder.verifier(), std::slice::from_ref(&key)).unwrap();
        assert_eq!(cosigned.len(), 1, "{checkpoint}");
        // Reading the status is recorded, so the log grows each time.
        let status: Status = serde_json::from_slice(&get(&state, "/api/v1/audit/status").await).unwrap();
        let witness = &status.witnesses[0];
        assert_eq!((witness.size, &witness.error), (checkpoint.checkpoint().size, &None));
    }
    let served = get(&state, "/audit/checkpoint").await;
    assert!(
        SignedCheckpoint::parse(&served)
            .unwrap()
            .verify(state.recorder.verifier(), std::slice::from_ref(&key))
            .is_ok()
    );
    let proof = get(&state, "/api/v1/audit/records/1/proof").await;
    let proof = Proof::parse(&proof).unwrap();
    let entry = proof.extra.clone().unwrap();
    let by = proof.verify_cosigned(&entry, state.recorder.verifier(), &[key]).unwrap();
    assert_eq!(by.len(), 1, "a proof shows who else vouches");
    let secret = watcher.authorization.as_str();
    let listed = String::from_utf8(get(&state, "/api/v1/audit/witnesses").await).unwrap();
    assert!(!listed.contains(secret) && listed.contains("\"key\""));
    let kept = state.facts.setting("audit.witnesses").await.unwrap().unwrap();
    assert!(!kept.contains(secret) && !kept.contains(&secret[6..]));
}

#[tokio::test]
async fn yesterdays_folder_is_refused_because_of_the_witness() {
    let (home, mut watcher) = (Home::new(), Watcher::new().await);
    let state = open(&home).await;
    introduce(&state, &watcher).await;
    state.recorder.seal().await.unwrap();
    state.exchange.cosign_now().await.unwrap();
    let_go(state).await;
    let parts = ["facts.db", "audit", "keys"];
    for part in &parts {
        home.keep(part);
    }
    home.keep_anchors();

    let state = open(&home).await;
    state.exchange.check(None).await.unwrap();
    state
        .recorder
        .note(&Record::new(sample::now(), boltseal_audit::record::Activity::Other, "x"))
        .await
        .unwrap();
    state.recorder.seal().await.unwrap();
    state.exchange.cosign_now().await.unwrap();
    let_go(state).await;
    for part in &parts {
        home.restore(part);
    }
    home.restore_anchors();

    // Nothing on this machine tells; the witness does.
    let state = open(&home).await;
    match state.exchange.check(None).await {
        Err(exchange::Error::Log(error @ recorder::Error::Rollback { .. })) => {
            assert!(error.to_string().contains("--accept-restored-log"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let_go(state).await;

    // If it cannot be asked, the server starts; once it can, the log is closed.
    watcher.stop().await;
    let state = open(&home).await;
    state.exchange.check(None).await.unwrap();
    watcher.start_again().await;
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    state.exchange.cosign_soon();
    state.exchange.cosign_now().await.unwrap();
    assert!(state.recorder.state().borrow().closed.is_some(), "the log is closed");
    assert!(state.facts.append(vec![b"{}".to_vec()]).await.is_err());
    let_go(state).await;

    // Somebody knows why, and says so: once.
    let state = open(&home).await;
    state.exchange.check(Some("restored after a fire")).await.unwrap();
    state.recorder.seal().await.unwrap();
    let found = get(&state, "/api/v1/audit/records?alert=true").await;
    assert!(String::from_utf8(found).unwrap().contains("restored after a fire"));
    let_go(state).await;
    let state = open(&home).await;
    state.exchange.check(None).await.unwrap();
    state.exchange.cosign_soon();
    state.exchange.cosign_now().await.unwrap();
    assert!(
        state.recorder.state().borrow().closed.is_none(),
        "what was accepted is not held against it again"
    );
    let status: Status = serde_json::from_slice(&get(&state, "/api/v1/audit/status").await).unwrap();
    assert!(status.witnesses[0].error.as_ref().is_some_and(|why| why.contains("forget")), "{status:?}");
}

#[tokio::test]
async fn the_protocol_answers_as_it_must() {
    let watcher = Watcher::new().await;
    let ask = async |method: &str, path: &str, body: &str| {
        let headers = [("authorization", watcher.authorization.as_str())];
        watcher.app.ask(method, path, &headers, body).await
    };
    let path = "/audit/witness/add-checkpoint";
    assert_eq!(ask("POST", path, "nonsense").await.status, 400);
    assert_eq!(ask("POST", path, &"x".repeat(1 << 20)).await.status, 413);
    let home = Home::new();
    let state = open(&home).await;
    let unknown = |old: u64, checkpoint: &SignedCheckpoint| format!("old {old}\n\n{checkpoint}");
    let checkpoint = state.recorder.state().borrow().checkpoint.clone();
    assert_eq!(ask("POST", path, &unknown(0, &checkpoint)).await.status, 404, "not watched");
    let origin = checkpoint.checkpoint().origin.clone();
    assert_eq!(ask("GET", &format!("/audit/witness/latest?origin={origin}"), "").await.status, 404);
    introduce(&state, &watcher).await;
    assert_eq!(ask("GET", &format!("/audit/witness/latest?origin={origin}"), "").await.status, 204);
    state.recorder.seal().await.unwrap();
    let checkpoint = state.recorder.state().borrow().checkpoint.clone();
    let good = ask("POST", path, &unknown(0, &checkpoint)).await;
    assert_eq!(good.status, 200, "{}", good.body);
    assert!(good.body.starts_with("\u{2014} boltseal.example/witness "), "{}", good.body);
    let conflict = ask("POST", path, &unknown(0, &checkpoint)).await;
    assert_eq!((conflict.status.as_u16(), conflict.header("content-type")), (409, "text/x.tlog.size"));
    assert_eq!(conflict.body.trim(), checkpoint.checkpoint().size.to_string());
    let latest = ask("GET", &format!("/audit/witness/latest?origin={origin}"), "").await;
    assert!(latest.body.starts_with(&checkpoint.note().text().to_owned()), "{}", latest.body);
    for (method, path) in [("POST", path), ("GET", "/audit/witness/latest?origin=x")] {
        assert_eq!(watcher.app.ask(method, path, &[], "").await.status, 401, "{path}");
    }
    assert_eq!(watcher.app.get("/audit/witness/latest?origin=x").await.status, 403, "an owner is no log");
}
