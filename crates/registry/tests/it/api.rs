//! The distribution API without a network: tables of requests and what must come back.

use axum::{body::Body, http::StatusCode};
use boltseal_model::{Algorithm, Digest, Hasher};
use serde_json::json;

use crate::world::{OCI_INDEX, OCI_MANIFEST, World};

/// Method, path, status, and either the error code or `HEADER: value` that must be there.
type Row<'a> = (&'a str, &'a str, u16, &'a str);

async fn check(world: &World, rows: &[Row<'_>]) {
    for (method, path, status, expected) in rows {
        let reply = world.call(method, path, &[], Body::empty()).await;
        assert_eq!(reply.status.as_u16(), *status, "{method} {path}: {}", reply.text());
        match expected.split_once(": ") {
            Some((name, value)) => assert_eq!(reply.header(name), value, "{method} {path}"),
            None => assert_eq!(reply.code(), *expected, "{method} {path}"),
        }
        assert_eq!(reply.header("docker-distribution-api-version"), "registry/2.0");
    }
}

fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}

#[tokio::test]
async fn nothing_is_there_yet() {
    let world = World::new().await;
    let none = Digest::of(b"none");
    check(
        &world,
        &[
            ("GET", "/v2/", 200, "content-length: 0"),
            ("GET", "/v2", 200, "content-length: 0"),
            ("POST", "/v2/", 405, "UNSUPPORTED"),
            ("GET", "/v2/a/tags/list", 404, "NAME_UNKNOWN"),
            ("GET", "/v2/A/tags/list", 400, "NAME_INVALID"),
            ("GET", "/v2/a/manifests/x", 404, "MANIFEST_UNKNOWN"),
            ("GET", &format!("/v2/a/manifests/{none}"), 404, "MANIFEST_UNKNOWN"),
            ("GET", "/v2/a/manifests/sha256:12", 400, "DIGEST_INVALID"),
            ("DELETE", "/v2/a/manifests/x", 404, "MANIFEST_UNKNOWN"),
            ("DELETE", &format!("/v2/a/manifests/{none}"), 404, "MANIFEST_UNKNOWN"),
            ("POST", "/v2/a/manifests/x", 405, "allow: GET, HEAD, PUT, DELETE"),
            ("GET", &format!("/v2/a/blobs/{none}"), 404, "BLOB_UNKNOWN"),
            ("DELETE", &format!("/v2/a/blobs/{none}"), 404, "BLOB_UNKNOWN"),
            ("GET", "/v2/a/blobs/sha256:xyz", 400, "DIGEST_INVALID"),
            ("GET", "/v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"),
            ("GET", "/v2/a/blobs/uploads/1", 404, "BLOB_UPLOAD_UNKNOWN"),
            ("PATCH", "/v2/a/blobs/uploads/1", 404, "BLOB_UPLOAD_UNKNOWN"),
            ("PUT", &format!("/v2/a/blobs/uploads/1?digest={none}"), 404, "BLOB_UPLOAD_UNKNOWN"),
            ("PUT", "/v2/a/blobs/uploads/1", 400, "DIGEST_INVALID"),
            ("DELETE", "/v2/a/blobs/uploads/1", 404, "BLOB_UPLOAD_UNKNOWN"),
            ("POST", "/v2/a/blobs/uploads/?digest=bad", 400, "DIGEST_INVALID"),
            ("GET", &format!("/v2/a/referrers/{none}"), 200, &format!("content-type: {OCI_INDEX}")),
            ("GET", "/v2/a/referrers/x", 400, "DIGEST_INVALID"),
            ("GET", "/v2/_catalog", 200, "content-type: application/json"),
            ("GET", "/v2/_catalog?n=x", 400, "UNSUPPORTED"),
            ("GET", "/v2/a/else", 404, "NAME_UNKNOWN"),
        ],
    )
    .await;
    let referrers = world.get(&format!("/v2/a/referrers/{none}")).await.json();
    assert_eq!(referrers, json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}));
}

#[tokio::test]
async fn who_is_asking() {
    let world = World::new().await;
    world.push_image("team/app", "v1", "", b"\x1f\x8b layer").await;
    let host = ("host", "registry.test:5000");
    let reply = world.raw("GET", "/v2/", &[host], Body::empty()).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (401, "UNAUTHORIZED"));
    let challenge = "Bearer realm=\"http://registry.test:5000/oauth2/token\",service=\"boltseal\"";
    assert_eq!(reply.header("www-authenticate"), challenge);

    let evil = ("host", "a\"b");
    let reply = world.raw("GET", "/v2/team/app/manifests/v1", &[evil], Body::empty()).await;
    let challenge = "Bearer realm=\"http://localhost/oauth2/token\",service=\"boltseal\",scope=\"repository:team/app:pull\"";
    assert_eq!(reply.header("www-authenticate"), challenge);

    let wrong = ("authorization", "Basic YWRtaW46d3Jvbmc=");
    for path in ["/v2/", "/token"] {
        let reply = world.raw("GET", path, &[host, wrong], Body::empty()).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
    }

    let form = format!(
        "grant_type=password&service=boltseal&username=admin&password={}&scope=repository:team/app:pull",
        world.people.secret("admin")
    );
    let content_type = ("content-type", "application/x-www-form-urlencoded");
    let reply = world.raw("POST", "/token", &[host, content_type], form).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), "no-store");
    let posted = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
    for (grant, status, code) in
        [("grant_type=refresh_token", 401, "UNAUTHORIZED"), ("grant_type=magic", 400, "UNSUPPORTED")]
    {
        let reply = world.raw("POST", "/token", &[host, content_type], grant).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{grant}");
    }

    let pull = world.token(&["repository:team/app:pull"]).await;
    let star = world.token(&["repository:team/app:*", "registry:catalog:*"]).await;
    let bare = world.token(&[]).await;
    let digest = Digest::of(b"x");
    let upload = "/v2/team/app/blobs/uploads/";
    let cases = [
        (&pull, "GET", "/v2/", 200),
        (&bare, "GET", "/v2/", 200),
        (&posted, "GET", "/v2/team/app/manifests/v1", 200),
        (&pull, "GET", "/v2/team/app/manifests/v1", 200),
        (&pull, "GET", "/v2/team/app/tags/list", 200),
        (&pull, "GET", "/v2/team/other/tags/list", 401),
        (&pull, "POST", upload, 401),
        (&pull, "DELETE", "/v2/team/app/manifests/v1", 401),
        (&pull, "GET", "/v2/_catalog", 401),
        (&bare, "GET", "/v2/team/app/manifests/v1", 401),
        (&star, "POST", upload, 202),
        (&star, "GET", "/v2/_catalog", 200),
        (&star, "DELETE", &format!("/v2/team/app/manifests/{digest}"), 404),
    ];
    for (token, method, path, status) in cases {
        let reply = world.raw(method, path, &[host, ("authorization", token.as_str())], Body::empty()).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}: {}", reply.text());
        let insufficient = reply.header("www-authenticate").contains("error=\"insufficient_scope\"");
        assert_eq!(insufficient, status == 401, "{method} {path}");
    }
}

#[tokio::test]
async fn blobs_whole_and_in_part() {
    let world = World::new().await;
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let digest = world.push_blob("a/b", &bytes).await;
    let path = format!("/v2/a/b/blobs/{digest}");
    for (range, status, expected) in [
        ("", 200, &bytes[..]),
        ("bytes=0-0", 206, &bytes[..1]),
        ("bytes=1000000-2999999", 206, &bytes[1_000_000..]),
        ("bytes=-5", 206, &bytes[2_999_995..]),
        ("bytes=0-1,3-4", 200, &bytes[..]),
        ("bytes=3000000-", 416, b""),
    ] {
        let headers: Vec<_> = Some(("range", range)).filter(|(_, r)| !r.is_empty()).into_iter().collect();
        let reply = world.call("GET", &path, &headers, Body::empty()).await;
        assert_eq!(reply.status.as_u16(), status, "{range}");
        if status == 416 {
            assert_eq!(reply.header("content-range"), "bytes */3000000");
            continue;
        }
        assert!(reply.body == expected, "{range}: {} bytes", reply.body.len());
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        let head = world.call("HEAD", &path, &headers, Body::empty()).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (status, 0), "{range}");
        assert_eq!(head.header("content-length"), expected.len().to_string(), "{range}");
    }
    let etag = format!("\"{digest}\"");
    let reply = world.call("GET", &path, &[("if-none-match", &etag)], Body::empty()).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0));

    for small in [&b""[..], b"{}"] {
        let digest = world.push_blob("a/b", small).await;
        assert_eq!(world.get(&format!("/v2/a/b/blobs/{digest}")).await.body, small);
    }
    let long = sha512(b"long");
    let reply = world.call("POST", &format!("/v2/a/b/blobs/uploads/?digest={long}"), &[], "long").await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(world.get(&format!("/v2/a/b/blobs/{long}")).await.text(), "long");

    let reply = world.call("POST", &format!("/v2/a/b/blobs/uploads/?digest={digest}"), &[], "other").await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "DIGEST_INVALID"));
    check(&world, &[("DELETE", &path, 202, "content-length: 0"), ("GET", &path, 404, "BLOB_UNKNOWN")]).await;
}

/// One request of a session: method, headers, body, status, `Range` afterwards.
type Step<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn uploads_in_chunks() {
    let world = World::new().await;
    let digest = Digest::of(b"hello world");
    let wrong = Digest::of(b"wrong");
    let cases: &[(&str, &[Step<'_>])] = &[
        (
            "streamed, as Docker does",
            &[("PATCH", &[], "hello world", 202, "0-10"), ("PUT", &[], "", 201, "")],
        ),
        ("all in the last request", &[("PUT", &[], "hello world", 201, "")]),
        (
            "chunks",
            &[
                ("PATCH", &[("content-range", "0-4")], "hello", 202, "0-4"),
                ("GET", &[], "", 204, "0-4"),
                ("PATCH", &[("content-range", "bytes 5-9/11")], " worl", 202, "0-9"),
                ("PUT", &[("content-range", "10-10")], "d", 201, ""),
            ],
        ),
        (
            "out of order",
            &[
                ("PATCH", &[("content-range", "5-9")], " worl", 416, "0-0"),
                ("PATCH", &[("content-range", "0-4")], "hello", 202, "0-4"),
                ("PATCH", &[("content-range", "6-9")], "worl", 416, "0-4"),
                ("PUT", &[("content-range", "4-10")], "o world", 416, "0-4"),
                ("PUT", &[("content-range", "5-10")], " world", 201, ""),
            ],
        ),
        ("malformed range", &[("PATCH", &[("content-range", "all")], "hello", 400, "")]),
        (
            "length against range",
            &[("PATCH", &[("content-range", "0-4"), ("content-length", "4")], "hell", 400, "")],
        ),
        (
            "cancelled",
            &[("PATCH", &[], "hello", 202, "0-4"), ("DELETE", &[], "", 204, ""), ("GET", &[], "", 404, "")],
        ),
    ];
    for (name, steps) in cases {
        let started = world.call("POST", "/v2/a/blobs/uploads/", &[], Body::empty()).await;
        assert_eq!(started.status, StatusCode::ACCEPTED);
        let location = started.header("location").to_owned();
        assert!(location.ends_with(started.header("docker-upload-uuid")), "{location}");
        for (method, headers, body, status, range) in *steps {
            let path =
                if *method == "PUT" { format!("{location}?digest={digest}") } else { location.clone() };
            let reply = world.call(method, &path, headers, (*body).to_owned()).await;
            assert_eq!(reply.status.as_u16(), *status, "{name}: {method} {body}: {}", reply.text());
            assert_eq!(reply.header("range"), *range, "{name}: {method} {body}");
            if *status == 201 {
                assert_eq!(reply.header("location"), format!("/v2/a/blobs/{digest}"));
                assert_eq!(world.get(reply.header("location")).await.text(), "hello world", "{name}");
                assert_eq!(
                    world.get(&location).await.status,
                    StatusCode::NOT_FOUND,
                    "{name}: the session ended"
                );
            }
        }
    }
    let location =
        world.call("POST", "/v2/a/blobs/uploads/", &[], Body::empty()).await.header("location").to_owned();
    let reply = world.call("PUT", &format!("{location}?digest={wrong}"), &[], "hello").await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "DIGEST_INVALID"));
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    assert_eq!(
        world.get(&elsewhere).await.status,
        StatusCode::NOT_FOUND,
        "a session belongs to its repository"
    );
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let world = World::new().await;
    let location =
        world.call("POST", "/v2/a/blobs/uploads/", &[], Body::empty()).await.header("location").to_owned();
    world.call("PATCH", &location, &[], "hello").await;
    let id = location.rsplit('/').next().unwrap();
    let file = world.folder.path().join("uploads").join(id);
    // Bytes that were on their way when the process ended, and litter of another upload.
    std::fs::write(&file, "hello, and more").unwrap();
    let litter = world.folder.path().join("uploads").join("part-1");
    std::fs::write(&litter, "x").unwrap();

    let world = world.reopen().await;
    assert!(!litter.exists());
    let status = world.get(&location).await;
    assert_eq!((status.status.as_u16(), status.header("range")), (204, "0-4"));
    let digest = Digest::of(b"hello world");
    let reply = world.call("PUT", &format!("{location}?digest={digest}"), &[], " world").await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    assert_eq!(world.get(&format!("/v2/a/blobs/{digest}")).await.text(), "hello world");
}

#[tokio::test]
async fn blobs_are_mounted_from_where_the_caller_may_pull() {
    let world = World::new().await;
    let digest = world.push_blob("secret/base", b"bytes").await;
    let push = world.token(&["repository:mine/app:pull,push"]).await;
    let both = world.token(&["repository:mine/app:pull,push", "repository:secret/base:pull"]).await;
    let unknown = Digest::of(b"unknown");
    let cases = [
        ("the token says nothing of it", &push, format!("mount={digest}&from=secret/base"), 401),
        ("nor of any other", &push, format!("mount={digest}"), 401),
        ("is not there", &both, format!("mount={unknown}&from=secret/base"), 202),
        ("is in no such repository", &both, format!("mount={digest}&from=secret/none"), 202),
        ("from", &both, format!("mount={digest}&from=secret/base"), 201),
        ("has it already", &push, format!("mount={digest}"), 201),
    ];
    for (name, token, query, status) in cases {
        let path = format!("/v2/mine/app/blobs/uploads/?{query}");
        let reply = world.raw("POST", &path, &[("authorization", token)], Body::empty()).await;
        assert_eq!(reply.status.as_u16(), status, "{name}: {}", reply.text());
    }
    let path = format!("/v2/mine/app/blobs/{digest}");
    check(&world, &[("GET", &path, 200, "content-length: 5"), ("DELETE", &path, 202, "content-length: 0")])
        .await;
    check(&world, &[("GET", &path, 404, "BLOB_UNKNOWN")]).await;
    assert_eq!(world.get(&format!("/v2/secret/base/blobs/{digest}")).await.text(), "bytes");
}

#[tokio::test]
async fn manifests_come_back_byte_for_byte() {
    let world = World::new().await;
    let manifest = world.image("a", "", b"\x1f\x8b layer").await;
    // Unknown fields and odd white space are part of the bytes.
    let manifest = manifest.replacen('{', "{ \n \"com.example.unknown\": [1, 2],", 1);
    let digest = Digest::of(manifest.as_bytes());
    let reply = world.put_manifest("a", "v1", &manifest).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    assert_eq!(reply.header("docker-content-digest"), digest.to_string());
    for reference in ["v1".to_owned(), digest.to_string()] {
        let path = format!("/v2/a/manifests/{reference}");
        let reply = world.get(&path).await;
        assert_eq!(reply.text(), manifest, "{reference}");
        assert_eq!(reply.header("content-type"), OCI_MANIFEST);
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        let head = world.call("HEAD", &path, &[], Body::empty()).await;
        assert_eq!(head.header("content-length"), manifest.len().to_string());
        let etag = reply.header("etag").to_owned();
        let unchanged = world.call("GET", &path, &[("if-none-match", &etag)], Body::empty()).await;
        assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    }
    let long = sha512(manifest.as_bytes());
    assert_eq!(world.put_manifest("a", &long.to_string(), &manifest).await.status, StatusCode::CREATED);
    assert_eq!(world.get(&format!("/v2/a/manifests/{long}")).await.text(), manifest);
    let with_tags = format!("{digest}?tag=x&tag=y");
    let reply = world.put_manifest("a", &with_tags, &manifest).await;
    assert_eq!(reply.headers.get_all("oci-tag").iter().count(), 2);
    check(
        &world,
        &[
            ("GET", "/v2/a/manifests/y", 200, &format!("docker-content-digest: {digest}")),
            ("DELETE", "/v2/a/manifests/x", 202, "content-length: 0"),
            ("GET", "/v2/a/manifests/x", 404, "MANIFEST_UNKNOWN"),
            ("DELETE", &format!("/v2/a/manifests/{digest}"), 202, "content-length: 0"),
            ("GET", "/v2/a/manifests/v1", 404, "MANIFEST_UNKNOWN"),
            ("GET", &format!("/v2/a/manifests/{digest}"), 404, "MANIFEST_UNKNOWN"),
        ],
    )
    .await;
    assert_eq!(world.get("/v2/a/tags/list").await.json(), json!({"name": "a", "tags": []}));
}

#[tokio::test]
async fn manifests_that_are_refused() {
    let world = World::new().await;
    let good = world.image("a", "", b"\x1f\x8b layer").await;
    let elsewhere = world.image("b", "", b"\x1f\x8b other layer").await;
    let none = Digest::of(b"none");
    let child = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": none, "size": 1}]})
    .to_string();
    let huge = format!("{{{} \"schemaVersion\": 2}}", " ".repeat(5 << 20));
    let cases = [
        ("other digest", none.to_string(), OCI_MANIFEST, good.clone(), 400, "DIGEST_INVALID"),
        ("not JSON", "v1".to_owned(), OCI_MANIFEST, "hello".to_owned(), 400, "MANIFEST_INVALID"),
        ("an array", "v1".to_owned(), OCI_MANIFEST, "[]".to_owned(), 400, "MANIFEST_INVALID"),
        ("type against content", "v1".to_owned(), OCI_INDEX, good.clone(), 400, "MANIFEST_INVALID"),
        (
            "schema 1",
            "v1".to_owned(),
            "application/vnd.docker.distribution.manifest.v1+json",
            "{\"schemaVersion\": 1}".to_owned(),
            400,
            "MANIFEST_INVALID",
        ),
        (
            "unknown type",
            "v1".to_owned(),
            "text/plain",
            good.replace(OCI_MANIFEST, "text/plain"),
            400,
            "MANIFEST_INVALID",
        ),
        (
            "blobs of another repository",
            "v1".to_owned(),
            OCI_MANIFEST,
            elsewhere,
            400,
            "MANIFEST_BLOB_UNKNOWN",
        ),
        ("child that is not here", "v1".to_owned(), OCI_INDEX, child, 400, "MANIFEST_BLOB_UNKNOWN"),
        ("too large", "v1".to_owned(), OCI_MANIFEST, huge, 413, "SIZE_INVALID"),
        ("bad tag", "-x".to_owned(), OCI_MANIFEST, good, 400, "MANIFEST_INVALID"),
    ];
    for (name, reference, media_type, body, status, code) in cases {
        let path = format!("/v2/a/manifests/{reference}");
        let reply = world.call("PUT", &path, &[("content-type", media_type)], body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (status, code),
            "{name}: {}",
            reply.text()
        );
    }
    assert_eq!(
        world.get("/v2/a/tags/list").await.json()["tags"],
        json!([]),
        "nothing half-pushed is visible"
    );
}

#[tokio::test]
async fn lists_in_pages() {
    let world = World::new().await;
    let manifest = world.image("a", "", b"\x1f\x8b layer").await;
    for tag in ["b", "a", "C", "d", "_x"] {
        world.put_manifest("a", tag, &manifest).await;
    }
    world.push_blob("z/y", b"1").await;
    let rows = [
        ("/v2/a/tags/list", json!({"name": "a", "tags": ["C", "_x", "a", "b", "d"]}), ""),
        (
            "/v2/a/tags/list?n=2",
            json!({"name": "a", "tags": ["C", "_x"]}),
            "</v2/a/tags/list?n=2&last=_x>; rel=\"next\"",
        ),
        (
            "/v2/a/tags/list?n=2&last=_x",
            json!({"name": "a", "tags": ["a", "b"]}),
            "</v2/a/tags/list?n=2&last=b>; rel=\"next\"",
        ),
        ("/v2/a/tags/list?n=2&last=b", json!({"name": "a", "tags": ["d"]}), ""),
        ("/v2/a/tags/list?last=aa", json!({"name": "a", "tags": ["b", "d"]}), ""),
        ("/v2/a/tags/list?n=0", json!({"name": "a", "tags": []}), ""),
        ("/v2/_catalog?n=1", json!({"repositories": ["a"]}), "</v2/_catalog?n=1&last=a>; rel=\"next\""),
        ("/v2/_catalog?n=1&last=a", json!({"repositories": ["z/y"]}), ""),
    ];
    for (path, expected, link) in rows {
        let reply = world.get(path).await;
        assert_eq!((reply.json(), reply.header("link")), (expected, link), "{path}");
    }
}

#[tokio::test]
async fn referrers_old_and_new() {
    let world = World::new().await;
    let image = world.push_image("a", "v1", "", b"\x1f\x8b layer").await;
    let empty = world.push_blob("a", b"{}").await;
    let artifact = |artifact_type: Option<&str>, note: &str| {
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.example.config", "digest": empty, "size": 2},
            "layers": [{"mediaType": "application/vnd.example.note", "digest": empty, "size": 2}],
            "subject": {"mediaType": OCI_MANIFEST, "digest": image, "size": 1},
            "annotations": {"note": note},
        });
        if let Some(artifact_type) = artifact_type {
            manifest["artifactType"] = artifact_type.into();
        }
        manifest.to_string()
    };
    let (sbom, bare) = (artifact(Some("application/spdx+json"), "sbom"), artifact(None, "bare"));
    for manifest in [&sbom, &bare] {
        let reply = world.put_manifest("a", &Digest::of(manifest.as_bytes()).to_string(), manifest).await;
        assert_eq!((reply.status.as_u16(), reply.header("oci-subject")), (201, image.to_string().as_str()));
    }
    let old = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": Digest::of(sbom.as_bytes()), "size": sbom.len(), "artifactType": "x/old"}]});
    assert_eq!(
        world.put_manifest("a", &format!("sha256-{}", image.hex()), &old.to_string()).await.status.as_u16(),
        201
    );

    let list = |query: &str| format!("/v2/a/referrers/{image}{query}");
    let found = world.get(&list("")).await.json()["manifests"].as_array().unwrap().clone();
    assert_eq!(found.len(), 2, "one is named by both ways, and listed once: {found:?}");
    let of = |note: &str| found.iter().find(|entry| entry["annotations"]["note"] == note).unwrap().clone();
    assert_eq!(of("sbom")["artifactType"], "application/spdx+json");
    assert_eq!(of("bare")["artifactType"], "application/vnd.example.config");
    assert_eq!(of("bare")["size"], bare.len());

    let filtered = world.get(&list("?artifactType=application%2Fspdx%2Bjson")).await;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    assert_eq!(filtered.json()["manifests"].as_array().unwrap().len(), 1);
    let deleted = format!("/v2/a/manifests/{}", Digest::of(bare.as_bytes()));
    check(&world, &[("DELETE", &deleted, 202, "content-length: 0")]).await;
    assert_eq!(world.get(&list("")).await.json()["manifests"].as_array().unwrap().len(), 1);
}
