//! Who gets in where, and what every answer carries.

use crate::{app::App, sample};

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
    for path in crate::api::paths().iter().filter(|path| !OPEN.contains(&path.as_str())) {
        let path = path.replace("{digest}", &format!("sha256:{}", "0".repeat(64))).replace("{id}", "CVE-1");
        if path.starts_with("/api/") {
            let answer = app.ask("GET", &path, &[], "").await;
            if answer.status != 200 {
                assert_eq!(answer.status, 401, "{path}");
                assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
                assert!(answer.header("www-authenticate").starts_with("Basic"), "{path}");
            }
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
    // admin:correct horse battery staple, and the same name with another secret
    for (header, status) in [
        ("Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", 200),
        ("basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", 200),
        ("Bearer sample-token", 200),
        ("Basic YWRtaW46d3Jvbmc=", 401),
        ("Bearer wrong", 401),
    ] {
        let answer = app.ask("GET", "/api/v1/images", &[("authorization", header)], "").await;
        assert_eq!(answer.status, status, "{header}");
    }
    for header in ["Basic", "Basic !!!", "Digest x", ""] {
        let answer = app.ask("GET", "/api/v1/images", &[("authorization", header)], "").await;
        assert!(answer.status == 401 || answer.status == 429, "{header}");
    }
    let answer = app.get("/api/v1/images").await;
    assert_eq!(answer.status, 429, "guesses slow down everybody at this address");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
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
    let body = format!("name={}&secret={}", sample::NAME, sample::SECRET.replace(' ', "+"));
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
