//! Real clients against the registry on a real port, one file each.

mod buildah;
mod docker;
mod podman;
mod skopeo;

use std::{
    path::Path,
    process::{Command, Output},
};

use boltseal_testkit::shared;
use boltseal_wire::server::{Limits, serve};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

use crate::world::World;

/// What Docker's own clients push.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry that listens, and a folder for the client's sign-in.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) address: String,
    client: TempDir,
    stop: Option<oneshot::Sender<()>>,
}

impl Served {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        tokio::spawn(serve(listener, world.registry.router(), None, Limits::default(), until));
        Self { world, address, client: tempfile::tempdir().unwrap(), stop: Some(stop) }
    }

    /// Runs a client on a thread that may block, signed in by its own means.
    pub(crate) async fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments);
        command.env("REGISTRY_AUTH_FILE", self.client.path().join("auth.json"));
        command.env("XDG_RUNTIME_DIR", self.client.path());
        command.env("TMPDIR", self.client.path());
        command.env("HOME", self.client.path());
        command.env("BUILDAH_ISOLATION", "chroot");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs what must fail, and gives what it said.
    pub(crate) async fn must_fail(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self.run(program, arguments).await;
        assert!(!output.status.success(), "{arguments:?} went well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(crate) async fn must(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self.run(program, arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn sign_in(&self, program: &Path) {
        let arguments = [
            "login",
            "--tls-verify=false",
            "-u",
            "admin",
            "-p",
            self.world.people.secret("admin"),
            self.address.as_str(),
        ];
        self.must(program, &arguments).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ended_already = stop.send(());
        }
    }
}

/// Unpacked: skopeo 1.9 reads plain archives only.
pub(crate) fn alpine() -> Option<tempfile::NamedTempFile> {
    let packed = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz")?;
    let mut plain = tempfile::NamedTempFile::new().unwrap();
    let mut packed = flate2::read::GzDecoder::new(std::fs::File::open(packed).unwrap());
    std::io::copy(&mut packed, &mut plain).unwrap();
    Some(plain)
}

/// What a client says of a held image: the verdict, its reason and the cure, once, and no JSON.
fn is_one_clear_sentence(said: &str) {
    let sentence = "denied: image refused: deny: CVE-2024-1 in openssl 3.0.11 (critical) (policy test, rule no-criticals)";
    assert_eq!(said.matches(sentence).count(), 1, "not once in: {said}");
    assert!(said.contains("apt-get install openssl=3.0.13"), "no cure in: {said}");
    assert!(!said.contains("{\"") && !said.contains("unknown:"), "more than a sentence: {said}");
}
