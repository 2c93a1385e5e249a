//! Kills the real server while it collects garbage, again and again: nothing needed is lost, and in the end nothing else
//! is left.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::{
    access::Session,
    client::{Client, Server},
    storage::{Job, NewCollection, NewScrub, Storage},
};
use boltseal_model::Digest;
use boltseal_testkit::image::{Built, Image, Layer};
use boltseal_wire::client::{self as http, Method, Options, Payload, Request};

use crate::{
    binary::User,
    service::{PATIENCE, Service},
};

const KILLS: u64 = 6;
/// Blobs without a manifest that each life of the server brings.
const LITTER: u64 = 150;

#[test]
fn a_collection_that_was_killed_is_gone_on_with_and_loses_nothing() {
    let user = User::new();
    std::fs::create_dir_all(user.data()).unwrap();
    std::fs::write(user.data().join("policy.yaml"), "version: 1\nname: garbage\nrules: []\n").unwrap();
    let mut secret = None;
    let mut kept = Vec::new();
    for kill in 0..KILLS {
        let running = Running::start(&user, &mut secret);
        let image = image(kill);
        running.push_image(&format!("kept/{kill}"), &image);
        kept.push((format!("kept/{kill}"), image));
        for number in 0..LITTER {
            running.push("litter", format!("litter {kill} {number}").as_bytes());
        }
        let job: Job = running.api().post("/api/v1/garbage/collections", &now(false)).unwrap();
        // At another place each time: before it begins, in the middle, after its end.
        let stop_at = LITTER * kill / KILLS;
        let until = Instant::now() + PATIENCE;
        while files(&user).len() as u64 > LITTER - stop_at && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
            let job: Job = running.api().get(&format!("/api/v1/jobs/{}", job.id)).unwrap();
            if job.is_over() {
                break;
            }
        }
        running.service.signal("KILL");
        drop(running);
    }
    let running = Running::start(&user, &mut secret);
    let done = running.done(running.api().post("/api/v1/garbage/collections", &now(true)).unwrap());
    println!("{}", done.message.unwrap_or_default());
    let mut wanted = BTreeSet::new();
    for (repository, image) in &kept {
        running.pull(repository, image);
        wanted.extend(image.blobs.keys().map(boltseal_model::Digest::hex));
    }
    assert_eq!(files(&user), wanted, "the disk holds what is referenced, and nothing else");
    let scrubbed =
        running.done(running.api().post("/api/v1/scrubs", &NewScrub { days: Some(0), rate: None }).unwrap());
    assert!(scrubbed.message.unwrap().contains("nothing is damaged"));
    let storage: Storage = running.api().get("/api/v1/storage").unwrap();
    assert_eq!((storage.contents, storage.garbage_bytes), (wanted.len() as u64, 0));
    assert!(storage.disk_free.is_some() && storage.rotten.is_empty());
}

fn now(deep: bool) -> NewCollection {
    NewCollection { grace: Some(0), deep, ..NewCollection::default() }
}

pub fn image(number: u64) -> Built {
    Image::new()
        .layer(Layer::new().file("shared", "the same in every image"))
        .layer(Layer::new().file("number", number.to_string()))
        .build()
}

pub fn files(user: &User) -> BTreeSet<String> {
    let entries = std::fs::read_dir(user.data().join("blobs/sha256")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A running server, and whoever administers it.
pub struct Running {
    pub service: Service,
    client: http::Client,
    authorization: String,
    api: Option<Client>,
}

impl Running {
    /// Starts it. The secret is printed on the first start only.
    fn start(user: &User, secret: &mut Option<String>) -> Self {
        let service = Service::start(user, &[]);
        let secret =
            secret.get_or_insert_with(|| service.printed("secret").expect("the first start prints a secret"));
        let (address, ca) = (format!("https://{}", service.https), Some(user.data().join("tls/ca.pem")));
        let nobody = Server { address: address.clone(), token: None, ca: ca.clone() };
        let login = serde_json::json!({ "name": "admin", "secret": secret });
        let session: Session = Client::new(&nobody).unwrap().post("/api/v1/login", &login).unwrap();
        let api = Client::new(&Server { address, token: Some(session.access_token), ca }).unwrap();
        Self { api: Some(api), ..Self::without_api(service, secret) }
    }

    /// The registry of one that runs.
    pub fn without_api(service: Service, secret: &str) -> Self {
        Self {
            client: http::Client::new(&Options { total: PATIENCE, ..Options::default() }).unwrap(),
            authorization: format!("Basic {}", STANDARD.encode(format!("admin:{secret}"))),
            api: None,
            service,
        }
    }

    fn api(&self) -> &Client {
        self.api.as_ref().unwrap()
    }

    pub fn send(&self, method: Method, path: &str, kind: &str, bytes: &[u8]) -> http::Response {
        let request = Request::new(method, &format!("http://{}{path}", self.service.registry))
            .unwrap()
            .header("Authorization", &self.authorization)
            .header("Accept", "application/vnd.oci.image.manifest.v1+json");
        let request = if method == Method::Get {
            request
        } else {
            request.header("Content-Type", kind).payload(Payload::Bytes(bytes))
        };
        self.client.send(request).unwrap()
    }

    pub fn push(&self, repository: &str, bytes: &[u8]) {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::of(bytes));
        assert_eq!(self.send(Method::Post, &path, "application/octet-stream", bytes).status(), 201);
    }

    pub fn push_image(&self, repository: &str, image: &Built) {
        for (_, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
            self.push(repository, bytes);
        }
        let path = format!("/v2/{repository}/manifests/latest");
        let answer = self.send(Method::Put, &path, image.media_type, image.manifest_bytes());
        assert_eq!(answer.status(), 201);
    }

    pub fn pull(&self, repository: &str, image: &Built) {
        for (digest, bytes) in &image.blobs {
            let kind = if *digest == image.manifest { "manifests" } else { "blobs" };
            let answer = self.send(Method::Get, &format!("/v2/{repository}/{kind}/{digest}"), "", &[]);
            assert_eq!(answer.status(), 200, "{repository} {kind} {digest}");
            assert_eq!(answer.bytes(1 << 24).unwrap()[..], bytes[..]);
        }
    }

    fn done(&self, mut job: Job) -> Job {
        let until = Instant::now() + PATIENCE;
        while !job.is_over() {
            assert!(Instant::now() < until, "{job:?}");
            thread::sleep(Duration::from_millis(50));
            job = self.api().get(&format!("/api/v1/jobs/{}", job.id)).unwrap();
        }
        assert_eq!(job.state, "done", "{job:?}");
        job
    }
}
