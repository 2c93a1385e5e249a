//! Many clients that want little, or nothing, or everything at the same time.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
};

use super::{Answer, BYTES, MANIFEST, Server, manifest_of, noise};

/// As many as `wanted`, where this process may have that many connections open.
fn connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    // The server inherits the limit, and needs files besides connections.
    let possible = (soft / 2).saturating_sub(100);
    if possible < wanted {
        println!("{possible} instead of {wanted} connections: the limit of open files is {soft}");
    }
    wanted.min(possible)
}

#[test]
fn ten_thousand_open_uploads() {
    let server = Server::start();
    let before = server.memory("VmRSS");
    let mut stream = server.connect();
    let post = server.head("POST", "/v2/open/uploads/blobs/uploads/", &[], 0);
    let mut sessions = Vec::new();
    for _ in 0..10_000 {
        stream.write_all(post.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream, "POST").unwrap().is(202);
        sessions.push(answer.header("location").unwrap().to_owned());
    }
    // Some of them have begun.
    for session in sessions.iter().step_by(10) {
        let patch = server.head("PATCH", session, &[BYTES], 3);
        stream.write_all(format!("{patch}abc").as_bytes()).unwrap();
        Answer::read(&mut stream, "PATCH").unwrap().is(202);
    }
    let (after, files) = (server.memory("VmRSS"), open_files(&server));
    println!("{before} MiB before, {after} MiB with 10,000 sessions, {files} open files");
    assert!(after < before + 48, "{before} MiB before, {after} MiB after");
    assert!(files < 200, "{files} open files");
    for session in sessions.iter().step_by(100) {
        server.ask("DELETE", session, &[], b"").is(204);
    }
    server.is_well(200);
}

fn open_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.service.id())).unwrap().count()
}

#[test]
fn half_requests_keep_nobody_waiting() {
    let server = Server::start();
    // More heads than there are connections, and more bodies than there are threads.
    let heads = connections(2_200);
    let silent: Vec<TcpStream> = (0..heads)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: registry.test\r\nX-").unwrap();
            stream
        })
        .collect();
    server.is_well(250);
    drop(silent);
    let stalled: Vec<TcpStream> = (0..connections(600))
        .map(|_| {
            let session = server.session("stalled/uploads");
            let mut stream = server.connect();
            let head = server.head("PATCH", &session, &[BYTES], 1 << 20);
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&[b'x'; 1000])).unwrap();
            stream
        })
        .collect();
    server.is_well(250);
    drop(stalled);
    server.is_well(250);
}

#[test]
fn readers_that_take_nothing() {
    let server = Server::start();
    let layer = noise(1, 8 << 20);
    server.blob("slow/readers", &layer).is(201);
    let path = format!("/v2/slow/readers/blobs/{}", boltseal_model::Digest::of(&layer));
    let before = server.memory("VmRSS");
    let readers: Vec<TcpStream> = (0..connections(400))
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(server.head("GET", &path, &[], 0).as_bytes()).unwrap();
            // Its answer has begun.
            stream.read_exact(&mut [0; 12]).unwrap();
            stream
        })
        .collect();
    let during = server.memory("VmRSS");
    println!("{before} MiB before, {during} MiB with {} readers", readers.len());
    server.is_well(before + 150);
    server.has("slow/readers", &layer);
    drop(readers);
}

#[test]
fn huge_manifests_at_the_same_time() {
    let server = Server::start();
    let before = server.memory("VmRSS");
    server.blob("huge/manifests", b"{}").is(201);
    let filler = "x".repeat(3_900_000);
    let bytes = |number: usize| {
        manifest_of(b"{}", &format!(r#","annotations":{{"number":"{number}","filler":"{filler}"}}"#))
    };
    thread::scope(|scope| {
        for number in 0..48 {
            let (server, bytes) = (&server, &bytes);
            scope.spawn(move || {
                server.manifest("huge/manifests", &format!("v{number}"), &bytes(number)).is(201);
            });
        }
    });
    let most = server.memory("VmHWM");
    println!("{before} MiB before, at most {most} MiB");
    // All of them together would take 800.
    assert!(most < before + 100, "{before} MiB before, {most} MiB at most");
    for number in [0, 21, 47] {
        let path = format!("/v2/huge/manifests/manifests/v{number}");
        assert!(server.ask("GET", &path, &[], b"").is(200).body == bytes(number), "{path}");
    }
    server.is_well(200);
}

#[test]
fn huge_manifests_that_stall() {
    let server = Server::start();
    server.blob("huge/stalled", b"{}").is(201);
    let filler = "x".repeat(3_900_000);
    let huge = manifest_of(b"{}", &format!(r#","annotations":{{"filler":"{filler}"}}"#));
    // Not what the program itself takes, which comes in with the first requests.
    let before = server.memory("RssAnon");
    let stalled: Vec<TcpStream> = (0..connections(600))
        .map(|number| {
            let mut stream = server.connect();
            let path = format!("/v2/huge/stalled/manifests/v{number}");
            let head = server.head("PUT", &path, &[("Content-Type", MANIFEST)], huge.len());
            // Those beyond what waits are refused meanwhile.
            let _refused =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&huge[..100_000]));
            stream
        })
        .collect();
    let refused = server.manifest("huge/stalled", "late", &huge).is(429).says_why();
    assert!(refused.header("retry-after").is_some(), "{}", refused.head);
    server.manifest("huge/stalled", "small", &manifest_of(b"{}", "")).is(201);
    let during = server.memory("RssAnon");
    println!("{before} MiB before, {during} MiB with {} that stall", stalled.len());
    // What came of each waits in the buffer of its connection, some 170 kB; whole ones would be 2.3 GB.
    assert!(during < before + 150, "{before} MiB before, {during} MiB during");
    drop(stalled);
    server.manifest("huge/stalled", "late", &huge).is(201);
    server.is_well(250);
}
