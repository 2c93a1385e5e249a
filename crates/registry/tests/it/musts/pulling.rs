//! Pulling, listing tags, errors, names.

use axum::body::Body;
use boltseal_model::Digest;
use serde_json::json;

use super::{check, hold, send, sha512};
use crate::world::{OCI_MANIFEST, World};

/// All that an `errors` document may say.
const CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];
/// All warnings of an answer together.
const MAX_WARNINGS: usize = 4096;

#[tokio::test]
async fn must_01_the_digest_comes_with_every_answer_and_the_length_with_head() {
    let world = World::new().await;
    let layer = b"\x1f\x8b layer";
    let image = world.image("a/b", "", layer).await;
    let named = [Digest::of(image.as_bytes()), sha512(image.as_bytes())];
    for digest in &named {
        world.put_manifest("a/b", &digest.to_string(), &image).await;
    }
    world.put_manifest("a/b", "v1", &image).await;
    let long = sha512(layer);
    let path = format!("/v2/a/b/blobs/uploads/?digest={long}");
    send(&world, "POST", &path, &[], layer.to_vec(), (201, &[])).await;

    let manifest = |name: &str| format!("/v2/a/b/manifests/{name}");
    let blob = |digest: &Digest| format!("/v2/a/b/blobs/{digest}");
    let whole = Digest::of(layer);
    for (path, digest, length) in [
        (manifest("v1"), &named[0], image.len()),
        (manifest(&named[0].to_string()), &named[0], image.len()),
        (manifest(&named[1].to_string()), &named[1], image.len()),
        (blob(&whole), &whole, layer.len()),
        (blob(&long), &long, layer.len()),
    ] {
        let (name, size) = (format!("docker-content-digest: {digest}"), format!("content-length: {length}"));
        for method in ["GET", "HEAD"] {
            let reply = check(&world, method, &path, (200, &[&name, &size])).await;
            assert_eq!(reply.body.is_empty(), method == "HEAD");
            let same = reply.header("etag").to_owned();
            let unchanged = [("if-none-match", same.as_str())];
            send(&world, method, &path, &unchanged, Body::empty(), (304, &[&name])).await;
        }
    }
    let part = [("range", "bytes=2-3")];
    let name = format!("docker-content-digest: {whole}");
    let wanted = ["content-length: 2", "content-range: bytes 2-3/8", &name];
    let reply = send(&world, "GET", &blob(&whole), &part, Body::empty(), (206, &wanted)).await;
    assert_eq!(reply.text(), " l");
    for outside in ["bytes=8-9", "bytes=5-0"] {
        let range = [("range", outside)];
        let wanted = (416, &["content-range: bytes */8"][..]);
        send(&world, "GET", &blob(&whole), &range, Body::empty(), wanted).await;
    }
}

#[tokio::test]
async fn must_08_tags_are_sorted_and_last_needs_neither_n_nor_a_tag() {
    let world = World::new().await;
    let image = world.image("a", "", b"\x1f\x8b layer").await;
    for tag in ["v10", "v2", "V3", "latest", "_1"] {
        world.put_manifest("a", tag, &image).await;
    }
    let next = |n: u8, last: &str| format!("link: </v2/a/tags/list?n={n}&last={last}>; rel=\"next\"");
    for (query, tags, link) in [
        ("", &["V3", "_1", "latest", "v10", "v2"][..], "link:".to_owned()),
        ("?n=0", &[], "link:".to_owned()),
        ("?n=0&last=latest", &[], "link:".to_owned()),
        ("?n=2", &["V3", "_1"], next(2, "_1")),
        ("?n=2&last=_1", &["latest", "v10"], next(2, "v10")),
        ("?n=5", &["V3", "_1", "latest", "v10", "v2"], "link:".to_owned()),
        ("?last=latest", &["v10", "v2"], "link:".to_owned()),
        ("?last=m-is-no-tag-here", &["v10", "v2"], "link:".to_owned()),
        ("?last=zzz", &[], "link:".to_owned()),
        ("?n=99999999999", &["V3", "_1", "latest", "v10", "v2"], "link:".to_owned()),
    ] {
        let reply = check(&world, "GET", &format!("/v2/a/tags/list{query}"), (200, &[&link])).await;
        assert_eq!(reply.json(), json!({ "name": "a", "tags": tags }), "{query}");
    }
    check(&world, "GET", "/v2/a/tags/list?n=-1", (400, &["UNSUPPORTED"])).await;
    check(&world, "GET", "/v2/none/tags/list", (404, &["NAME_UNKNOWN"])).await;
}

#[tokio::test]
async fn must_10_errors_have_one_of_fourteen_codes_and_warnings_are_short() {
    let world = World::new().await;
    world.push_image("a", "bad", "deny", b"\x1f\x8b layer").await;
    world.push_image("a", "warn", "warn", b"\x1f\x8b other layer").await;
    let none = Digest::of(b"none");
    for (method, path, status) in [
        ("GET", "/v2/a/manifests/none".to_owned(), 404),
        ("GET", "/v2/a/manifests/bad".to_owned(), 403),
        ("GET", "/v2/a/blobs/sha256:1".to_owned(), 400),
        ("GET", format!("/v2/a/blobs/{none}"), 404),
        ("GET", "/v2/A/tags/list".to_owned(), 400),
        ("GET", "/v2/b/tags/list".to_owned(), 404),
        ("GET", "/v2/a/referrers/x".to_owned(), 400),
        ("GET", "/v2/a/what".to_owned(), 404),
        ("PUT", "/v2/a/manifests/v1".to_owned(), 400),
        ("PUT", "/v2/a/blobs/uploads/none".to_owned(), 400),
        ("PATCH", "/v2/a/blobs/uploads/none".to_owned(), 404),
        ("POST", "/v2/a/manifests/v1".to_owned(), 405),
        ("POST", "/v2/a/blobs/uploads/?digest=x".to_owned(), 400),
    ] {
        let reply = check(&world, method, &path, (status, &["content-type: application/json"])).await;
        let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(errors.len(), 1, "{method} {path}: {}", reply.text());
        assert!(CODES.contains(&reply.code().as_str()), "{method} {path}: {}", reply.text());
        assert!(!errors[0]["message"].as_str().unwrap_or_default().is_empty(), "{method} {path}");
    }
    let nobody = world.raw("GET", "/v2/a/tags/list", &[], Body::empty()).await;
    hold("nobody", &nobody, (401, &["UNAUTHORIZED"]));

    for (tag, status) in [("bad", 403), ("warn", 200)] {
        for method in ["GET", "HEAD"] {
            let reply = check(&world, method, &format!("/v2/a/manifests/{tag}"), (status, &[])).await;
            let warnings: Vec<_> = reply.headers.get_all("warning").iter().collect();
            assert!(!warnings.is_empty(), "{method} {tag}");
            assert!(warnings.iter().map(|warning| warning.len()).sum::<usize>() <= MAX_WARNINGS);
            for warning in warnings {
                let text = warning.to_str().unwrap();
                assert!(text.starts_with("299 - \"") && text.ends_with('"'), "no date, no agent: {text}");
            }
        }
    }
}

#[tokio::test]
async fn must_12_names_have_slashes_and_tags_come_as_parameters() {
    let world = World::new().await;
    // Every word that also stands in a path of the API.
    for name in ["blobs/uploads/manifests", "tags/list/tags", "referrers", "v2/manifests/x/blobs"] {
        let image = world.image(name, "", b"\x1f\x8b layer").await;
        let digest = Digest::of(image.as_bytes());
        let path = format!("/v2/{name}/manifests/{digest}?tag=1.2.3&tag=1.2&tag=latest");
        let typed = [("content-type", OCI_MANIFEST)];
        let reply = send(&world, "PUT", &path, &typed, image.clone(), (201, &[])).await;
        let tags: Vec<_> = reply.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
        assert_eq!(tags, ["1.2.3", "1.2", "latest"], "{name}");
        let wanted = format!("docker-content-digest: {digest}");
        for reference in
            ["1.2.3", "1.2", "latest", &digest.to_string(), &digest.to_string().replace(':', "%3A")]
        {
            check(&world, "HEAD", &format!("/v2/{name}/manifests/{reference}"), (200, &[&wanted])).await;
        }
        let listed = check(&world, "GET", &format!("/v2/{name}/tags/list"), (200, &[])).await;
        assert_eq!(listed.json(), json!({ "name": name, "tags": ["1.2", "1.2.3", "latest"] }));
        let blob = Digest::of(b"\x1f\x8b layer").to_string().replace(':', "%3a");
        check(&world, "HEAD", &format!("/v2/{name}/blobs/{blob}"), (200, &["content-length: 8"])).await;
    }
    // One bad tag, and nothing is stored.
    let image = world.image("a", "", b"\x1f\x8b layer").await;
    let path = format!("/v2/a/manifests/{}?tag=good&tag=-bad", Digest::of(image.as_bytes()));
    send(&world, "PUT", &path, &[], image, (400, &["MANIFEST_INVALID"])).await;
    check(&world, "HEAD", "/v2/a/manifests/good", (404, &[])).await;

    for algorithm in ["sha256", "sha512"] {
        let path = format!("/v2/a/blobs/uploads/?digest-algorithm={algorithm}");
        let location = check(&world, "POST", &path, (202, &[])).await.header("location").to_owned();
        let digest = if algorithm == "sha256" { Digest::of(b"some bytes") } else { sha512(b"some bytes") };
        send(&world, "PATCH", &location, &[("content-range", "0-4")], "some ", (202, &["range: 0-4"])).await;
        let wanted =
            [&*format!("docker-content-digest: {digest}"), &*format!("location: /v2/a/blobs/{digest}")];
        send(&world, "PUT", &format!("{location}?digest={digest}"), &[], "bytes", (201, &wanted)).await;
        assert_eq!(world.get(&format!("/v2/a/blobs/{digest}")).await.text(), "some bytes");
    }
    check(&world, "POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", (400, &["DIGEST_INVALID"])).await;
}
