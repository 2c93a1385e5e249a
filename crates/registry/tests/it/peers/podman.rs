//! podman: there, back, and what it says of held images.

use boltseal_testkit::peer;

use super::{Served, alpine, is_one_clear_sentence};

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

    served.world.push_image("team/held", "v1", "deny", b"\x1f\x8b layer").await;
    let held = format!("{}/team/held:v1", served.address);
    let mut pull: Vec<&str> = own.to_vec();
    pull.extend(["pull", "--quiet", "--tls-verify=false", &held]);
    is_one_clear_sentence(&served.must_fail(&podman, &pull).await);
}
