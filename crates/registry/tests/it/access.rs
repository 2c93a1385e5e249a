//! Who may do what in the registry, what they are told, and what is recorded of it.

use axum::{body::Body, http::StatusCode};
use boltseal_audit::record::{Activity, Outcome, Why};
use boltseal_identity::{Edit, PrincipalId};

use crate::world::{Reply, World};

#[tokio::test]
async fn everybody_gets_what_their_roles_say() {
    let world = World::new().await;
    for repository in ["team/a", "other/b", "public"] {
        world.push_image(repository, "v1", "", b"\x1f\x8b layer").await;
    }
    let upload = |name: &str| format!("/v2/{name}/blobs/uploads/");
    let manifest = |name: &str| format!("/v2/{name}/manifests/v1");
    for (who, method, path, status) in [
        ("puller", "GET", "/v2/".to_owned(), 200),
        ("puller", "GET", manifest("team/a"), 200),
        ("puller", "HEAD", manifest("team/a"), 200),
        ("puller", "GET", "/v2/team/a/tags/list".to_owned(), 200),
        ("puller", "GET", "/v2/team/none/tags/list".to_owned(), 404),
        ("puller", "POST", upload("team/a"), 403),
        ("puller", "PUT", manifest("team/a"), 403),
        ("puller", "DELETE", manifest("team/a"), 403),
        ("puller", "GET", manifest("other/b"), 403),
        ("puller", "GET", "/v2/other/b/tags/list".to_owned(), 403),
        ("puller", "GET", manifest("public"), 200),
        ("pusher", "GET", manifest("team/a"), 200),
        ("pusher", "POST", upload("team/new"), 202),
        ("pusher", "POST", upload("other/b"), 403),
        ("pusher", "POST", upload("team"), 403),
        ("pusher", "DELETE", manifest("team/a"), 403),
        ("nobody", "GET", "/v2/".to_owned(), 200),
        ("nobody", "GET", manifest("team/a"), 403),
        ("nobody", "GET", manifest("public"), 200),
        ("admin", "GET", manifest("other/b"), 200),
    ] {
        let reply = world.call_as(who, method, &path).await;
        assert_eq!(reply.status.as_u16(), status, "{who} {method} {path}: {}", reply.text());
        assert!(status != 403 || method == "HEAD" || reply.code() == "DENIED", "{}", reply.text());
    }
    let anonymous = |path: String| async { world.raw("GET", &{ path }, &[], Body::empty()).await.status };
    assert_eq!(anonymous(manifest("public")).await, StatusCode::OK);
    assert_eq!(anonymous(manifest("team/a")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        anonymous("/v2/".to_owned()).await,
        StatusCode::UNAUTHORIZED,
        "clients learn here where to ask"
    );
}

#[tokio::test]
async fn what_may_not_be_seen_is_not_there() {
    let world = World::new().await;
    let digest = world.push_image("other/b", "v1", "", b"\x1f\x8b layer").await;
    world.push_image("team/a", "v1", "", b"\x1f\x8b layer").await;
    let as_if = |reply: &Reply, name: &str| (reply.status, reply.text().replace(name, "NAME"));
    for path in ["/v2/NAME/manifests/v1", "/v2/NAME/tags/list", &format!("/v2/NAME/manifests/{digest}")] {
        let there = world.call_as("puller", "GET", &path.replace("NAME", "other/b")).await;
        let not_there = world.call_as("puller", "GET", &path.replace("NAME", "other/x")).await;
        assert_eq!(as_if(&there, "other/b"), as_if(&not_there, "other/x"), "{path}");
    }
    let listed = |reply: Reply| reply.json()["repositories"].clone();
    let catalog = "/v2/_catalog";
    assert_eq!(listed(world.call_as("puller", "GET", catalog).await), serde_json::json!(["team/a"]));
    assert_eq!(listed(world.call_as("nobody", "GET", catalog).await), serde_json::json!([]));
    assert_eq!(
        listed(world.call_as("admin", "GET", catalog).await),
        serde_json::json!(["other/b", "team/a"])
    );
    // A mount from where one may not pull is an upload like any other.
    let blob = world.push_blob("other/b", b"secret layer").await;
    let mount = format!("/v2/team/a/blobs/uploads/?mount={blob}&from=other/b");
    assert_eq!(world.call_as("pusher", "POST", &mount).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.call("POST", &mount, &[], Body::empty()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_token_holds_what_its_principal_may_do_and_no_more() {
    let world = World::new().await;
    world.push_image("team/a", "v1", "", b"\x1f\x8b layer").await;
    let ask = "/token?service=boltseal&scope=repository:team/a:pull,push&scope=repository:other/b:pull";
    let reply = world.call_as("puller", "GET", ask).await;
    assert_eq!(reply.json()["scope"], "repository:team/a:pull");
    let token = format!("Bearer {}", reply.json()["token"].as_str().unwrap());
    let with = |method: &'static str, path: &'static str| {
        let (world, token) = (&world, token.as_str());
        async move { world.raw(method, path, &[("authorization", token)], Body::empty()).await }
    };
    assert_eq!(with("GET", "/v2/team/a/manifests/v1").await.status, StatusCode::OK);
    let push = with("POST", "/v2/team/a/blobs/uploads/").await;
    assert_eq!((push.status.as_u16(), push.code().as_str()), (403, "DENIED"), "another token would not help");
    assert!(push.text().contains("AcrPush"), "the way to it is named: {}", push.text());

    // Ending all sessions voids it at once; so does taking the role.
    world.people.edit(Edit::EndSessions { principal: world.people.id("puller") });
    assert_eq!(with("GET", "/v2/team/a/manifests/v1").await.status, StatusCode::UNAUTHORIZED);
    let assignment = {
        let directory = world.people.authority.directory();
        let id = world.people.id("puller");
        directory.assignments().find(|assignment| assignment.principal == id).unwrap().id
    };
    world.people.edit(Edit::Unassign { assignment });
    assert_eq!(world.call_as("puller", "GET", "/v2/team/a/manifests/v1").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_flow_of_azure_registries() {
    let world = World::new().await;
    world.push_image("team/a", "v1", "", b"\x1f\x8b layer").await;
    let authority = &world.people.authority;
    let caller =
        authority.caller(world.people.id("puller"), boltseal_identity::token::Method::Certificate).unwrap();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let post = |path: &'static str, body: String| {
        let world = &world;
        async move { world.raw("POST", path, &[("host", "registry.test"), form], body).await }
    };
    for audience in ["boltseal", "https://containerregistry.azure.net", "https://management.azure.com"] {
        let issued = authority
            .issue_for(
                audience,
                &caller,
                boltseal_identity::token::Kind::Access,
                boltseal_identity::registry_scope::RegistryScopes::All,
                600,
                boltseal_model::Timestamp::now(),
            )
            .unwrap();
        let body =
            format!("grant_type=access_token&service=registry.test&access_token={}", issued.token.expose());
        let reply = post("/oauth2/exchange", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{audience}: {}", reply.text());
        let refresh = reply.json()["refresh_token"].as_str().unwrap().to_owned();

        let scope = "scope=repository:team/a:pull&scope=repository:team/a:push";
        let body = format!("grant_type=refresh_token&service=registry.test&{scope}&refresh_token={refresh}");
        let reply = post("/oauth2/token", body).await;
        assert_eq!(reply.json()["scope"], "repository:team/a:pull", "{}", reply.text());
        let bearer = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
        let pull = "/v2/team/a/manifests/v1";
        assert_eq!(
            world.raw("GET", pull, &[("authorization", &bearer)], Body::empty()).await.status,
            StatusCode::OK
        );

        // As `docker login -u 00000000-0000-0000-0000-000000000000 -p REFRESH` sends it.
        let basic = {
            use base64::Engine as _;
            let text = format!("00000000-0000-0000-0000-000000000000:{refresh}");
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
        };
        let reply = world
            .raw(
                "GET",
                "/oauth2/token?scope=repository:team/a:pull",
                &[("authorization", &basic)],
                Body::empty(),
            )
            .await;
        assert_eq!(reply.json()["scope"], "repository:team/a:pull", "{}", reply.text());
        // A refresh token is not an access token, and the other way round.
        let wrong = format!("Bearer {refresh}");
        assert_eq!(
            world.raw("GET", pull, &[("authorization", &wrong)], Body::empty()).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let forged = "grant_type=access_token&access_token=bst_AAAA".to_owned();
    assert_eq!(post("/oauth2/exchange", forged).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn everything_done_is_recorded_with_its_reason() {
    let world = World::new().await;
    let first = world.push_image("team/a", "v1", "", b"\x1f\x8b one").await;
    let second = world.push_image("team/a", "v1", "", b"\x1f\x8b two").await;
    world.call_as("puller", "GET", "/v2/team/a/manifests/v1").await;
    world.call_as("puller", "POST", "/v2/team/a/blobs/uploads/").await;
    world.call_as("puller", "GET", "/v2/other/b/manifests/v1").await;
    let wrong = ("authorization", "Basic cHVsbGVyOndyb25n");
    world.raw("GET", "/v2/", &[wrong], Body::empty()).await;
    world.call("DELETE", "/v2/team/a/manifests/v1", &[], Body::empty()).await;
    world.call("DELETE", "/v2/team/a/manifests/v9", &[], Body::empty()).await;

    let records = world.records().await;
    let told: Vec<_> = records
        .iter()
        .filter(|record| record.activity != Activity::Judge && !record.detail.contains_key("bytes"))
        .map(|record| {
            let name = record.subject.name.clone().unwrap_or_default();
            (record.actor.name.as_str(), record.activity, record.outcome, record.subject.scope.as_str(), name)
        })
        .collect();
    let (a, b) = ("/registries/main/repositories/team/a", "/registries/main/repositories/other/b");
    let tag = "v1".to_owned();
    let none = String::new();
    let expected = [
        ("admin", Activity::Create, Outcome::Success, a, tag.clone()),
        ("admin", Activity::Create, Outcome::Success, a, tag.clone()),
        ("admin", Activity::Update, Outcome::Success, a, tag.clone()),
        ("puller", Activity::Read, Outcome::Success, a, tag.clone()),
        ("puller", Activity::Create, Outcome::Denied, a, none.clone()),
        ("puller", Activity::Read, Outcome::Denied, b, none),
        ("anonymous", Activity::SignIn, Outcome::Failure, "/", "puller".to_owned()),
        ("admin", Activity::Delete, Outcome::Success, a, tag),
    ];
    assert_eq!(told, expected);

    let moved = records.iter().find(|record| record.activity == Activity::Update).unwrap();
    assert_eq!(moved.subject.digest.as_ref(), Some(&second));
    assert_eq!(moved.detail["before"], first.to_string());
    let pull = records.iter().find(|record| record.activity == Activity::Read).unwrap();
    assert_eq!(pull.subject.digest.as_ref(), Some(&second));
    let assignment = {
        let directory = world.people.authority.directory();
        let id = world.people.id("puller");
        directory.assignments().find(|assignment| assignment.principal == id).unwrap().id.to_string()
    };
    assert!(
        matches!(&pull.why, Why::Granted { assignment: why, .. } if *why == assignment),
        "{:?}",
        pull.why
    );
    let denied = records.iter().find(|record| record.outcome == Outcome::Denied).unwrap();
    assert!(matches!(&denied.why, Why::Missing(what) if what.contains("content/write")), "{:?}", denied.why);
}

#[tokio::test]
async fn held_images_pass_for_inspectors_only_and_verdicts_are_recorded() {
    let world = World::new().await;
    let digest = world.push_image("team/a", "v1", "deny", b"\x1f\x8b layer").await;
    let path = "/v2/team/a/manifests/v1";
    assert_eq!(world.call_as("puller", "GET", path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.call_as("inspector", "GET", path).await.status, StatusCode::OK);
    let records = world.records().await;
    let verdict = records.iter().find(|record| record.activity == Activity::Judge).unwrap();
    assert_eq!(
        (verdict.subject.digest.as_ref(), &verdict.detail["verdict"]),
        (Some(&digest), &"deny".into())
    );
    let refused = records.iter().find(|record| record.outcome == Outcome::Denied).unwrap();
    assert!(refused.status.as_deref().unwrap_or_default().contains("CVE-2024-1"), "{:?}", refused.status);

    world.judge.strict.store(true, std::sync::atomic::Ordering::SeqCst);
    world.registry.rejudge("test").await.unwrap();
    let judged =
        |records: &[boltseal_audit::Record]| records.iter().filter(|r| r.activity == Activity::Judge).count();
    assert_eq!(judged(&world.records().await), 1, "the same verdict again is no news");
}

#[tokio::test]
async fn without_a_log_nothing_is_done() {
    let world = World::new().await;
    world.push_image("team/a", "v1", "", b"\x1f\x8b layer").await;
    assert_eq!(world.get("/v2/team/a/manifests/v1").await.status, StatusCode::OK);
    world.facts.close_log("tile 7 was changed");
    for (method, path) in [
        ("GET", "/v2/team/a/manifests/v1"),
        ("DELETE", "/v2/team/a/manifests/v1"),
        ("GET", "/token?scope=repository:team/a:pull"),
    ] {
        let reply = world.call(method, path, &[], Body::empty()).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}: {}", reply.text());
        assert!(!reply.text().contains("tile 7"), "what is wrong inside stays inside");
    }
    let reply = world.call("HEAD", "/v2/team/a/manifests/v1", &[], Body::empty()).await;
    assert_eq!(reply.status, StatusCode::OK, "the tag is still there");
}

#[tokio::test]
async fn guessing_costs_time_and_only_the_guesser() {
    let world = World::new().await;
    let wrong = ("authorization", "Basic cHVsbGVyOndyb25n");
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(world.raw("GET", "/v2/", &[wrong], Body::empty()).await.status.as_u16());
    }
    assert_eq!(statuses[..4], [401, 401, 401, 401]);
    assert_eq!(statuses[4..], [429, 429], "the fourth failure starts the waiting");
    assert_eq!(world.call_as("pusher", "GET", "/v2/").await.status, StatusCode::OK, "others are not held up");
    assert!(world.people.authority.directory().principal(PrincipalId::SYSTEM).is_some());
}
