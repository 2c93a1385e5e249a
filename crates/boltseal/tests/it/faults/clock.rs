//! The clock of the wall jumps a year ahead and back while the server runs, and while it does not. Nothing that was
//! acknowledged goes because of it: no blob of a push that is under way, no session, no image, nothing in the trash.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use boltseal_model::Digest;
use boltseal_testkit::{image::Built, skip};
use boltseal_wire::client::Method;

use crate::{
    binary::User,
    collecting::{Running, files, image},
    service::{Service, UP},
};

const BLOB: &str = "application/octet-stream";

/// A server whose clock a file sets.
struct Shifted {
    library: PathBuf,
    user: User,
    secret: Option<String>,
}

impl Shifted {
    /// `None`, with a word, where libfaketime is not installed.
    fn new() -> Option<Self> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.is_file());
        if library.is_none() {
            skip("no libfaketime (Debian: faketime)");
        }
        let this = Self { library: library?, user: User::new(), secret: None };
        fs::create_dir_all(this.user.data()).unwrap();
        this.user.write("policy.yaml", "version: 1\nname: clock\nrules: []\n");
        this.is("+0");
        Some(this)
    }

    /// What the server's clock is ahead from now on.
    fn is(&self, ahead: &str) {
        // In one piece: it is read all the time.
        fs::rename(self.user.write("clock.new", ahead), self.user.home().join("clock")).unwrap();
    }

    fn start(&mut self) -> Running {
        let policy = self.user.home().join("policy.yaml").to_string_lossy().into_owned();
        fs::copy(self.user.home().join("clock"), self.user.home().join("start")).unwrap();
        let service =
            Service::run(&self.user, self.command("clock", &[&UP[..], &["--policy", &policy]].concat()));
        let secret = self
            .secret
            .get_or_insert_with(|| service.printed("secret").expect("the first start prints a secret"));
        Running::without_api(service, secret)
    }

    /// A command whose clock is set by this file.
    fn command(&self, clock: &str, args: &[&str]) -> Command {
        let mut command = self.user.command(args);
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.user.home().join(clock))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        command
    }

    /// What it says, if it ends well. Its clock is as the server's was at the start, or it would not trust a certificate
    /// that was made then.
    #[track_caller]
    fn run(&self, args: &[&str], input: &str) -> String {
        let mut command = self.command("start", args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Signs in anew: sessions of another year have ended.
    fn sign_in(&self, running: &Running) {
        let (address, ca) =
            (format!("https://{}", running.service.https), self.user.data().join("tls/ca.pem"));
        let login = ["login", &address, "--ca", &ca.to_string_lossy(), "--name", "admin", "--secret-stdin"];
        self.run(&login, self.secret.as_ref().unwrap());
    }

    /// Collects garbage as somebody asks for it now.
    fn collect(&self, running: &Running, how: &[&str]) {
        self.sign_in(running);
        let said = self.run(&[&["registry", "gc", "--deep", "--follow"], how].concat(), "");
        println!("{}", said.trim());
    }
}

/// What is under way when the clock jumps.
struct Push {
    repository: String,
    image: Built,
    session: String,
    chunk: Vec<u8>,
}

impl Push {
    /// Its blobs are there and its manifest is not, and a session has begun.
    fn begin(running: &Running, number: u64) -> Self {
        let (repository, image) = (format!("push/{number}"), image(1000 + number));
        for (_, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
            running.push(&repository, bytes);
        }
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = running.send(Method::Post, &path, BLOB, b"");
        assert_eq!(begun.status(), 202);
        let session = begun.header("location").unwrap().to_owned();
        let chunk = format!("the first half of {number}, ").into_bytes();
        assert_eq!(running.send(Method::Patch, &session, BLOB, &chunk).status(), 202);
        Self { repository, image, session, chunk }
    }

    /// Goes on as if nothing had been.
    fn end(self, running: &Running) -> Vec<String> {
        let path = format!("/v2/{}/manifests/latest", self.repository);
        let manifest = self.image.manifest_bytes();
        assert_eq!(running.send(Method::Put, &path, self.image.media_type, manifest).status(), 201);
        let digest = Digest::of(&[&self.chunk[..], b"and the second"].concat());
        let path = format!("{}?digest={digest}", self.session);
        assert_eq!(running.send(Method::Put, &path, BLOB, b"and the second").status(), 201);
        pulled(running, &self.repository, &self.image);
        self.image.blobs.keys().chain([&digest]).map(Digest::hex).collect()
    }
}

/// Waits until it is judged, and pulls all of it.
fn pulled(running: &Running, repository: &str, image: &Built) {
    let path = format!("/v2/{repository}/manifests/{}", image.manifest);
    for _ in 0..600 {
        if running.send(Method::Get, &path, "", b"").status() != 403 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    running.pull(repository, image);
}

#[test]
fn jumps_of_a_year_delete_nothing() {
    let Some(mut shifted) = Shifted::new() else { return };
    let mut running = shifted.start();
    let kept = image(1);
    running.push_image("kept", &kept);
    pulled(&running, "kept", &kept);
    shifted.sign_in(&running);
    shifted.run(&["registry", "trash", "--days", "30"], "");
    let trashed = image(2);
    running.push_image("trash", &trashed);
    let path = format!("/v2/trash/manifests/{}", trashed.manifest);
    assert_eq!(running.send(Method::Delete, &path, "", b"").status(), 202);

    let mut wanted: Vec<String> = kept.blobs.keys().chain(trashed.blobs.keys()).map(Digest::hex).collect();
    // Ahead, back, before the start, ahead again: each while a push is under way.
    for (number, ahead) in (0..).zip(["+365d", "+0", "-365d", "+0", "+365d"]) {
        let push = Push::begin(&running, number);
        shifted.is(ahead);
        shifted.collect(&running, &[]);
        wanted.extend(push.end(&running));
        pulled(&running, "kept", &kept);
    }
    // And while the server is away. The first thing that a server does is to empty the trash of what is over.
    for (number, ahead) in (10..).zip(["+0", "+365d", "+730d"]) {
        let push = Push::begin(&running, number);
        running.service.signal("KILL");
        drop(running);
        shifted.is(ahead);
        running = shifted.start();
        shifted.collect(&running, &[]);
        wanted.extend(push.end(&running));
        pulled(&running, "kept", &kept);
        assert!(!running.service.log().contains("panicked"), "{}", running.service.log());
    }
    shifted.run(&["image", "undelete", &format!("{}/trash:latest", running.service.https)], "");
    pulled(&running, "trash", &trashed);
    let there = files(&shifted.user);
    assert!(wanted.iter().all(|name| there.contains(name)), "{wanted:?} of {there:?}");
    let blobs = there.len();

    // Whoever asks for no grace gets none, as soon as the clock is past all that it ever said.
    running.push("litter", b"nobody needs this");
    shifted.is("+1095d");
    shifted.collect(&running, &["--grace", "0s"]);
    let there = files(&shifted.user);
    assert!(!there.contains(&Digest::of(b"nobody needs this").hex()), "{there:?}");
    // Of every push, what its session brought.
    assert_eq!(there.len(), blobs - 8, "{there:?}");
    pulled(&running, "kept", &kept);
    running.service.stop();
}
