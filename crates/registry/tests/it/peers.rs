//! Real clients against the registry on a real port.

use std::{
    path::Path,
    process::{Command, Output},
};

use boltseal_testkit::{peer, shared};
use boltseal_wire::server::{Limits, serve};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

use crate::world::World;

/// A registry that listens, and a folder for the client's sign-in.
struct Served {
    world: World,
    address: String,
    client: TempDir,
    stop: Option<oneshot::Sender<()>>,
}

impl Served {
    async fn new() -> Self {
        let world = World::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        tokio::spawn(serve(listener, world.registry.router(), None, Limits::default(), until));
        Self { world, address, client: tempfile::tempdir().unwrap(), stop: Some(stop) }
    }

    /// Runs a client on a thread that may block, signed in by its own means.
    async fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments);
        command.env("REGISTRY_AUTH_FILE", self.client.path().join("auth.json"));
        command.env("XDG_RUNTIME_DIR", self.client.path());
        command.env("TMPDIR", self.client.path());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn must(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self.run(program, arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn sign_in(&self, program: &Path) {
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
fn alpine() -> Option<tempfile::NamedTempFile> {
    let packed = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz")?;
    let mut plain = tempfile::NamedTempFile::new().unwrap();
    let mut packed = flate2::read::GzDecoder::new(std::fs::File::open(packed).unwrap());
    std::io::copy(&mut packed, &mut plain).unwrap();
    Some(plain)
}

fn digests(layout: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(layout.join("blobs/sha256"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_pushes_and_pulls_a_real_image() {
    let Some(skopeo) = peer("skopeo") else { return };
    let Some(archive) = alpine() else { return };
    let served = Served::new().await;
    let work = tempfile::tempdir().unwrap();
    let (first, second) = (work.path().join("first"), work.path().join("second"));
    let (first_oci, second_oci) =
        (format!("oci:{}:v1", first.display()), format!("oci:{}:v1", second.display()));
    let remote = format!("docker://{}/library/alpine:3.11", served.address);
    let source = format!("docker-archive:{}", archive.path().display());

    let unsigned = served.run(&skopeo, &["inspect", "--tls-verify=false", &remote]).await;
    assert!(!unsigned.status.success(), "nobody may look without signing in");
    served.sign_in(&skopeo).await;

    served.must(&skopeo, &["--insecure-policy", "copy", &source, &first_oci]).await;
    served
        .must(&skopeo, &["--insecure-policy", "copy", "--dest-tls-verify=false", &first_oci, &remote])
        .await;
    served
        .must(&skopeo, &["--insecure-policy", "copy", "--src-tls-verify=false", &remote, &second_oci])
        .await;
    assert_eq!(digests(&first), digests(&second), "the same manifest, configuration and layers");

    let tags = served.must(&skopeo, &["list-tags", "--tls-verify=false", &remote.replace(":3.11", "")]).await;
    assert!(tags.contains("3.11"), "{tags}");
    served.must(&skopeo, &["delete", "--tls-verify=false", &remote]).await;
    let gone = served.run(&skopeo, &["inspect", "--tls-verify=false", &remote]).await;
    assert!(String::from_utf8_lossy(&gone.stderr).contains("manifest unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_prints_why_an_image_is_refused_and_pulls_the_mended_one() {
    let Some(skopeo) = peer("skopeo") else { return };
    let served = Served::new().await;
    served.sign_in(&skopeo).await;
    let layout = tempfile::tempdir().unwrap();
    let remote = format!("docker://{}/app:v1", served.address);
    served.world.push_image("app", "v1", "deny", b"\x1f\x8b layer").await;
    let target = format!("oci:{}:v1", layout.path().display());
    let refused =
        served.run(&skopeo, &["--insecure-policy", "copy", "--src-tls-verify=false", &remote, &target]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    for part in ["denied: image refused", "CVE-2024-1 in openssl 3.0.11", "apt-get install openssl=3.0.13"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    served.world.push_image("app", "v1", "", b"\x1f\x8b layer").await;
    let raw = served.must(&skopeo, &["inspect", "--raw", "--tls-verify=false", &remote]).await;
    assert!(raw.contains("layers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_pushes_and_pulls() {
    let Some(podman) = peer("podman") else { return };
    let Some(archive) = alpine() else { return };
    let served = Served::new().await;
    let storage = tempfile::tempdir().unwrap();
    let (root, run) = (storage.path().join("root"), storage.path().join("run"));
    let (root, run) = (root.to_str().unwrap(), run.to_str().unwrap());
    let own = ["--root", root, "--runroot", run, "--storage-driver", "vfs"];
    served.sign_in(&podman).await;
    let archive = archive.path().display().to_string();
    let mut load: Vec<&str> = own.to_vec();
    load.extend(["load", "-i", &archive]);
    let loaded = served.must(&podman, &load).await;
    let name = loaded.rsplit(' ').next().unwrap().trim().to_owned();
    let remote = format!("{}/team/alpine:v1", served.address);
    let steps: [&[&str]; 4] = [
        &["push", "--tls-verify=false", &name, &remote],
        &["rmi", "--all", "--force"],
        &["pull", "--tls-verify=false", &remote],
        &["image", "inspect", &remote],
    ];
    for step in steps {
        let mut arguments: Vec<&str> = own.to_vec();
        arguments.extend_from_slice(step);
        served.must(&podman, &arguments).await;
    }
}
