//! A disk that takes nothing for a while: a frozen file system. Writers wait; whoever only reads is served meanwhile, unless
//! something was committed since the last reader: then the first reader waits too, and is told to come again.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use boltseal_model::Digest;
use boltseal_testkit::peer;

use super::{
    BYTES, Server,
    disk::{unshare, up},
    manifest_of, noise,
};
use crate::{
    binary::User,
    service::{PATIENCE, Service},
};

/// A file system that takes no writes until this is dropped.
struct Frozen(PathBuf);

impl Frozen {
    fn new(path: &Path) -> Self {
        assert!(Command::new("fsfreeze").arg("-f").arg(path).status().unwrap().success());
        Self(path.to_owned())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        assert!(Command::new("fsfreeze").arg("-u").arg(&self.0).status().unwrap().success());
    }
}

/// A file system in a file, that can be mounted and frozen here; `None`, with a word, where that is not allowed.
fn image(user: &User) -> Option<PathBuf> {
    let (make, freeze) = (peer("mkfs.ext4")?, peer("fsfreeze")?);
    let image = user.home().join("disk");
    std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
    assert!(Command::new(make).arg("-q").arg(&image).status().unwrap().success());
    let tried = unshare()?
        .args(["sh", "-ec", "mount -o loop \"$1\" /mnt && \"$2\" -f /mnt && \"$2\" -u /mnt", "sh"])
        .args([&image, &freeze])
        .output()
        .unwrap();
    if !tried.status.success() {
        println!("skipped: no file system can be frozen here: {}", String::from_utf8_lossy(&tried.stderr));
        return None;
    }
    Some(image)
}

#[test]
fn a_disk_that_stalls_keeps_writers_waiting_and_nobody_else() {
    let user = User::new();
    let (Some(image), Some(unshare)) = (image(&user), unshare()) else { return };
    let command = up(unshare, &user, &format!("mount -o loop '{}' \"$1\"", image.display()));
    let service = Service::run(&user, command);
    let server = Server::of(user, service);
    let inside = PathBuf::from(format!("/proc/{}/root", server.service.id()));
    let data = inside.join(server.user.data().strip_prefix("/").unwrap());

    let (config, layer) = (b"{}", noise(1, 1 << 20));
    server.blob("slow/app", config).is(201);
    server.blob("slow/app", &layer).is(201);
    let manifest = manifest_of(config, "");
    server.manifest("slow/app", "v1", &manifest).is(201);
    let pull = || server.ask("GET", "/v2/slow/app/manifests/v1", &[], b"");
    let end = Instant::now() + PATIENCE;
    while pull().status != 200 && Instant::now() < end {
        thread::sleep(Duration::from_millis(100));
    }
    // The first pull of a blob is recorded, the next ones by the same are not.
    server.has("slow/app", &layer);
    let session = server.session("slow/app");
    server.ask("PATCH", &session, &[BYTES], &layer).is(202);

    // Readers of SQLite note in a shared page how far they read, once after each commit, and that page is on the disk too:
    // so nothing may be committed between this and the stall. What is counted and sealed later has its time before.
    thread::sleep(Duration::from_secs(3));
    server.ask("GET", "/v2/_catalog", &[], b"").is(200);
    server.ask("GET", "/v2/slow/app/tags/list", &[], b"").is(200);

    let pieces: Vec<Vec<u8>> = (2..34).map(|seed| noise(seed, 300_000)).collect();
    thread::scope(|scope| {
        let frozen = Frozen::new(&data);
        let writers: Vec<_> =
            pieces.iter().map(|piece| scope.spawn(|| server.blob_patiently("slow/app", piece))).collect();
        thread::sleep(Duration::from_secs(1));
        for path in ["/v2/", "/v2/_catalog", "/v2/slow/app/tags/list"] {
            server.ask("GET", path, &[], b"").is(200);
        }
        server.ask("HEAD", "/v2/slow/app/manifests/v1", &[], b"").is(200);
        server.ask("HEAD", &format!("/v2/slow/app/blobs/{}", Digest::of(&layer)), &[], b"").is(200);
        server.has("slow/app", &layer);
        assert!(writers.iter().all(|writer| !writer.is_finished()), "somebody was answered by a frozen disk");
        drop(frozen);
    });
    for piece in &pieces {
        server.has("slow/app", piece);
    }
    let whole = [&layer[..], b"more"].concat();
    server.ask("PUT", &format!("{session}?digest={}", Digest::of(&whole)), &[BYTES], b"more").is(201);
    server.has("slow/app", &whole);
    assert_eq!(pull().is(200).body, manifest);
    server.is_well(250);
    server.service.stop();
}
