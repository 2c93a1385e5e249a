//! Two real servers on one PostgreSQL and one bucket: either takes any request, and when one is killed in the middle of
//! pushes, nothing that was acknowledged is lost and the other goes on.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, atomic::AtomicU64},
    thread,
    time::{Duration, Instant},
};

use boltseal_testkit::{S3, postgres};
use boltseal_wire::client::Method;

use crate::{
    binary::User,
    crash::{Server, image},
    service::{PATIENCE, Service},
};

/// What two servers share.
struct Shared {
    database: String,
    bucket: S3,
    keys: tempfile::TempDir,
}

impl Shared {
    fn new() -> Option<Self> {
        let (database, bucket) = (postgres()?.database(), S3::start()?);
        Some(Self { database, bucket, keys: tempfile::tempdir().unwrap() })
    }

    /// One server, with a data folder of its own.
    fn serve(&self, user: &User, secret: &mut Option<String>) -> Server {
        fs::create_dir_all(user.data()).unwrap();
        fs::write(user.data().join("policy.yaml"), "version: 1\nname: replicas\nrules: []\n").unwrap();
        let keys = self.keys.path().to_string_lossy().into_owned();
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0", "--keys", &keys];
        let mut command = user.command(&fixed);
        command.env("BOLTSEAL_DATABASE", &self.database).env("BOLTSEAL_BLOBS", self.bucket.address());
        command.envs(self.bucket.environment());
        Server::over(Service::run(user, command), secret)
    }
}

#[test]
fn two_servers_are_one_registry_and_one_may_die() {
    let Some(shared) = Shared::new() else { return };
    let (one, two) = (User::new(), User::new());
    let mut secret = None;
    let first = shared.serve(&one, &mut secret);
    let second = shared.serve(&two, &mut secret);

    // Pushes to both at once; the first dies in the middle, the second soon afterwards.
    let (next, pushed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for server in [&first, &first, &second, &second] {
            scope.spawn(|| server.push_until_dead(&next, &pushed));
        }
        thread::sleep(Duration::from_secs(3));
        first.service.signal("KILL");
        thread::sleep(Duration::from_secs(1));
        second.service.signal("KILL");
    });
    drop(first);
    drop(second);
    let pushed: BTreeMap<u64, bool> = pushed.into_inner().unwrap().into_iter().collect();
    let acknowledged = pushed.values().filter(|answered| **answered).count();
    println!("{acknowledged} acknowledged, {} cut off", pushed.len() - acknowledged);
    assert!(acknowledged > 10, "too few pushes ended for the test to mean anything");

    // Both come back; each serves what either acknowledged, and what was cut off is whole or absent.
    let servers = [shared.serve(&one, &mut secret), shared.serve(&two, &mut secret)];
    for (number, answered) in &pushed {
        for server in &servers {
            judged(server, *number);
            let found = server.pull(*number);
            assert!(found || !answered, "image {number} was acknowledged and is gone");
        }
    }
    let [first, second] = servers;
    changes_are_seen_at_once(&first, &second);
    let secret = secret.unwrap();
    log_is_whole(&shared, &one, &first, &secret);
    first.service.stop();
    log_is_whole(&shared, &two, &second, &secret);
    second.service.stop();
}

/// Waits until an image is judged: what a killed server was judging is taken over when its claim ends.
fn judged(server: &Server, number: u64) {
    let until = Instant::now() + 4 * PATIENCE;
    while server.status(&format!("/v2/crash/{number}/manifests/latest")) == Some(403) {
        assert!(Instant::now() < until, "image {number} is not judged");
        thread::sleep(Duration::from_millis(200));
    }
}

/// What one server deletes or moves, the other does not go on serving from memory.
fn changes_are_seen_at_once(first: &Server, second: &Server) {
    let image = image(1_000_000);
    for (digest, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
        let path = format!("/v2/shared/blobs/uploads/?digest={digest}");
        assert_eq!(first.send(Method::Post, &path, "application/octet-stream", bytes), Some(201));
    }
    for round in 0..20 {
        let path = format!("/v2/shared/manifests/t{round}");
        assert_eq!(first.send(Method::Put, &path, image.media_type, image.manifest_bytes()), Some(201));
        assert_eq!(
            second.status(&path),
            Some(200),
            "round {round}: pushed to the first, absent at the second"
        );
        assert_eq!(second.send(Method::Delete, &path, "text/plain", b""), Some(202));
        assert_eq!(
            first.status(&path),
            Some(404),
            "round {round}: deleted at the second, served by the first"
        );
    }
}

/// The log verifies from its first entry, as this server shows it.
fn log_is_whole(shared: &Shared, user: &User, server: &Server, secret: &str) {
    let ca = shared.keys.path().join("tls/ca.pem").to_string_lossy().into_owned();
    let login = ["login", &server.service.https, "--ca", &ca, "--name", "admin", "--secret-stdin"];
    user.feed(&login, &format!("{secret}\n")).ended(0);
    user.run(&["audit", "verify"]).ended(0);
}
