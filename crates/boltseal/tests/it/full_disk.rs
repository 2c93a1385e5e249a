//! A disk that is full under an agent: nothing begins, what runs goes on, what ends is written down, and when there is room
//! again everything goes on.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use boltseal_testkit::{
    image::{Compression, Image, Layer},
    peer,
};
use serde_json::{Value, json};

use crate::node::{Node, text};

const GROUPS: [&str; 2] = [
    r"
type: Microsoft.ContainerInstance/containerGroups
name: stays
properties:
  osType: Linux
  containers:
  - name: counts
    properties: {image: alpine, command: [/bin/sh, -c, 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
  - name: ends
    properties: {image: alpine, command: [/bin/sleep, '100000'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
",
    r"
type: Microsoft.ContainerInstance/containerGroups
name: goes
properties:
  osType: Linux
  containers:
  - name: one
    properties: {image: alpine, command: [/bin/sleep, '100000'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
",
];

/// A small disk that only this thread, and what it starts, sees. None where nothing may be mounted.
pub fn disk() -> Option<tempfile::TempDir> {
    if !boltseal_sys::is_root() || peer("mount").is_none() {
        return None;
    }
    boltseal_sys::private_mounts().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=48m,mode=711", "tmpfs"]).arg(folder.path());
    assert!(mount.status().unwrap().success());
    Some(folder)
}

/// Takes all room that is left.
fn fill(path: &Path) {
    let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        let piece = vec![0; size];
        while file.write_all(&piece).is_ok() {}
    }
}

pub fn is_full(refused: &Output, what: &str) {
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("make room on the disk"), "{what}: {said}");
}

/// An image that has more files than the disk has room, and in the end could be run.
fn large(folder: &Path) -> String {
    let content: Vec<u8> = (0..60_u32 << 18).flat_map(u32::to_le_bytes).collect();
    let layer = Layer::new().file("first", "small").file("large", content);
    let image = Image::new().layer_as(layer, Compression::Zstd).config("Entrypoint", json!(["/first"]));
    image.build().write_oci(folder, None);
    format!("oci:{}", folder.display())
}

#[test]
fn nothing_begins_and_nothing_is_lost() {
    let Some(disk) = disk() else { return };
    let Some(mut node) = Node::on(disk.path()) else { return };
    for group in GROUPS {
        let ran = node.run(group, &["--allow-unverified"]);
        assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());
    }
    let runs = |group: &Value| {
        group["containers"].as_array().unwrap().iter().all(|one| one["state"]["state"] == "running")
    };
    let before = node.until("stays", runs);
    node.until("goes", runs);
    let pid = |group: &Value, one: usize| group["containers"][one]["state"]["pid"].as_i64().unwrap();

    // An image for which there is not enough.
    let elsewhere = tempfile::tempdir().unwrap();
    let image = large(elsewhere.path());
    is_full(&node.command(&["run", "-d", "--allow-unverified", "--name", "large", &image]), "an image");
    let layers = node.data.path().join("agent/layers");
    assert_eq!(fs::read_dir(layers.join("unfinished")).unwrap().count(), 0, "nothing is half unpacked");
    assert_eq!(node.left("large").iter().filter(|left| left.contains("large")).count(), 0);

    let ballast: PathBuf = node.data.path().join("ballast");
    fill(&ballast);
    let alpine = node.image.clone();
    is_full(&node.command(&["run", "-d", "--allow-unverified", "--name", "more", &alpine]), "a group");
    is_full(&node.command(&["exec", "stays/counts", "--", "true"]), "a program that joins");
    assert_eq!(node.left("more").iter().filter(|left| left.contains("more")).count(), 0);
    // What ends does, and is not begun again.
    let kill = Command::new("kill").arg("-9").arg(pid(&before, 1).to_string()).status().unwrap();
    assert!(kill.success());
    node.until("stays", |group| {
        let one = &group["containers"][1];
        one["state"]["why"].as_str().is_some_and(|why| why.contains("make room"))
            && one["ended"]["code"] == 137
    });
    node.ok(&["rm", "--force", "goes"]);
    assert_eq!(node.left("goes").iter().filter(|left| left.contains("goes")).count(), 0);
    // Nor does it take the agent to know.
    node.kill();
    node.begin();
    fill(&ballast);
    let after = node.until("stays", |group| group["containers"][0]["state"]["state"] == "running");
    assert_eq!(pid(&after, 0), pid(&before, 0), "{}", node.log());
    assert!(!node.command(&["inspect", "goes"]).status.success());

    fs::remove_file(&ballast).unwrap();
    let again = node.until("stays", runs);
    assert_eq!(pid(&again, 0), pid(&before, 0));
    node.ok(&["run", "-d", "--allow-unverified", "--name", "more", &alpine, "--", "sleep", "1000"]);
    node.until("more", runs);
    wrote_or_said_what_is_lost(&node);
    is_recorded(&node);
    for name in ["stays", "more"] {
        node.ok(&["rm", "--force", name]);
    }
    assert_eq!(node.left("stays"), Vec::<String>::new());
}

/// Numbers that the log lacks are counted in it.
fn wrote_or_said_what_is_lost(node: &Node) {
    let log = node.command(&["logs", "stays/counts"]);
    let numbers: Vec<u64> = text(&log.stdout).lines().map(|line| line.parse().unwrap()).collect();
    let missing: u64 = numbers.windows(2).map(|pair| pair[1] - pair[0] - 1).sum();
    let said = text(&log.stderr);
    let told = said
        .lines()
        .filter_map(|line| line.strip_prefix("boltseal: ")?.split(' ').next()?.parse::<u64>().ok());
    assert_eq!(told.sum::<u64>(), missing, "{said}\n{numbers:?}");
}

/// Whatever happened is in the log, which verifies, once and in its order.
fn is_recorded(node: &Node) {
    let events = node.ok(&["events", "--json"]);
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |group: &str| -> Vec<&str> {
        let of_group = events.iter().filter(|event| event["group"] == group);
        of_group.map(|event| event["what"].as_str().unwrap()).collect()
    };
    assert_eq!(of("goes"), ["group.run", "container.start", "group.stop", "container.end", "group.remove"]);
    assert_eq!(of("large"), Vec::<&str>::new());
    let ended = |event: &&Value| event["what"] == "container.end" && event["container"] == "ends";
    assert_eq!(events.iter().filter(ended).count(), 1, "{events:#?}\n{}", node.log());
    let records = crate::log::records(&node.data.path().join("agent"));
    let recorded: Vec<u64> = records.iter().map(|record| record.detail["event"].as_u64().unwrap()).collect();
    let numbers: Vec<u64> = events.iter().map(|event| event["number"].as_u64().unwrap()).collect();
    assert_eq!(recorded, numbers);
}
