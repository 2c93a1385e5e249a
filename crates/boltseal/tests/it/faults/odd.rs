//! Input made to hurt: names, paths, digests, lengths, manifests.

use super::{BYTES, MANIFEST, Server, manifest_of};
use boltseal_model::Digest;

/// Headers and body of a PATCH, and the status it gets.
type Chunk<'a> = (&'a [(&'a str, &'a str)], &'a str, u16);

#[test]
fn names_and_paths() {
    let server = Server::start();
    let longest = "a".repeat(255);
    let zeros = "0".repeat(64);
    let paths = [
        ("/v2/../v2/", 404),
        ("/v2/a/../b/tags/list", 400),
        ("/v2/a/%2e%2e/b/tags/list", 400),
        ("/v2/a%2f..%2fb/tags/list", 400),
        ("/v2/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/v2/a%00b/tags/list", 400),
        ("/v2/é/tags/list", 400),
        ("/v2/%c3%a9/tags/list", 400),
        ("/v2/%ff/tags/list", 400),
        ("/v2/a%/tags/list", 400),
        ("/v2/A/tags/list", 400),
        ("/v2/a//b/tags/list", 400),
        ("/v2//tags/list", 400),
        ("/v2/a b/tags/list", 400),
        (&format!("/v2/{longest}/tags/list"), 404),
        (&format!("/v2/{longest}a/tags/list"), 400),
        (&format!("/v2/{}tags/list", "a/".repeat(5_000)), 400),
        (&format!("/v2/{}/tags/list", "a".repeat(70_000)), 431),
        ("/v2/a/blobs/uploads/%2e%2e", 404),
        ("/v2/a/blobs/uploads/..%2f..%2ffacts.db", 404),
        ("/v2/a/blobs/uploads/../../../facts.db", 404),
        ("/v2/a/blobs/sha256:..%2f..%2ffacts.db", 404),
        (&format!("/v2/a/blobs/sha256:{}", "../".repeat(21) + "x"), 404),
        (&format!("/v2/a/blobs/sha256:{zeros}%00"), 400),
        (&format!("/v2/a/blobs/sha256:{zeros}0"), 400),
        (&format!("/v2/a/blobs/md5:{}", "0".repeat(32)), 400),
        (&format!("/v2/a/manifests/{}", "t".repeat(128)), 404),
        (&format!("/v2/a/manifests/{}", "t".repeat(129)), 400),
        ("/v2/a/manifests/..", 400),
        ("/v2/a/manifests/%2e%2e", 400),
        ("/v2/a/manifests/v1%00", 400),
        ("/v2/_catalog?n=-1", 400),
        ("/v2/_catalog?n=99999999999999999999", 400),
        ("/v2/_catalog?n=0", 200),
        (&format!("/v2/a/tags/list?last={}", "x".repeat(50_000)), 404),
    ];
    for (path, expected) in paths {
        let shown: String = path.chars().take(80).collect();
        let answer = server.ask("GET", path, &[], b"");
        assert_eq!(answer.status, expected, "{shown}: {}", answer.text());
        // hyper refuses what does not fit by itself.
        if ![200, 431].contains(&answer.status) && !path.contains(' ') {
            answer.says_why();
        }
    }
    server.blob(&longest, b"{}").is(201);
    let tag = "t".repeat(128);
    server.manifest(&longest, &tag, &manifest_of(b"{}", "")).is(201);
    server.ask("GET", &format!("/v2/{longest}/manifests/{tag}"), &[], b"").is(200);
    let catalog = server.ask("GET", "/v2/_catalog", &[], b"").is(200).text();
    assert_eq!(catalog, format!(r#"{{"repositories":["{longest}"]}}"#));
    server.is_well(150);
}

/// NUL, which PostgreSQL has in no text: refused, or stored as what it is, by either database.
pub(super) fn nul(server: &Server) {
    let label = br#"{"os":"linux","architecture":"amd64","config":{"Labels":{"a\u0000b":"c\u0000d"}},"rootfs":{"type":"layers","diff_ids":[]}}"#;
    server.blob("nul/app", label).is(201);
    let config = "application/vnd.oci.image.config.v1+json";
    let of = |beside: &str| {
        let manifest = String::from_utf8(manifest_of(label, beside)).unwrap();
        manifest.replace("application/vnd.test.config", config).into_bytes()
    };
    server.manifest("nul/app", "label", &of("")).is(201);
    server.manifest("nul/app", "annotation", &of(r#","annotations":{"a\u0000":"\u0000"}"#)).is(201);
    server.manifest("nul/app", "type", &of(r#","artifactType":"a/b\u0000""#)).is(400).says_why();
    let digest = Digest::of(&of(""));
    for (method, path, expected) in [
        ("GET", "/v2/_catalog?last=%00", 400),
        ("GET", "/v2/_catalog?last=nul%00&n=2", 400),
        ("GET", "/v2/nul/app/tags/list?last=%00", 400),
        ("GET", "/v2/nul/app/tags/list?n=%00", 400),
        ("GET", &format!("/v2/nul/app/referrers/{digest}?artifactType=a%00"), 400),
        ("GET", "/acr/v1/_catalog?last=%00", 400),
        ("GET", "/acr/v1/nul%2Fapp/_tags?last=%00", 400),
        ("GET", "/acr/v1/nul%2Fapp/_manifests?orderby=%00", 400),
        ("GET", "/v2/nul%00/tags/list", 400),
        ("GET", "/v2/nul/app/manifests/label%00", 400),
        ("POST", &format!("/v2/nul/app/blobs/uploads/?mount={digest}&from=a%00"), 400),
        ("POST", "/v2/nul/app/blobs/uploads/?digest-algorithm=%00", 400),
        ("GET", "/token?service=%00&scope=repository:a%00:pull", 400),
        ("GET", "/v2/nul/app/tags/list?last=a", 200),
    ] {
        let answer = server.ask(method, path, &[], b"");
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
        if expected >= 400 {
            answer.says_why();
        }
    }
    for method in ["GET", "PATCH", "DELETE"] {
        let answer = server.ask(method, "/v2/nul/app/blobs/uploads/a%00b", &[], b"").says_why();
        // There is no such session, or there can be none.
        assert!([404, 400].contains(&answer.status), "{method}: {}", answer.text());
    }
    server.is_well(250);
}

#[test]
fn nul_in_texts() {
    nul(&Server::start());
}

#[test]
fn digests_and_lengths_that_are_wrong() {
    let server = Server::start();
    let right = Digest::of(b"right");
    let whole = format!("/v2/wrong/blobs/uploads/?digest={right}");
    server.ask("POST", &whole, &[BYTES], b"wrong").is(400).says_why();
    let put = format!("{}?digest={right}", server.session("wrong"));
    server.ask("PUT", &put, &[BYTES], b"wrong").is(400).says_why();
    server.ask("GET", put.split('?').next().unwrap(), &[], b"").is(404).says_why();
    server.manifest("wrong", &right.to_string(), &manifest_of(b"{}", "")).is(400).says_why();

    let session = server.session("wrong");
    let (huge, chunked) = ("18446744073709551615", ("Transfer-Encoding", "chunked"));
    let chunks: [Chunk<'_>; 9] = [
        (&[("Content-Range", "0-9")], "12345", 400),
        (&[("Content-Range", "9-3")], "12345", 416),
        (&[("Content-Range", "5-9")], "12345", 416),
        (&[("Content-Range", &format!("0-{huge}"))], "12345", 400),
        (&[("Content-Range", "a-b")], "12345", 400),
        (&[("Content-Length", "abc")], "", 400),
        (&[("Content-Length", "-5")], "", 400),
        (&[("Content-Length", "5"), ("Content-Length", "6")], "12345", 400),
        (&[("Content-Range", "0-9"), chunked], "5\r\n12345\r\n0\r\n\r\n", 400),
    ];
    for (headers, body, expected) in chunks {
        let answer = server.ask("PATCH", &session, &[headers, &[BYTES]].concat(), body.as_bytes());
        assert_eq!(answer.status, expected, "{headers:?}: {}", answer.text());
    }
    assert_eq!(server.ask("HEAD", &format!("/v2/wrong/blobs/{right}"), &[], b"").status, 404);
    server.is_well(150);
}

#[test]
fn manifests_made_to_hurt() {
    let server = Server::start();
    server.blob("odd", b"{}").is(201);
    let list = |name: &str, count: usize| {
        let one = |n: usize| format!(r#"{{"mediaType":"a/b","digest":"sha256:{n:064x}","size":1}}"#);
        let all = (0..count).map(one).collect::<Vec<_>>().join(",");
        String::from_utf8(manifest_of(b"{}", ""))
            .unwrap()
            .replace(r#""layers":[]"#, &format!(r#""{name}":[{all}]"#))
    };
    let with_size = |size: &str| {
        String::from_utf8(manifest_of(b"{}", ""))
            .unwrap()
            .replace(r#""size":2"#, &format!(r#""size":{size}"#))
    };
    let annotations = (0..3_500).map(|n| format!(r#""key-{n}":"{}""#, "v".repeat(1_000))).collect::<Vec<_>>();
    let annotated = format!(r#","annotations":{{{}}}"#, annotations.join(","));
    let cases: [(&str, Vec<u8>, u16); 15] = [
        ("3.5 MB of annotations", manifest_of(b"{}", &annotated), 201),
        ("no manifest", b"".to_vec(), 400),
        ("not JSON", b"\xff\xfe\x00".to_vec(), 400),
        ("an array", vec![b'['; 3_000_000], 400),
        ("depth", br#"{"a":"#.repeat(600_000), 400),
        (
            "depth of annotations",
            manifest_of(b"{}", &format!(r#","annotations":{}"#, r#"{"a":"#.repeat(500_000))),
            400,
        ),
        ("30,000 layers", list("layers", 30_000).into_bytes(), 400),
        ("layers that are not here", list("layers", 100).into_bytes(), 400),
        ("30,000 manifests", list("manifests", 30_000).into_bytes(), 400),
        ("a negative size", with_size("-1").into_bytes(), 400),
        ("a size that is no number", with_size("\"2\"").into_bytes(), 400),
        ("a size beyond all", with_size("99999999999999999999999").into_bytes(), 400),
        ("a key twice", manifest_of(b"{}", r#","schemaVersion":1"#), 400),
        ("NUL in an annotation", manifest_of(b"{}", r#","annotations":{"a\u0000":"\u0000"}"#), 201),
        (
            "more than 4 MiB",
            manifest_of(b"{}", &format!(r#","annotations":{{"a":"{}"}}"#, "x".repeat(5 << 20))),
            413,
        ),
    ];
    for (what, bytes, expected) in cases {
        let answer = server.manifest("odd", "hurt", &bytes);
        assert_eq!(answer.status, expected, "{what}: {}", answer.text());
        if expected == 201 {
            let pulled = server.ask("GET", "/v2/odd/manifests/hurt", &[("Accept", MANIFEST)], b"").is(200);
            assert!(pulled.body == bytes, "{what} came back as something else");
        } else {
            answer.says_why();
        }
    }
    server.is_well(250);
}

#[test]
fn a_thousand_tags_of_one_manifest() {
    let server = Server::start();
    server.blob("many/tags", b"{}").is(201);
    let bytes = manifest_of(b"{}", "");
    let by_digest = format!("/v2/many/tags/manifests/{}", Digest::of(&bytes));
    for group in (0..1_000).collect::<Vec<_>>().chunks(50) {
        let tags = group.iter().map(|n| format!("tag=v{n:04}")).collect::<Vec<_>>().join("&");
        server.ask("PUT", &format!("{by_digest}?{tags}"), &[("Content-Type", MANIFEST)], &bytes).is(201);
    }
    let listed = server.ask("GET", "/v2/many/tags/tags/list", &[], b"").is(200).text();
    assert_eq!(listed.matches("\"v0").count(), 1_000, "{listed}");
    assert_eq!(server.ask("GET", "/v2/many/tags/manifests/v0999", &[], b"").is(200).body, bytes);
    server.ask("DELETE", &by_digest, &[], b"").is(202);
    let listed = server.ask("GET", "/v2/many/tags/tags/list", &[], b"").is(200).text();
    assert!(listed.contains(r#""tags":[]"#), "{listed}");
    let too_many = (0..65).map(|n| format!("tag=x{n}")).collect::<Vec<_>>().join("&");
    let path = format!("{by_digest}?{too_many}");
    server.ask("PUT", &path, &[("Content-Type", MANIFEST)], &bytes).is(400).says_why();
    server.is_well(150);
}
