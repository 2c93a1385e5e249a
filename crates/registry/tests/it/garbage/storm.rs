//! Thousands of pushes, mounts, deletions and pulls while garbage is collected that has no grace at all.
//!
//! Whatever was acknowledged and not deleted must be whole all the time; at the end the disk holds exactly what is
//! referenced.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use axum::http::StatusCode;
use boltseal_model::Digest;

use super::{files, job};
use crate::world::{OCI_MANIFEST, World};

const PUSHERS: u64 = 24;
const PUSHES: u64 = 50;
/// Layers that many images share.
const SHARED: u64 = 12;
/// Tries of one push; with no grace, a collection may come between any two of its requests.
const TRIES: usize = 60;
const CONFIG: &[u8] = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_else_stays() {
    let world = Arc::new(World::new().await);
    world.facts.set_trash_days(0).await.unwrap();
    let (over, retries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let collecting = tokio::spawn({
        let (world, over) = (Arc::clone(&world), Arc::clone(&over));
        async move {
            let (mut runs, mut bytes) = (0_u64, 0);
            while !over.load(Ordering::SeqCst) {
                let deep = runs % 3 == 2;
                bytes += job(&world.facts, "collect", &format!(r#"{{"grace":0,"deep":{deep}}}"#)).await.done;
                runs += 1;
            }
            (runs, bytes)
        }
    });
    let pushers = (0..PUSHERS).map(|pusher| {
        let (world, retries) = (Arc::clone(&world), Arc::clone(&retries));
        tokio::spawn(async move {
            Pusher { world, retries, random: Random(pusher * 7919 + 1), number: pusher }.run().await
        })
    });
    let mut kept = Vec::new();
    for pusher in pushers.collect::<Vec<_>>() {
        kept.extend(pusher.await.unwrap());
    }
    over.store(true, Ordering::SeqCst);
    let (runs, bytes) = collecting.await.unwrap();
    println!(
        "{runs} collections freed {bytes} bytes; {} pushes were told to bring blobs again",
        retries.load(Ordering::SeqCst)
    );
    assert!(bytes > 0, "nothing was collected meanwhile: the test means nothing");

    for image in &kept {
        pull(&world, image).await;
    }
    job(&world.facts, "collect", r#"{"grace":0,"deep":true}"#).await;
    let mut wanted = BTreeSet::new();
    for image in &kept {
        pull(&world, image).await;
        wanted.insert(Digest::of(image.manifest.as_bytes()).hex());
        wanted.extend(image.blobs().map(|blob| Digest::of(&blob).hex()));
    }
    assert_eq!(files(&world, "blobs/sha256"), wanted, "the disk holds what is referenced, and nothing else");
    assert_eq!(files(&world, "uploads"), BTreeSet::new());
}

struct Image {
    repository: String,
    layers: [Vec<u8>; 2],
    manifest: String,
}

impl Image {
    fn blobs(&self) -> impl Iterator<Item = Vec<u8>> {
        self.layers.clone().into_iter().chain([CONFIG.to_vec()])
    }
}

struct Pusher {
    world: Arc<World>,
    retries: Arc<AtomicU64>,
    random: Random,
    number: u64,
}

impl Pusher {
    /// Gives the images that nobody deleted.
    async fn run(mut self) -> Vec<Image> {
        let mut kept: Vec<Image> = Vec::new();
        for push in 0..PUSHES {
            // An image is judged, which takes longer than the life of one that is to be deleted.
            let short_lived = self.random.below(2) == 0;
            let image = self.image(push, short_lived);
            self.push(&image).await;
            if short_lived {
                let path =
                    format!("/v2/{}/manifests/{}", image.repository, Digest::of(image.manifest.as_bytes()));
                let reply = self.world.call("DELETE", &path, &[], "").await;
                assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text());
            } else {
                kept.push(image);
            }
            if !kept.is_empty() && self.random.below(3) == 0 {
                let one = usize::try_from(self.random.below(kept.len() as u64)).unwrap();
                pull(&self.world, &kept[one]).await;
            }
        }
        kept
    }

    fn image(&mut self, push: u64, short_lived: bool) -> Image {
        let shared = format!("shared layer {}", self.random.below(SHARED)).into_bytes();
        let own = format!("layer {} of {}", push, self.number).into_bytes();
        let kind =
            if short_lived { "application/vnd.test" } else { "application/vnd.oci.image.config.v1+json" };
        let descriptor = |kind: &str, bytes: &[u8]| serde_json::json!({ "mediaType": kind, "digest": Digest::of(bytes), "size": bytes.len() });
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(kind, CONFIG),
            "layers": [descriptor(layer, &shared), descriptor(layer, &own)],
            "annotations": { "judge": "allow" },
        });
        let repository = format!("storm/{}", self.random.below(6));
        Image { repository, layers: [shared, own], manifest: manifest.to_string() }
    }

    async fn push(&mut self, image: &Image) {
        let tag = format!("t{}", self.number);
        for _ in 0..TRIES {
            for blob in image.blobs() {
                self.bring(&image.repository, &blob).await;
            }
            let reply = self.world.put_manifest(&image.repository, &tag, &image.manifest).await;
            if reply.status == StatusCode::CREATED {
                return;
            }
            assert_eq!(reply.code(), "MANIFEST_BLOB_UNKNOWN", "{}", reply.text());
            self.retries.fetch_add(1, Ordering::SeqCst);
        }
        panic!("{TRIES} tries of one push came to nothing");
    }

    /// As clients do: not at all when it is there, from elsewhere when that has it, else whole or in a session.
    async fn bring(&mut self, repository: &str, blob: &[u8]) {
        let digest = Digest::of(blob);
        let head = self.world.call("HEAD", &format!("/v2/{repository}/blobs/{digest}"), &[], "").await;
        if head.status == StatusCode::OK {
            return;
        }
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let start = match self.random.below(3) {
            0 => format!("{uploads}?mount={digest}&from=storm/{}", self.random.below(6)),
            1 => format!("{uploads}?digest={digest}"),
            _ => uploads,
        };
        let body = if start.contains("?digest") { blob.to_vec() } else { Vec::new() };
        let reply = self.world.call("POST", &start, &[], body).await;
        if reply.status == StatusCode::CREATED {
            return;
        }
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text());
        let session = reply.header("location").to_owned();
        let (first, second) = blob.split_at(blob.len() / 2);
        let reply = self.world.call("PATCH", &session, &[], first.to_vec()).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text());
        let reply = self.world.call("PUT", &format!("{session}?digest={digest}"), &[], second.to_vec()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    }
}

async fn pull(world: &World, image: &Image) {
    let digest = Digest::of(image.manifest.as_bytes());
    let path = format!("/v2/{}/manifests/{digest}", image.repository);
    for attempt in 0.. {
        let reply = world.get(&path).await;
        if reply.status == StatusCode::FORBIDDEN && attempt < 20 {
            continue; // being judged; the gate has waited
        }
        assert_eq!(reply.status, StatusCode::OK, "{digest}: {}", reply.text());
        assert_eq!(reply.text(), image.manifest);
        break;
    }
    for blob in image.blobs() {
        let reply = world.get(&format!("/v2/{}/blobs/{}", image.repository, Digest::of(&blob))).await;
        assert_eq!(reply.status, StatusCode::OK, "a blob of {digest}: {}", reply.text());
        assert_eq!(reply.body, blob);
    }
}

/// xorshift64: repeatable, which is all a test needs.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
