//! Starting, stopping, and changes while it runs.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use boltseal_model::Digest;

use crate::{
    binary::User,
    fixtures::{EXPLOITED, alpine, current_feeds, layout},
    service::{PATIENCE, Service, Skopeo},
};

/// Allows everything that was looked at.
const LENIENT: &str =
    "version: 1\nname: lenient\nrules:\n  - name: unscanned\n    effect: unknown\n    unscanned: true\n";

#[test]
fn the_secret_is_shown_once_and_the_folder_is_locked() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    assert_eq!(service.printed("name").as_deref(), Some("admin"));
    assert!(service.printed("secret").is_some_and(|secret| secret.len() > 40));
    let link = service.printed("sign in").unwrap();
    assert!(link.starts_with(&format!("https://{}/sign-in?code=", service.https)), "{link}");
    assert!(!service.log().contains(&service.printed("secret").unwrap()), "the secret is in the log");

    let second = ["up", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"];
    user.run(&second).ended(4).complained(&["another boltseal is running"]);
    let taken = ["up", "--data", "other", "--registry-listen", "127.0.0.1:0", "--listen", &service.https];
    user.run(&taken).ended(4).complained(&["cannot listen on", "--listen"]);
    service.stop();

    let service = Service::start(&user, &[]);
    assert_eq!(service.out(), "", "a later start printed something");
    service.stop();
    let service = Service::start(&user, &["--sign-in-link"]);
    assert!(service.printed("secret").is_none() && service.printed("sign in").is_some());
    service.signal("INT");
}

#[test]
fn strangers_stay_outside() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    let answer = request(&service.registry, "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &[]);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("www-authenticate: "), "{answer}");
    service.stop();
}

#[test]
fn what_runs_is_finished_before_the_end() {
    let user = User::new();
    let mut service = Service::start(&user, &[]);
    let basic = BASE64_STANDARD.encode(format!("admin:{}", service.printed("secret").unwrap()));
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n{more}\r\n")
    };
    let blob = vec![7; 100_000];

    let post = head("POST /v2/app/blobs/uploads/", "Content-Length: 0\r\nConnection: close\r\n");
    let answer = request(&service.registry, &post, &[]);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let location = answer
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(str::to_owned));
    let location = location.expect("a place to upload to");
    let path = location.find("/v2/").map(|at| location[at..].trim().to_owned()).unwrap();
    let and = if path.contains('?') { '&' } else { '?' };
    let put = head(&format!("PUT {path}{and}digest={}", Digest::of(&blob)), "Content-Length: 100000\r\n");

    let mut stream = TcpStream::connect(&service.registry).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(put.as_bytes()).unwrap();
    stream.write_all(&blob[..50_000]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    service.signal("TERM");
    service.wait_for("stopping");
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(&service.registry).is_err(), "a new connection was taken");
    stream.write_all(&blob[50_000..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(service.ended(), Some(0));
}

#[test]
fn new_feeds_and_rules_count_without_a_restart() {
    let user = User::new();
    let mut service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    skopeo.push(&layout(&user, "image", &alpine("1.36.1-r0")), "app:1");
    let answer = skopeo.pull_until("app:1", "a", Result::is_err).unwrap_err();
    assert!(answer.contains("denied") && answer.contains("feeds"), "{answer}");

    current_feeds(&user);
    service.wait_for("judged again why=\"new feeds\"");
    let answer = skopeo.pull("app:1", "b").unwrap_err();
    assert!(answer.contains(EXPLOITED) && answer.contains("known-exploited"), "{answer}");
    assert!(answer.contains("apk add"), "no way to fix it: {answer}");

    std::fs::write(user.data().join("policy.yaml"), "rules: nonsense").unwrap();
    service.wait_for("the old one stays in use");
    assert!(skopeo.pull("app:1", "c").is_err());

    std::fs::write(user.data().join("policy.yaml"), LENIENT).unwrap();
    service.wait_for("judged again why=\"new policy\"");
    skopeo.pull("app:1", "d").unwrap();

    std::fs::write(user.data().join("feeds/snapshot"), b"broken").unwrap();
    service.signal("HUP");
    service.wait_for("the old ones stay in use");
    skopeo.pull("app:1", "e").unwrap();
    service.stop();
}

/// Sends `head` and `body`, and reads the answer to its end.
fn request(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
