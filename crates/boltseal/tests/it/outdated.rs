//! What runs and has something newer: a real registry, asked by an agent in the same network.

use std::{fs, os::fd::AsFd as _, path::Path, process::Command};

use boltseal_testkit::{
    Distribution,
    image::{Compression, Image, Layer},
    shared, skip,
};
use serde_json::{Value, json};

use crate::{
    killed::Network,
    node::{ALPINE, Node, text},
};

/// The layer of the Alpine fixture.
pub fn alpine_layer() -> Option<Vec<u8>> {
    let archive = shared(ALPINE)?;
    let folder = tempfile::tempdir().unwrap();
    let untar = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status().unwrap();
    assert!(untar.success());
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    Some(fs::read(folder.path().join(manifest[0]["Layers"][0].as_str().unwrap())).unwrap())
}

/// Alpine with one more file, which says what it was built on.
pub fn web(alpine: &[u8], version: &str, base: &str) -> Image {
    Image::new()
        .tar(alpine.to_vec(), Compression::Gzip)
        .layer(Layer::new().file("version", version))
        .config("Labels", json!({"org.opencontainers.image.base.name": base}))
        .config("Env", json!(["PATH=/bin:/usr/bin"]))
}

/// Puts an image into a registry.
pub fn push(folder: &Path, image: &Image, to: &str) {
    let layout = folder.join(to.replace(['/', ':'], "-"));
    image.build().write_oci(&layout, Some("v"));
    let source = format!("oci:{}:v", layout.display());
    let mut copy = Command::new(env!("CARGO_BIN_EXE_boltseal"));
    let done = copy.args(["image", "copy", &source, to]).env("BOLTSEAL_DATA", folder).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
}

#[track_caller]
fn outdated(node: &Node, code: i32) -> Value {
    let done = node.command(&["outdated", "--format", "json"]);
    assert_eq!(
        done.status.code(),
        Some(code),
        "{}{}\n{}",
        text(&done.stdout),
        text(&done.stderr),
        node.log()
    );
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    crate::running::hold(&said);
    said[0].clone()
}

#[test]
fn what_is_outdated() {
    if !boltseal_sys::is_root() {
        return skip("only root can run containers for others");
    }
    let Some(alpine) = alpine_layer() else { return };
    let network = Network::new(&format!("bs-outdated-{}", std::process::id()));
    let up = Command::new("ip").args(["-netns", network.name(), "link", "set", "lo", "up"]).status();
    assert!(up.unwrap().success());
    let inside = fs::File::open(format!("/run/netns/{}", network.name())).unwrap();
    // A thread of its own, since it stays in that network, and so do all that it starts.
    std::thread::scope(|scope| {
        let body = scope.spawn(|| {
            boltseal_agent::network::enter(inside.as_fd()).unwrap();
            let Some(registry) = Distribution::start(false) else { return };
            let node = Node::within(network.name().to_owned(), &[]).unwrap();
            what_becomes_outdated(&node, registry, &alpine);
        });
        body.join().unwrap();
    });
}

fn what_becomes_outdated(node: &Node, registry: Distribution, alpine: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| format!("{}/{name}", registry.address());
    let (name, base) = (place("shop/web:1.0.0"), place("base/alpine:3"));
    let put = |image: &Image, to: &str| push(folder.path(), image, &place(to));
    put(&Image::new().tar(alpine.to_vec(), Compression::Gzip), "base/alpine:3");
    put(&web(alpine, "1.0.0", &base), "shop/web:1.0.0");
    let called = format!("aged-{}", std::process::id());
    let group = format!(
        "type: Microsoft.ContainerInstance/containerGroups\nname: {called}\nproperties:\n  osType: Linux\n  containers:\n  \
         - name: web\n    properties: {{image: '{name}', command: [sleep, '1000']}}\n"
    );
    let done = node.run(&group, &["--allow-unverified"]);
    assert!(done.status.success(), "{}\n{}", text(&done.stderr), node.log());
    let current = outdated(node, 0);
    assert_eq!(
        (&current["image"], &current["containers"]),
        (&name.as_str().into(), &json!([format!("{called}/web")]))
    );
    assert!(current.get("unknown").is_none() && current.get("untold").is_none(), "{current:#}");
    // A newer version, and some that are none.
    for version in ["1.1.0", "1.2.0-rc1", "latest"] {
        put(&web(alpine, version, &base), &format!("shop/web:{version}"));
    }
    let newer = outdated(node, 1);
    assert_eq!((&newer["newer"], newer.get("moved"), newer.get("base")), (&"1.1.0".into(), None, None));
    // Its name means another image.
    put(&web(alpine, "1.0.0 once more", &base), "shop/web:1.0.0");
    let moved = outdated(node, 1);
    assert_eq!(moved["moved"].as_str().map(str::len), Some(71), "{moved:#}");
    assert_ne!(moved["moved"], moved["digest"]);
    // Its base was built again.
    let rebuilt =
        Image::new().layer(Layer::new().file("etc/new", "")).tar(alpine.to_vec(), Compression::Gzip);
    put(&rebuilt, "base/alpine:3");
    assert_eq!(outdated(node, 1)["base"]["name"].as_str(), Some(base.as_str()));
    // It would not be let in any more.
    let policy = "version: 1\nname: own\nrules:\n- name: no-busybox\n  effect: deny\n  packages: {ban: [{name: busybox}]}\n";
    fs::write(node.data.path().join("policy.yaml"), policy).unwrap();
    let worse = outdated(node, 1);
    assert_eq!(worse["verdict"]["now"], "deny", "{worse:#}");
    assert!(worse["verdict"]["why"].as_str().unwrap().contains("no-busybox"), "{worse:#}");
    let said = text(&node.command(&["outdated"]).stdout);
    for part in ["1.1.0", "no-busybox", "base/alpine:3", &called] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nobody answers: that is not the same as nothing newer.
    drop(registry);
    fs::remove_file(node.data.path().join("policy.yaml")).unwrap();
    let unknown = outdated(node, 3);
    assert!(unknown["unknown"].as_array().unwrap().len() >= 3, "{unknown:#}");
}
