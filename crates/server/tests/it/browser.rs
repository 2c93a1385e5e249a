//! What a real browser makes of the pages: the style sheet applies, the script runs, nothing breaks the policy.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use boltseal_store::{JobState, Progress};

use crate::{
    app::{self, App},
    control, sample,
};

/// Everything that Chromium would otherwise fetch, and the little that a container needs.
const QUIET: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Serves the sample over a socket; the session cookie cannot be given to Chromium, so everybody is the principal.
async fn serve(app: &App) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let token = format!("Bearer {}", app::token(&app.state, sample::NAME));
    let token: axum::http::HeaderValue = token.parse().unwrap();
    let router = boltseal_server::router(app.state.clone()).layer(axum::middleware::map_request(
        move |mut request: axum::extract::Request| {
            request.headers_mut().insert("authorization", token.clone());
            async move { request }
        },
    ));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn run(chromium: &Path, profile: &Path, arguments: &[String]) -> String {
    let output = Command::new(chromium)
        .args(QUIET)
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--enable-logging=stderr", "--virtual-time-budget=4000"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_runs_and_the_style_applies() {
    let Some(chromium) = boltseal_testkit::peer("chromium") else { return };
    let app = App::new().await;
    sample::news::arrive(&app.state.facts).await;
    let rule = serde_json::json!({
        "name": "ops", "severity": "high", "secret": "https://hooks.example.com/services/x", "to": { "kind": "slack" },
    });
    assert_eq!(control::call(&app, "admin", "POST", "/api/v1/notifications", &rule).await.0, 201);
    let address = serve(&app).await;
    let profile = tempfile::tempdir().unwrap();
    let images = app
        .state
        .facts
        .images(&boltseal_store::ImageFilter::default(), boltseal_store::Page::default())
        .await;
    let digest = images.unwrap().rows[1].digest.clone();
    let image = format!("/images/{digest}");
    let pages = [
        "/",
        "/repositories",
        "/upstreams",
        "/search?q=shop",
        "/aging",
        "/storage",
        "/storage/jobs",
        "/repositories/shop/checkout",
        "/images",
        "/vulnerabilities",
        "/findings/new",
        "/notifications",
        "/feeds",
        "/policy",
        "/access",
        "/access/build",
        "/access/roles",
        "/log",
        "/log/50",
        "/account",
        &image,
    ]
    .map(str::to_owned);
    let outcome = tokio::task::spawn_blocking(move || {
        for path in pages {
            let dom =
                run(&chromium, profile.path(), &["--dump-dom".to_owned(), format!("http://{address}{path}")]);
            assert!(dom.contains("</main>"), "{path}");
            let copies = dom.matches("data-copies=").count();
            let hidden = dom.matches("data-copies=\"\" hidden").count();
            assert_eq!(
                hidden, 0,
                "{path}: {copies} copy buttons, {hidden} still hidden: the script did not run"
            );
        }
        let picture = profile.path().join("front.png");
        let screenshot = format!("--screenshot={}", picture.display());
        run(
            &chromium,
            profile.path(),
            &[screenshot, "--window-size=390,900".to_owned(), format!("http://{address}/")],
        );
        std::fs::metadata(picture).unwrap().len()
    });
    assert!(outcome.await.unwrap() > 20_000, "the picture is nearly empty");
}

/// The script asks for the card of jobs until all are over, and then for the page again.
#[tokio::test(flavor = "multi_thread")]
async fn progress_moves_until_the_work_is_over() {
    let Some(chromium) = boltseal_testkit::peer("chromium") else { return };
    let app = App::new().await;
    let facts = app.state.facts.clone();
    let id = facts.request_job("collect", "{}", "ada").await.unwrap();
    let until = jiff::Timestamp::now() + std::time::Duration::from_mins(10);
    facts.claim_job(&["collect"], until).await.unwrap().unwrap();
    let progress = Progress { done: 250, total: 1000, ..Progress::default() };
    facts.report_job(&id, progress, until).await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let token: axum::http::HeaderValue =
        format!("Bearer {}", app::token(&app.state, sample::NAME)).parse().unwrap();
    let router = boltseal_server::router(app.state.clone()).layer(axum::middleware::map_request(
        move |mut request: axum::extract::Request| {
            let (facts, id, counted, token) =
                (facts.clone(), id.clone(), Arc::clone(&counted), token.clone());
            async move {
                request.headers_mut().insert("authorization", token);
                // It is over when somebody asks the second time.
                if request.uri().path() == "/storage/jobs" && counted.fetch_add(1, Ordering::SeqCst) == 1 {
                    let message = Some("freed 1000 B".to_owned());
                    let end = Progress { done: 1000, total: 1000, message, ..Progress::default() };
                    facts.end_job(&id, JobState::Done, end).await.unwrap();
                }
                request
            }
        },
    ));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let before = app.get("/storage").await.body;
    assert!(before.contains("250 B of 1.0 kB") && before.contains("data-watch"), "{before}");
    let dom = tokio::task::spawn_blocking(move || {
        let profile = tempfile::tempdir().unwrap();
        let page = format!("http://{address}/storage");
        run(
            &chromium,
            profile.path(),
            &["--virtual-time-budget=12000".to_owned(), "--dump-dom".to_owned(), page],
        )
    });
    let dom = dom.await.unwrap();
    assert!(asked.load(Ordering::SeqCst) >= 2, "the script asked {asked:?} times");
    assert!(dom.contains("freed 1000 B") && dom.contains("nothing is running"), "{dom}");
}
