//! Two real servers on one PostgreSQL and one bucket: either takes any request, and when one is killed in the middle of
//! pushes, nothing that was acknowledged is lost and the other goes on.

mod policies;
mod seen;
mod takeover;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, atomic::AtomicU64},
    thread,
    time::{Duration, Instant},
};

use boltseal_testkit::{S3, postgres};

use crate::{
    binary::User,
    crash::Server,
    service::{PATIENCE, Service},
};

/// What two servers share.
pub struct Shared {
    database: String,
    bucket: S3,
    keys: tempfile::TempDir,
}

impl Shared {
    pub fn new() -> Option<Self> {
        let (database, bucket) = (postgres()?.database(), S3::start()?);
        Some(Self { database, bucket, keys: tempfile::tempdir().unwrap() })
    }

    /// One server, with a data folder of its own.
    pub fn serve(&self, user: &User, secret: &mut Option<String>) -> Server {
        fs::create_dir_all(user.data()).unwrap();
        fs::write(user.data().join("policy.yaml"), "version: 1\nname: replicas\nrules: []\n").unwrap();
        let keys = self.keys.path().to_string_lossy().into_owned();
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0", "--keys", &keys];
        let mut command = user.command(&fixed);
        command.env("BOLTSEAL_DATABASE", &self.database).env("BOLTSEAL_BLOBS", self.bucket.address());
        command.envs(self.bucket.environment());
        Server::over(Service::run(user, command), secret)
    }

    /// Whom the certificates of all are from.
    pub fn authority(&self) -> PathBuf {
        self.keys.path().join("tls/ca.pem")
    }

    fn log_in(&self, user: &User, server: &Server, secret: &str) {
        let ca = self.authority().to_string_lossy().into_owned();
        let login = ["login", &server.service.https, "--ca", &ca, "--name", "admin", "--secret-stdin"];
        user.feed(&login, &format!("{secret}\n")).ended(0);
    }

    /// The log verifies from its first entry, as this server shows it.
    fn log_is_whole(&self, user: &User, server: &Server, secret: &str) {
        self.log_in(user, server, secret);
        user.run(&["audit", "verify"]).ended(0);
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
        // On a busy machine pushes end late.
        let began = Instant::now();
        let ended = || pushed.lock().unwrap().iter().filter(|(_, answered)| *answered).count();
        while began.elapsed() < Duration::from_secs(3) || (ended() <= 10 && began.elapsed() < PATIENCE) {
            thread::sleep(Duration::from_millis(50));
        }
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
    let secret = secret.unwrap();
    shared.log_in(&two, &second, &secret);
    seen::changes_are_seen_at_once(&first, &second, &two);
    shared.log_is_whole(&one, &first, &secret);
    first.service.stop();
    shared.log_is_whole(&two, &second, &secret);
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
