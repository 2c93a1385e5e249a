//! Connections that end in the middle of a request, after every byte of it.

use std::io::Write as _;

use boltseal_model::Digest;

use super::{Answer, BYTES, MANIFEST, Server, manifest_of, noise};

/// Sends all beginnings of a request, each on a connection that then closes; the whole of it last.
fn cut_everywhere(
    server: &Server,
    mut request: impl FnMut() -> Vec<u8>,
    mut after_each: impl FnMut(usize),
) -> Answer {
    let length = request().len();
    for end in 0..length {
        let bytes = request();
        // A session's name is always as long.
        assert_eq!(bytes.len(), length);
        server.connect().write_all(&bytes[..end]).unwrap();
        after_each(end);
    }
    let mut stream = server.connect();
    stream.write_all(&request()).unwrap();
    Answer::read(&mut stream, "PUT").unwrap()
}

fn request(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    [server.head(method, path, headers, body.len()).as_bytes(), body].concat()
}

#[test]
fn whole_uploads() {
    let server = Server::start();
    let bytes = noise(1, 300);
    let digest = Digest::of(&bytes);
    let there = || server.ask("HEAD", &format!("/v2/cut/whole/blobs/{digest}"), &[], b"").status;

    let post = format!("/v2/cut/whole/blobs/uploads/?digest={digest}");
    let answer = cut_everywhere(
        &server,
        || request(&server, "POST", &post, &[BYTES], &bytes),
        |end| {
            if end % 64 == 0 {
                assert_eq!(there(), 404, "cut after {end} bytes");
            }
        },
    );
    answer.is(201);
    server.has("cut/whole", &bytes);

    let bytes = noise(2, 300);
    let digest = Digest::of(&bytes);
    let put = || {
        let path = format!("{}?digest={digest}", server.session("cut/put"));
        request(&server, "PUT", &path, &[BYTES], &bytes)
    };
    cut_everywhere(&server, put, |_| {}).is(201);
    server.has("cut/put", &bytes);
    server.is_well(150);
}

#[test]
fn chunks() {
    let server = Server::start();
    let (first, second) = (noise(3, 100), noise(4, 200));
    let whole = [first.clone(), second.clone()].concat();
    let digest = Digest::of(&whole);
    for end in 0..550 {
        let session = server.session("cut/chunks");
        server.ask("PATCH", &session, &[BYTES], &first).is(202);
        let headers = [BYTES, ("Content-Range", "100-299")];
        let patch = request(&server, "PATCH", &session, &headers, &second);
        server.connect().write_all(&patch[..end.min(patch.len() - 1)]).unwrap();
        // As a client does: ask how much is there, and go on from that; ask again if that was not the last word.
        let mut tries = 0;
        loop {
            let asked = server.ask("GET", &session, &[], b"");
            let have = match (asked.status, asked.header("range")) {
                (204, Some(range)) => range.strip_prefix("0-").unwrap().parse::<usize>().unwrap() + 1,
                (409, _) if tries < 200 => {
                    tries += 1;
                    continue;
                }
                other => panic!("cut after {end} bytes: {other:?}"),
            };
            assert!(
                (100..300).contains(&have),
                "{have} bytes after a cut after {end}; 100 were acknowledged"
            );
            let range = format!("{have}-299");
            let put = format!("{session}?digest={digest}");
            let answer = server.ask("PUT", &put, &[BYTES, ("Content-Range", &range)], &whole[have..]);
            if answer.status == 201 {
                break;
            }
            tries += 1;
            assert!(
                [409, 416].contains(&answer.status) && tries < 200,
                "cut after {end} bytes: {}",
                answer.text()
            );
        }
    }
    server.has("cut/chunks", &whole);
    // Chunks of unsaid length (RFC 9112, section 7.1) that do not end.
    let session = server.session("cut/stream");
    let head = server.head("PATCH", &session, &[BYTES, ("Transfer-Encoding", "chunked")], 0);
    for cut in ["", "5", "5\r\n", "5\r\nhe", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "zz\r\n"]
    {
        server.connect().write_all(format!("{head}{cut}").as_bytes()).unwrap();
    }
    server.is_well(150);
}

#[test]
fn manifests() {
    let server = Server::start();
    let config = b"{}";
    server.blob("cut/manifest", config).is(201);
    let bytes = manifest_of(config, "");
    let path = "/v2/cut/manifest/manifests/v1";
    let put = || request(&server, "PUT", path, &[("Content-Type", MANIFEST)], &bytes);
    let answer = cut_everywhere(&server, put, |end| {
        if end % 64 == 0 {
            assert_eq!(server.ask("HEAD", path, &[], b"").status, 404, "cut after {end} bytes");
        }
    });
    answer.is(201);
    assert_eq!(server.ask("GET", path, &[("Accept", MANIFEST)], b"").is(200).body, bytes);
    server.is_well(150);
}
