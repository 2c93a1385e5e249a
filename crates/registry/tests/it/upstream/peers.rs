//! Real registries as upstreams, and real clients that pull through.

use boltseal_testkit::{Distribution, peer};
use boltseal_wire::server::{Limits, serve};
use serde_json::json;
use tokio::net::TcpListener;

use super::upstream;
use crate::{peers::Served, world::World};

/// A registry of ours at a real port.
async fn ours() -> (World, String) {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(listener, world.registry.router(), None, Limits::default(), std::future::pending()));
    (world, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_behind_ours_with_tokens() {
    let (there, address) = ours().await;
    let digest = there.push_image("team/app", "v1", "", b"\x1f\x8b layer").await;
    let world = World::new().await;
    for (username, secret, expected) in [
        ("puller", there.people.secret("puller").to_owned(), 200),
        ("puller", "mistaken".to_owned(), 403),
        ("nobody", there.people.secret("nobody").to_owned(), 403),
    ] {
        let world = World::new().await;
        upstream(&world, &address, json!({ "username": username, "password": secret })).await;
        let reply = world.get("/v2/cache/team/app/manifests/v1").await;
        assert_eq!(reply.status.as_u16(), expected, "{username}: {}", reply.text());
        if expected == 200 {
            assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        }
        assert!(!reply.text().contains(&secret), "{}", reply.text());
    }
    upstream(&world, &address, json!({})).await;
    assert_eq!(world.get("/v2/cache/team/app/manifests/v1").await.status.as_u16(), 403, "as nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_registry_behind_ours_and_clients_before_it() {
    for login in [false, true] {
        let Some(there) = Distribution::start(login) else { return };
        let Some(skopeo) = peer("skopeo") else { return };
        let served = Served::new().await;
        let more = if login { json!({ "username": "u", "password": "p" }) } else { json!({}) };
        upstream(&served.world, there.address(), more).await;
        let Some(archive) = crate::peers::alpine() else { return };
        let source = format!("docker-archive:{}", archive.path().display());
        let upstream = format!("docker://{}/library/alpine:3.11", there.address());
        let mut push = vec!["--insecure-policy", "copy", "--dest-tls-verify=false"];
        if login {
            push.extend(["--dest-creds", "u:p"]);
        }
        push.extend([source.as_str(), upstream.as_str()]);
        served.must(&skopeo, &push).await;

        served.sign_in(&skopeo).await;
        let (work, cached) =
            (tempfile::tempdir().unwrap(), format!("{}/cache/library/alpine:3.11", served.address));
        let (from, to) =
            (format!("docker://{cached}"), format!("oci:{}:v1", work.path().join("out").display()));
        served.must(&skopeo, &["--insecure-policy", "copy", "--src-tls-verify=false", &from, &to]).await;
        let tags =
            served.must(&skopeo, &["list-tags", "--tls-verify=false", &from.replace(":3.11", "")]).await;
        assert!(tags.contains("3.11"), "{tags}");
        let missing = from.replace("3.11", "absent");
        let said = served.must_fail(&skopeo, &["inspect", "--tls-verify=false", &missing]).await;
        assert!(said.contains("manifest unknown") || said.contains("404"), "{said}");
        let said = served
            .must_fail(&skopeo, &["--insecure-policy", "copy", "--dest-tls-verify=false", &source, &from])
            .await;
        assert!(said.contains("is a cache of"), "{said}");

        let Some(podman) = peer("podman") else { continue };
        let stores = work.path().join("containers");
        let (root, run) =
            (format!("{}", stores.join("root").display()), format!("{}", stores.join("run").display()));
        let pull = [
            "--root",
            &root,
            "--runroot",
            &run,
            "--storage-driver",
            "vfs",
            "pull",
            "--tls-verify=false",
            &cached,
        ];
        served.must(&podman, &pull).await;
    }
}
