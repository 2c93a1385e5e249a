//! skopeo: OCI and Docker formats, and what it says of held images.

use std::path::Path;

use boltseal_model::Digest;
use boltseal_testkit::peer;
use serde_json::Value;

use super::{DOCKER_MANIFEST, Served, alpine, is_one_clear_sentence};

fn digests(layout: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(layout.join("blobs/sha256"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_pushes_and_pulls_a_real_image() {
    let Some(skopeo) = peer("skopeo") else { return };
    let Some(archive) = alpine() else { return };
    let served = Served::new().await;
    let work = tempfile::tempdir().unwrap();
    let (first, second) = (work.path().join("first"), work.path().join("second"));
    let (first_oci, second_oci) =
        (format!("oci:{}:v1", first.display()), format!("oci:{}:v1", second.display()));
    let remote = format!("docker://{}/library/alpine:3.11", served.address);
    let source = format!("docker-archive:{}", archive.path().display());

    let unsigned = served.run(&skopeo, &["inspect", "--tls-verify=false", &remote]).await;
    assert!(!unsigned.status.success(), "nobody may look without signing in");
    served.sign_in(&skopeo).await;

    served.must(&skopeo, &["--insecure-policy", "copy", &source, &first_oci]).await;
    served
        .must(&skopeo, &["--insecure-policy", "copy", "--dest-tls-verify=false", &first_oci, &remote])
        .await;
    served
        .must(&skopeo, &["--insecure-policy", "copy", "--src-tls-verify=false", &remote, &second_oci])
        .await;
    assert_eq!(digests(&first), digests(&second), "the same manifest, configuration and layers");

    let tags = served.must(&skopeo, &["list-tags", "--tls-verify=false", &remote.replace(":3.11", "")]).await;
    assert!(tags.contains("3.11"), "{tags}");
    served.must(&skopeo, &["delete", "--tls-verify=false", &remote]).await;
    let gone = served.run(&skopeo, &["inspect", "--tls-verify=false", &remote]).await;
    assert!(String::from_utf8_lossy(&gone.stderr).contains("manifest unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_prints_why_an_image_is_refused_and_pulls_the_mended_one() {
    let Some(skopeo) = peer("skopeo") else { return };
    let served = Served::new().await;
    served.sign_in(&skopeo).await;
    let layout = tempfile::tempdir().unwrap();
    let remote = format!("docker://{}/app:v1", served.address);
    served.world.push_image("app", "v1", "deny", b"\x1f\x8b layer").await;
    let target = format!("oci:{}:v1", layout.path().display());
    let said = served
        .must_fail(&skopeo, &["--insecure-policy", "copy", "--src-tls-verify=false", &remote, &target])
        .await;
    is_one_clear_sentence(&said);
    served.world.push_image("app", "v1", "", b"\x1f\x8b layer").await;
    let raw = served.must(&skopeo, &["inspect", "--raw", "--tls-verify=false", &remote]).await;
    assert!(raw.contains("layers"));
}

/// Docker's image manifest, version 2, schema 2, there and back without a byte changed.
#[tokio::test(flavor = "multi_thread")]
async fn skopeo_keeps_the_formats_of_docker() {
    const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let Some(skopeo) = peer("skopeo") else { return };
    let Some(archive) = alpine() else { return };
    let served = Served::new().await;
    served.sign_in(&skopeo).await;
    let work = tempfile::tempdir().unwrap();
    let folder = |name: &str| work.path().join(name);
    let dir = |name: &str| format!("dir:{}", folder(name).display());
    let remote = |name: &str| format!("docker://{}/{name}", served.address);
    let source = format!("docker-archive:{}", archive.path().display());
    let copy = async |from: &str, to: &str, more: &[&str]| {
        let fixed = ["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
        let mut arguments = fixed.to_vec();
        arguments.extend_from_slice(more);
        arguments.extend([from, to]);
        served.must(&skopeo, &arguments).await
    };
    copy(&source, &remote("library/alpine:3.11"), &["--format", "v2s2"]).await;
    let reply = served.world.get("/v2/library/alpine/manifests/3.11").await;
    assert_eq!(reply.header("content-type"), DOCKER_MANIFEST);
    assert_eq!(reply.header("docker-content-digest"), Digest::of(&reply.body).to_string());
    let manifest: Value = reply.json();
    assert_eq!(
        (&manifest["mediaType"], &manifest["config"]["mediaType"]),
        (&DOCKER_MANIFEST.into(), &CONFIG.into())
    );
    assert!(manifest["layers"].as_array().unwrap().iter().all(|layer| layer["mediaType"] == LAYER));

    // `dir:` keeps what the registry gave.
    copy(&remote("library/alpine:3.11"), &dir("pulled"), &[]).await;
    assert!(std::fs::read(folder("pulled").join("manifest.json")).unwrap() == reply.body, "other bytes came");
    copy(&dir("pulled"), &remote("mirror/alpine:3.11"), &["--preserve-digests"]).await;
    let mirrored = served.world.get("/v2/mirror/alpine/manifests/3.11").await;
    assert!(mirrored.body == reply.body, "other bytes went");
    assert_eq!(mirrored.header("content-type"), DOCKER_MANIFEST);
    let raw = served
        .must(&skopeo, &["inspect", "--raw", "--tls-verify=false", &remote("mirror/alpine:3.11")])
        .await;
    assert!(raw.as_bytes() == reply.body);
}
