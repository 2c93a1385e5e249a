//! `boltseal feeds keygen|publish|pull`: through a folder, a web server, and a registry.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    thread,
};

use crate::{
    binary::{Ran, User},
    login::as_admin,
    service::Service,
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";

fn record(number: u32) -> String {
    format!(
        r#"{{"id":"PYSEC-2026-{number}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-{number}"],"affected":[{{"package":{{"ecosystem":"PyPI","name":"demo"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{number}"}}]}}]}}]}}"#
    ) + "\n"
}

/// A publisher with feeds and a key.
fn publisher() -> User {
    let user = User::new();
    let records = user.write("records.jsonl", (1..40).map(record).collect::<String>());
    user.run(&["feeds", "import", &records]).ended(0);
    let made = user.run(&["feeds", "keygen", "feeds.example.com", "feeds.key"]).ended(0);
    user.write("feeds.pub", made.out);
    user
}

/// Serves the files below `folder`; its address.
fn web(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mirror", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked = lines.next().unwrap_or_default();
            let path =
                asked.split(' ').nth(1).and_then(|path| path.strip_prefix("/mirror/")).map(str::to_owned);
            lines.find(String::is_empty);
            let found = path.and_then(|path| std::fs::read(folder.join(path)).ok());
            let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
            let body = found.unwrap_or_default();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    address
}

/// Pulls into the data folder `data`.
fn pull(user: &User, data: &str, from: &str, key: &str) -> Ran {
    user.run(&["--data", data, "feeds", "pull", from, "--key", key])
}

#[test]
fn through_a_folder_and_a_web_server() {
    let user = publisher();
    user.run(&["feeds", "keygen", "feeds.example.com", "feeds.key"]).ended(2);
    user.run(&["feeds", "publish", "published", "--key", "feeds.key"]).ended(0).said(&["1 of 1 chunks new"]);
    let status = user.run(&["feeds", "status"]).ended(0).out;
    let snapshot = status.split_whitespace().nth(1).unwrap().to_owned();

    pull(&user, "one", "published", "feeds.pub").ended(0).said(&["1 of 1 chunks fetched", &snapshot]);
    pull(&user, "one", "published", "feeds.pub").ended(0).said(&["0 of 1", "in use already"]);
    let address = web(user.home().join("published"));
    pull(&user, "two", &address, "feeds.pub").ended(0).said(&[&snapshot]);
    pull(&user, "two", &format!("{address}/nothing"), "feeds.pub").ended(3).complained(&["404"]);

    let other = user.run(&["feeds", "keygen", "feeds.example.com", "other.key"]).ended(0).out;
    pull(&user, "three", "published", other.trim()).ended(3).complained(&["key"]);
    pull(&user, "three", "published", "no-such-file").ended(2);
    // A second key may be given while one is replaced by the other.
    let keys = ["feeds", "pull", "published", "--key", other.trim(), "--key", "feeds.pub", "--data", "three"];
    user.run(&keys).ended(0);
}

#[test]
fn through_a_registry() {
    let user = publisher();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let place = format!("oci://{}/boltseal/feeds:latest", service.https);
    let publish = || user.run(&["feeds", "publish", &place, "--key", "feeds.key"]).ended(0);
    publish().said(&["1 of 1 chunks new"]);
    pull(&user, "client", &place, "feeds.pub").ended(0).said(&["1 of 1 chunks fetched"]);
    let more = user.write("more.jsonl", (40..60).map(record).collect::<String>());
    user.run(&["feeds", "import", &more]).ended(0);
    publish();
    let pulled = pull(&user, "client", &place, "feeds.pub").ended(0);
    assert!(!pulled.out.contains(" 0 of"), "{}", pulled.out);
    pull(&user, "client", "oci://localhost:1/x/y", "feeds.pub").ended(3);
}
