//! Kills the real server with SIGKILL at random moments while clients push, and looks at what is left.
//!
//! What must hold after every restart (design, invariant 4): an image whose manifest PUT was answered 201 pulls back byte
//! for byte; a push that was cut off is either wholly there or not there at all; the server starts without repair. At the
//! end the log must verify from its first entry, and hold a record of every acknowledged push and of no other image than
//! those that were pushed.
//!
//! `BOLTSEAL_CRASH_KILLS` sets how often (20 by default, 200 in CI), `BOLTSEAL_CRASH_SEED` repeats a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_testkit::image::{Built, Image, Layer};
use boltseal_wire::client::{Client, Method, Options, Payload, Request, Response};

use crate::{
    binary::User,
    log,
    service::{PATIENCE, Service},
};

const PUSHERS: u64 = 3;
/// Longest life of a server between two kills, milliseconds, where pushes end in some of them.
const LONGEST_LIFE: u64 = 150;
/// The same on a machine so busy that none did.
const LONGEST_OF_ALL: u64 = 10_000;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_pushed_is_seen() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("BOLTSEAL_CRASH_KILLS").unwrap_or(20);
    let seed = number("BOLTSEAL_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("{kills} kills, seed {seed}");
    let user = User::new();
    fs::create_dir_all(user.data()).unwrap();
    fs::write(user.data().join("policy.yaml"), "version: 1\nname: crash\nrules: []\n").unwrap();

    let mut random = Random(seed | 1);
    let next = AtomicU64::new(0);
    let mut acknowledged = BTreeMap::new();
    let mut cut_off = BTreeMap::new();
    let mut secret = None;
    let mut longest = LONGEST_LIFE;
    for kill in 0..kills {
        let server = Server::start(&user, &mut secret);
        let pushed = Mutex::new(Vec::new());
        let life = Duration::from_millis(random.below(longest));
        thread::scope(|scope| {
            for _ in 0..PUSHERS {
                scope.spawn(|| server.push_until_dead(&next, &pushed));
            }
            thread::sleep(life);
            server.service.signal("KILL");
        });
        for (number, answered) in pushed.into_inner().unwrap() {
            if answered {
                acknowledged.insert(number, kill)
            } else {
                cut_off.insert(number, kill)
            };
        }
        // Without pushes that ended there is nothing to lose.
        let too_few = acknowledged.len() as u64 <= kill + 1;
        longest = if too_few { (longest * 2).min(LONGEST_OF_ALL) } else { LONGEST_LIFE };
        drop(server); // reaps it: only then has the kernel let go of the folder's lock
        if kill % 10 == 9 {
            inspect(&Server::start(&user, &mut secret), &acknowledged, &cut_off, kill.saturating_sub(10));
        }
    }
    assert!(
        acknowledged.len() as u64 > kills / 2,
        "too few pushes ended for the test to mean anything: {acknowledged:?}"
    );
    println!("{} acknowledged, {} cut off", acknowledged.len(), cut_off.len());
    let server = Server::start(&user, &mut secret);
    inspect(&server, &acknowledged, &cut_off, 0);
    server.service.stop();
    let pushes = log::pushes(&user.data());
    for number in acknowledged.keys() {
        let digest = &image(*number).manifest;
        assert!(
            pushes.contains(digest),
            "image {number} was acknowledged, but the log has no record of its push"
        );
    }
    let sent: BTreeSet<Digest> =
        acknowledged.keys().chain(cut_off.keys()).map(|number| image(*number).manifest).collect();
    assert!(pushes.is_subset(&sent), "the log has pushes that nobody sent");
}

/// Pulls every image pushed since the `since`th kill.
fn inspect(server: &Server, acknowledged: &BTreeMap<u64, u64>, cut_off: &BTreeMap<u64, u64>, since: u64) {
    for (number, kill) in acknowledged.iter().filter(|(_, kill)| **kill >= since) {
        assert!(server.pull(*number), "image {number}, acknowledged before kill {kill}, is gone");
    }
    for (number, _) in cut_off.iter().filter(|(_, kill)| **kill >= since) {
        server.pull(*number);
    }
}

/// The image with this number; the same every time.
pub fn image(number: u64) -> Built {
    let noise: Vec<u8> = {
        let mut random = Random(number * 2 + 1);
        (0..2_500).flat_map(|_| random.below(u64::MAX).to_le_bytes()).collect()
    };
    Image::new()
        .layer(Layer::new().file("shared", "the same in every image"))
        .layer(Layer::new().file("number", number.to_string()).file("noise", noise))
        .build()
}

/// A running server, and a client that pushes to it and pulls from it.
pub struct Server {
    pub service: Service,
    client: Client,
    base: String,
    authorization: String,
}

impl Server {
    /// Starts it. The secret is printed on the first start only.
    fn start(user: &User, secret: &mut Option<String>) -> Self {
        Self::over(Service::start(user, &[]), secret)
    }

    /// A client of a running service.
    pub fn over(service: Service, secret: &mut Option<String>) -> Self {
        let secret =
            secret.get_or_insert_with(|| service.printed("secret").expect("the first start prints a secret"));
        let credentials = STANDARD.encode(format!("admin:{secret}"));
        Self {
            client: Client::new(&Options { total: PATIENCE, ..Options::default() }).unwrap(),
            base: format!("http://{}", service.registry),
            authorization: format!("Basic {credentials}"),
            service,
        }
    }

    /// Pushes image after image until the server is gone; notes which manifest PUTs were sent and which answered.
    pub fn push_until_dead(&self, next: &AtomicU64, pushed: &Mutex<Vec<(u64, bool)>>) {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let image = image(number);
            for (digest, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
                let path = format!("/v2/{}/blobs/uploads/?digest={digest}", repository(number));
                if !self.sent(Method::Post, &path, "application/octet-stream", bytes) {
                    return;
                }
            }
            let path = format!("/v2/{}/manifests/latest", repository(number));
            let answered = self.sent(Method::Put, &path, image.media_type, image.manifest_bytes());
            pushed.lock().unwrap().push((number, answered));
            if !answered {
                return;
            }
        }
    }

    /// Whether the request was answered 201; any other answer than that or a broken connection is a bug.
    fn sent(&self, method: Method, path: &str, kind: &str, bytes: &[u8]) -> bool {
        let status = self.send(method, path, kind, bytes);
        assert!(matches!(status, None | Some(201)), "{} {path}: {status:?}", method.name());
        status.is_some()
    }

    /// The status of the answer, if there was one.
    pub fn send(&self, method: Method, path: &str, kind: &str, bytes: &[u8]) -> Option<u16> {
        self.send_as(&self.authorization, method, path, kind, bytes)
    }

    /// The same by somebody else.
    pub fn send_as(
        &self,
        authorization: &str,
        method: Method,
        path: &str,
        kind: &str,
        bytes: &[u8],
    ) -> Option<u16> {
        let request = Request::new(method, &format!("{}{path}", self.base))
            .unwrap()
            .header("Authorization", authorization)
            .header("Content-Type", kind)
            .payload(Payload::Bytes(bytes));
        self.client.send(request).ok().map(|answer| answer.status())
    }

    /// The status of a GET.
    pub fn status(&self, path: &str) -> Option<u16> {
        self.get(path).map(|answer| answer.status())
    }

    /// Whether the image is there; if it is, every byte must be.
    pub fn pull(&self, number: u64) -> bool {
        let image = image(number);
        let path = format!("/v2/{}/manifests/latest", repository(number));
        let answer = self.get(&path).expect("a server that lives answers");
        if answer.status() == 404 {
            return false;
        }
        assert_eq!(answer.status(), 200, "GET {path}");
        assert_eq!(answer.bytes(1 << 20).unwrap(), image.manifest_bytes(), "manifest of image {number}");
        for (digest, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
            let answer = self.get(&format!("/v2/{}/blobs/{digest}", repository(number))).unwrap();
            assert_eq!(answer.status(), 200, "blob {digest} of image {number}");
            assert_eq!(&Digest::of(&answer.bytes(1 << 24).unwrap()), digest, "blob of image {number}");
            assert!(!bytes.is_empty());
        }
        true
    }

    pub fn get(&self, path: &str) -> Option<Response> {
        self.get_as(&self.authorization, path)
    }

    /// The same by somebody else.
    pub fn get_as(&self, authorization: &str, path: &str) -> Option<Response> {
        let request = Request::new(Method::Get, &format!("{}{path}", self.base))
            .unwrap()
            .header("Authorization", authorization)
            .header("Accept", "application/vnd.oci.image.manifest.v1+json");
        self.client.send(request).ok()
    }
}

fn repository(number: u64) -> String {
    format!("crash/{number}")
}

/// xorshift64: repeatable, which is all a test needs.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
