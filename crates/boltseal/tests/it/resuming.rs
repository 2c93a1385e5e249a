//! The real server and Debian's registry: a mirror that was killed goes on where it was, and damaged bytes come again.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use boltseal_api::{
    client::Client,
    storage::{Job, Storage},
};
use boltseal_model::Digest;
use boltseal_testkit::{
    Distribution,
    image::{Built, Image, Layer},
};
use boltseal_wire::client::{self as http, Method, Options, Payload, Request};

use crate::{
    binary::User,
    crash::Server,
    login::as_admin,
    service::{PATIENCE, Service},
};

/// So many that a run takes some seconds: how far it is is told once in a second.
const TAGS: usize = 250;

/// A registry elsewhere, and what is pushed into it.
struct There {
    registry: Distribution,
    client: http::Client,
}

impl There {
    fn start() -> Option<Self> {
        let client = http::Client::new(&Options { total: PATIENCE, ..Options::default() }).unwrap();
        Some(Self { registry: Distribution::start(false)?, client })
    }

    fn send(&self, method: Method, url: &str, kind: &str, bytes: &[u8]) -> http::Response {
        let request = Request::new(method, url).unwrap().header("Content-Type", kind);
        self.client.send(request.payload(Payload::Bytes(bytes))).unwrap()
    }

    fn push_blobs(&self, image: &Built) {
        let base = format!("http://{}/v2/app", self.registry.address());
        for (digest, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
            let started = self.send(Method::Post, &format!("{base}/blobs/uploads/"), "text/plain", b"");
            let place = started.header("location").unwrap();
            let finish = format!("{place}&digest={digest}");
            let kind = "application/octet-stream";
            assert_eq!(self.send(Method::Put, &finish, kind, bytes).status(), 201);
        }
    }

    fn put(&self, tag: &str, kind: &str, manifest: &[u8]) {
        let url = format!("http://{}/v2/app/manifests/{tag}", self.registry.address());
        assert_eq!(self.send(Method::Put, &url, kind, manifest).status(), 201, "{tag}");
    }
}

fn image() -> Built {
    Image::new().layer(Layer::new().file("etc/os-release", "ID=alpine\n")).build()
}

fn start(user: &User, secret: &mut Option<String>) -> (Server, Client) {
    let server = Server::over(Service::start(user, &[]), secret);
    let api = server.service.api(user.data().join("tls/ca.pem"), secret.as_deref().unwrap());
    (server, api)
}

#[test]
fn a_mirror_that_was_killed_goes_on_where_it_was() {
    let Some(there) = There::start() else { return };
    let image = image();
    there.push_blobs(&image);
    for number in 0..TAGS {
        let mut manifest: serde_json::Value = serde_json::from_slice(image.manifest_bytes()).unwrap();
        manifest["annotations"] = serde_json::json!({ "number": number.to_string() });
        there.put(&format!("t{number}"), image.media_type, manifest.to_string().as_bytes());
    }
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", "version: 1\nname: lenient\nrules: []\n");
    let mut secret = None;
    let (server, api) = start(&user, &mut secret);
    let mirror = serde_json::json!({
        "name": "m", "host": there.registry.address(), "repositories": ["app"], "destination": "copies",
    });
    let _: serde_json::Value = api.post("/api/v1/mirrors", &mirror).unwrap();
    let asked: serde_json::Value = api.post("/api/v1/mirrors/m/runs", &serde_json::json!({})).unwrap();
    let asked = format!("/api/v1/jobs/{}", asked["id"].as_str().unwrap());
    // `app:t193, 57 of 250`: with what is told comes where to go on.
    let until = Instant::now() + 2 * PATIENCE;
    let killed_at = loop {
        let job: Job = api.get(&asked).unwrap();
        assert!(!job.is_over() && Instant::now() < until, "there was nothing to kill: {job:?}");
        let message = job.message.unwrap_or_default();
        let at = message.rsplit_once(", ").and_then(|(_, place)| place.split_once(" of "));
        if let Some(at) = at.and_then(|(at, _)| at.parse::<usize>().ok()).filter(|at| *at > 5) {
            break at;
        }
        thread::sleep(Duration::from_millis(10));
    };
    server.service.signal("KILL");
    drop(server);

    let (server, api) = start(&user, &mut secret);
    let until = Instant::now() + 2 * PATIENCE;
    let done = loop {
        let job: Job = api.get(&asked).unwrap();
        if job.is_over() {
            break job;
        }
        assert!(Instant::now() < until, "{job:?}");
        thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(done.state, "done", "{done:?}");
    let message = done.message.unwrap();
    println!("killed at {killed_at} of {TAGS}; after that: {message}");
    let tags: usize = message.split_once(" tags").unwrap().0.parse().unwrap();
    assert_eq!(tags, TAGS + 1 - killed_at, "those that were told of are not looked at again: {message}");
    for number in 0..TAGS {
        let path = format!("/v2/copies/app/manifests/t{number}");
        assert!(matches!(server.status(&path), Some(200 | 403)), "t{number} is here, or being judged");
    }
    server.service.stop();
}

#[test]
fn what_rots_comes_again_from_where_it_came_from() {
    let Some(there) = There::start() else { return };
    let built = image();
    there.push_blobs(&built);
    there.put("v1", built.media_type, built.manifest_bytes());
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", "version: 1\nname: lenient\nrules: []\n");
    let mut secret = None;
    let (server, api) = start(&user, &mut secret);
    as_admin(&user, &server.service);
    user.run(&["registry", "upstream", "add", "hub", "--host", there.registry.address()]).ended(0);
    let until = Instant::now() + PATIENCE;
    while server.status("/v2/hub/app/manifests/v1") != Some(200) {
        assert!(Instant::now() < until, "the image does not come");
        thread::sleep(Duration::from_millis(100));
    }
    let mine = b"pushed here, and nowhere else".to_vec();
    let upload = format!("/v2/mine/blobs/uploads/?digest={}", Digest::of(&mine));
    assert_eq!(server.send(Method::Post, &upload, "application/octet-stream", &mine), Some(201));

    let layer = built.layers()[0].clone();
    for digest in [&layer, &built.manifest, &Digest::of(&mine)] {
        let path = user.data().join("blobs/sha256").join(digest.hex());
        let mut bytes = fs::read(&path).unwrap();
        bytes[7] ^= 4;
        fs::write(path, bytes).unwrap();
    }
    user.run(&["registry", "scrub", "--days", "0", "--follow"])
        .ended(0)
        .said(&["3 damaged, 2 of them repaired: push the others again"]);
    let jobs = user.run(&["registry", "jobs", "--kind", "scrub", "--format", "json"]).ended(0);
    jobs.said(&["3 damaged, 2 of them repaired"]);
    for (kind, digest) in [("manifests", &built.manifest), ("blobs", &layer)] {
        let answer = server.get(&format!("/v2/hub/app/{kind}/{digest}")).unwrap();
        assert_eq!(answer.status(), 200, "{kind}");
        assert_eq!(answer.bytes(1 << 20).unwrap()[..], built.blobs[digest][..], "{kind}");
    }
    assert_eq!(server.status(&format!("/v2/mine/blobs/{}", Digest::of(&mine))), Some(404), "nobody has it");
    let storage: Storage = api.get("/api/v1/storage").unwrap();
    assert_eq!(storage.rotten.len(), 1, "{storage:?}");
    let log = user.run(&["audit", "log", "--format", "json", "-n", "1000"]).ended(0);
    let again = format!("damaged bytes were brought again from {}/app", there.registry.address());
    assert_eq!(log.out.matches(again.as_str()).count(), 2, "each repair is in the log: {}", log.out);
    server.service.stop();
}
