//! Who gets in where, and what every answer carries.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_flow::access::{Endpoint, Needs};

use crate::{
    app::{self, App},
    sample,
};

const OPEN: [&str; 7] = [
    "/sign-in",
    "/healthz",
    "/readyz",
    "/api/v1/version",
    "/api/v1/openapi.json",
    "/assets/boltseal.css",
    "/assets/boltseal.js",
];
const PAGES: [&str; 6] = ["/", "/images", "/vulnerabilities", "/feeds", "/policy", "/about"];

#[tokio::test]
async fn nobody_sees_what_needs_somebody() {
    let app = App::new().await;
    for path in OPEN {
        assert_eq!(app.ask("GET", path, &[], "").await.status, 200, "{path}");
    }
    for path in PAGES {
        let answer = app.ask("GET", path, &[], "").await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
    }
    let back = app.ask("GET", "/images?q=a%20b", &[], "").await;
    assert_eq!(back.header("location"), "/sign-in?back=%2Fimages%3Fq%3Da%2520b");
    let closed = |endpoint: &Endpoint| !matches!(endpoint.needs, Needs::Nothing(_));
    for Endpoint { method, path, .. } in boltseal_server::endpoints().filter(closed) {
        if path.starts_with("/api/") {
            let answer = app.ask(method, path, &[], "").await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
            assert!(answer.header("www-authenticate").starts_with("Basic"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_link_from_another_site_brings_the_session_along() {
    let app = App::new().await;
    let answer = app.ask("GET", "/images", &[("sec-fetch-site", "cross-site")], "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("http-equiv=\"refresh\"") && !answer.body.contains("shop/"));
}

#[tokio::test]
async fn programs_send_basic_or_bearer() {
    let app = App::new().await;
    let ask = async |header: &str| app.ask("GET", "/api/v1/images", &[("authorization", header)], "").await;
    let basic = |name: &str, secret: &str| STANDARD.encode(format!("{name}:{secret}"));
    let (right, token) = (basic(sample::NAME, &app.secret), app::token(&app.state, sample::NAME));
    for (header, status) in [
        (format!("Basic {right}"), 200),
        (format!("basic {right}"), 200),
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (format!("Basic {}", basic("admin", "wrong")), 401),
        (format!("Basic {}", basic("nobody", &app.secret)), 401),
        (format!("Bearer {}", &token[..token.len() - 1]), 401),
        ("Bearer wrong".to_owned(), 401),
        ("Basic".to_owned(), 401),
        ("Basic !!!".to_owned(), 401),
        ("Digest x".to_owned(), 401),
        (String::new(), 401),
    ] {
        assert_eq!(ask(&header).await.status, status, "{header}");
    }
    for _ in 0..4 {
        ask(&format!("Basic {}", basic("admin", "wrong"))).await;
    }
    let answer = ask(&format!("Basic {right}")).await;
    assert_eq!(answer.status, 429, "guesses slow down whoever uses this name from this network");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(ask(&format!("Bearer {token}")).await.status, 200, "a token is no guess");
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    for tls in [false, true] {
        let app = App::new().await.with(|state| {
            state.site = std::sync::Arc::new(boltseal_server::Site { tls, ..(*state.site).clone() });
        });
        for path in OPEN.into_iter().chain(PAGES).chain(["/nowhere", "/api/v1/nowhere", "/api/v1/images"]) {
            let answer = app.ask("GET", path, &[], "").await;
            let policy = answer.header("content-security-policy");
            for part in
                ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
            {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("strict-transport-security").is_empty(), !tls, "{path}");
            assert!(!answer.header("cache-control").is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn changes_need_a_form_of_ours() {
    let app = App::new().await;
    let body = app.sign_in_form();
    for path in ["/sign-in", "/sign-out", "/theme"] {
        for header in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let answer = app.ask("POST", path, &[header, ("host", "boltseal.example")], &body).await;
            assert_eq!(answer.status, 403, "{path} {header:?}");
            assert!(answer.header("set-cookie").is_empty(), "{path} {header:?}");
        }
    }
}
