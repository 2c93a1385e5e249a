//! A sealed container run by the real `runc`: what it tries, and what comes of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use boltseal_model::Config;
use boltseal_runtime::{Host, Image, Wanted, bundle, plan};
use boltseal_testkit::{
    peer, shared, skip,
    tries::{By, tries},
};

const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";

const GROUP: &[u8] = b"type: Microsoft.ContainerInstance/containerGroups
name: g
properties:
  osType: Linux
  containers:
  - name: c
    properties: {image: alpine, resources: {requests: {cpu: 1, memoryInGB: 0.125}}}
";

/// The files of a small Linux, unpacked.
fn root(folder: &Path) -> Option<PathBuf> {
    let archive = shared(ALPINE)?;
    let (image, root) = (folder.join("image"), folder.join("rootfs"));
    for path in [&image, &root] {
        fs::create_dir(path).unwrap();
    }
    let unpack = |archive: &Path, to: &Path| {
        let done = Command::new("tar").arg("xf").arg(archive).arg("-C").arg(to).status().unwrap();
        assert!(done.success(), "{}", archive.display());
    };
    unpack(&archive, &image);
    let manifest = fs::read(image.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    for layer in manifest[0]["Layers"].as_array().unwrap() {
        unpack(&image.join(layer.as_str().unwrap()), &root);
    }
    // Users that are nobody on this machine have to get there.
    for path in [folder, &root] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Some(root)
}

/// What a shell in a sealed container prints.
fn run(folder: &Path, root: &Path, name: &str, user: (u32, u32), script: &str) -> String {
    let read = boltseal_orchestrator::read("group.yaml", GROUP).unwrap();
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let config = Config { entrypoint: command, ..Config::default() };
    let images = [Image { name: "alpine".to_owned(), digest: None, config, user: Some(user) }];
    let made =
        plan(&Wanted { workload: &read.workloads[0], images: &images, host: &Host::probe(), range: 0 });
    assert_eq!(made.refusals, []);
    let id = format!("boltseal-test-{}-{name}", std::process::id());
    let places = bundle::Places {
        root: root.to_owned(),
        cgroup: format!("/{id}"),
        hostname: "sealed".to_owned(),
        ..bundle::Places::default()
    };
    let specification = bundle::specification(&made.containers[0], &places).unwrap();
    let of_this = folder.join(name);
    fs::create_dir(&of_this).unwrap();
    fs::write(of_this.join("config.json"), serde_json::to_vec(&specification).unwrap()).unwrap();
    let mut runc = Command::new("runc");
    runc.arg("--root").arg(folder.join("state")).arg("run").arg("--bundle").arg(&of_this).arg(&id);
    let done = runc.output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

#[test]
fn what_a_sealed_container_cannot_do() {
    if peer("runc").is_none() {
        return;
    }
    if !boltseal_sys::is_root() {
        return skip("only root can give containers users of their own");
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(root) = root(folder.path()) else { return };
    let mut wrong = Vec::new();
    for (number, one) in tries(By::Runc).enumerate() {
        for (who, user) in [("root", (0, 0)), ("other", (1000, 1000))] {
            let said = run(folder.path(), &root, &format!("{number}-{who}"), user, one.script);
            wrong.extend(one.wrong(&said).map(|why| format!("{who}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
