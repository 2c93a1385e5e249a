//! Pushing manifests and deleting.

use boltseal_model::Digest;
use serde_json::json;

use super::{check, send};
use crate::world::{OCI_INDEX, OCI_MANIFEST, World};

/// Four megabytes are demanded; ours is the binary one.
const LIMIT: usize = 4 << 20;
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The manifest with white space before its end, `size` bytes in all.
fn padded(manifest: &str, size: usize) -> String {
    let body = manifest.trim_end().strip_suffix('}').unwrap();
    format!("{body}{}}}", " ".repeat(size - body.len() - 1))
}

#[tokio::test]
async fn must_02_manifests_keep_their_bytes_up_to_four_megabytes_and_their_type() {
    let world = World::new().await;
    let plain = world.image("a", "", b"\x1f\x8b layer").await;
    let odd = plain.replacen('{', "{\n\t\"com.example.unknown\": [1, {\"\\u00e4\": 2.50}],\r\n ", 1);
    let untyped = plain.replacen(&format!("\"mediaType\":\"{OCI_MANIFEST}\","), "", 1);
    assert!(untyped.len() < plain.len());
    let docker = plain.replacen(OCI_MANIFEST, DOCKER_MANIFEST, 1);
    let with_parameters = format!("{OCI_MANIFEST}; charset=utf-8");
    for (name, said, manifest, stored) in [
        ("unknown fields and white space", OCI_MANIFEST, odd, OCI_MANIFEST),
        ("parameters", &*with_parameters, plain.clone() + "\n", OCI_MANIFEST),
        ("no type of its own", OCI_MANIFEST, untyped, OCI_MANIFEST),
        ("Docker's type", DOCKER_MANIFEST, docker, DOCKER_MANIFEST),
        ("four million bytes", OCI_MANIFEST, padded(&plain, 4_000_000), OCI_MANIFEST),
        ("the limit", OCI_MANIFEST, padded(&plain, LIMIT), OCI_MANIFEST),
    ] {
        let digest = Digest::of(manifest.as_bytes());
        let typed = [("content-type", said)];
        let wanted =
            [&*format!("docker-content-digest: {digest}"), &*format!("location: /v2/a/manifests/{digest}")];
        send(&world, "PUT", "/v2/a/manifests/v1", &typed, manifest.clone(), (201, &wanted)).await;
        for reference in ["v1".to_owned(), digest.to_string()] {
            let wanted = format!("content-type: {stored}");
            let path = format!("/v2/a/manifests/{reference}");
            let reply = check(&world, "GET", &path, (200, &[&wanted])).await;
            assert!(reply.body == manifest.as_bytes(), "{name}: other bytes came back");
        }
    }
    let typed = [("content-type", OCI_MANIFEST)];
    let beyond = padded(&plain, LIMIT + 1);
    send(&world, "PUT", "/v2/a/manifests/v2", &typed, beyond, (413, &["SIZE_INVALID"])).await;
}

#[tokio::test]
async fn must_09_what_was_deleted_is_gone_at_once_with_its_tags() {
    let world = World::new().await;
    let (one, two) = (b"\x1f\x8b one", b"\x1f\x8b two");
    let first = world.push_image("a", "v1", "", one).await;
    let image = world.get("/v2/a/manifests/v1").await.text();
    world.put_manifest("a", "also-v1", &image).await;
    world.push_image("a", "v2", "", two).await;
    let manifest = |name: &str| format!("/v2/a/manifests/{name}");
    let all = [manifest("v1"), manifest("also-v1"), manifest(&first.to_string())];
    // In memory now, if anything is.
    for path in &all {
        check(&world, "GET", path, (200, &[])).await;
    }

    check(&world, "DELETE", &all[1], (202, &[])).await;
    check(&world, "GET", &all[1], (404, &["MANIFEST_UNKNOWN"])).await;
    check(&world, "DELETE", &all[1], (404, &["MANIFEST_UNKNOWN"])).await;
    check(&world, "GET", &all[0], (200, &[])).await;

    check(&world, "DELETE", &all[2], (202, &[])).await;
    for path in &all {
        for method in ["GET", "HEAD", "DELETE"] {
            check(&world, method, path, (404, &[])).await;
        }
    }
    let left = check(&world, "GET", "/v2/a/tags/list", (200, &[])).await;
    assert_eq!(left.json(), json!({ "name": "a", "tags": ["v2"] }));

    let blob = format!("/v2/a/blobs/{}", Digest::of(one));
    check(&world, "GET", &blob, (200, &[])).await;
    check(&world, "DELETE", &blob, (202, &[])).await;
    for method in ["GET", "HEAD", "DELETE"] {
        check(&world, method, &blob, (404, &[])).await;
    }
    check(&world, "DELETE", "/v2/none/manifests/v1", (404, &[])).await;
    // Pushed again, everything is back.
    world.push_blob("a", one).await;
    assert_eq!(world.put_manifest("a", "v1", &image).await.status.as_u16(), 201);
    check(&world, "GET", &all[2], (200, &[])).await;
    check(&world, "GET", &blob, (200, &[])).await;
}

#[tokio::test]
async fn must_03_a_subject_is_answered_with_oci_subject_whether_it_is_there_or_not() {
    let world = World::new().await;
    let image = world.push_image("a", "v1", "", b"\x1f\x8b layer").await;
    let config = world.push_blob("a", b"{}").await;
    let absent = Digest::of(b"not pushed yet");
    for subject in [&image, &absent] {
        let about = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 1 });
        let artifact = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.note",
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": "text/plain", "digest": config, "size": 2 }],
            "subject": about,
        });
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": about });
        for (media_type, manifest) in [(OCI_MANIFEST, artifact), (OCI_INDEX, index)] {
            let manifest = manifest.to_string();
            let path = format!("/v2/a/manifests/{}", Digest::of(manifest.as_bytes()));
            let wanted = format!("oci-subject: {subject}");
            let typed = [("content-type", media_type)];
            send(&world, "PUT", &path, &typed, manifest, (201, &[&wanted])).await;
        }
        let listed = check(&world, "GET", &format!("/v2/a/referrers/{subject}"), (200, &[])).await;
        assert_eq!(listed.json()["manifests"].as_array().unwrap().len(), 2, "{}", listed.text());
    }
    let plain = world.image("a", "", b"\x1f\x8b layer").await;
    send(&world, "PUT", "/v2/a/manifests/v2", &[], plain, (201, &["oci-subject:"])).await;
}
