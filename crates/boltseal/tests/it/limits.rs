//! Limits of containers: they stand in control groups, of whichever version, and whoever reaches them feels it.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::node::{Node, text};

/// One that stays, and one that takes more memory than it may have.
const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: tight
properties:
  osType: Linux
  restartPolicy: Never
  containers:
  - name: stays
    properties:
      image: alpine
      command: [/bin/sleep, '100000']
      resources: {requests: {cpu: 0.5, memoryInGB: 0.0625}}
  - name: bursts
    properties:
      image: alpine
      command: [/bin/dd, if=/dev/zero, of=/dev/null, bs=300M, count=1]
      resources: {requests: {cpu: 0.5, memoryInGB: 0.0625}}
";

/// What a file of a container's control group says, in whichever hierarchy it is.
fn of_kernel(container: &str, names: [&str; 2]) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let hierarchies = mounts.lines().filter(|line| line.contains(" - cgroup"));
    let folders = hierarchies.map(|line| PathBuf::from(line.split(' ').nth(4).unwrap()));
    let mut files = folders.flat_map(|folder| {
        let folder = folder.join("boltseal/tight").join(container);
        names.map(|name| folder.join(name))
    });
    files.find_map(|file| fs::read_to_string(file).ok()).map(|text| text.trim().to_owned())
}

#[test]
fn limits_stand_in_control_groups() {
    let Some(node) = Node::new() else { return };
    let ran = node.run(GROUP, &["--allow-unverified"]);
    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());
    holds_by_its_plan(&node);
    let group = node.until("tight", |group| group["containers"][1]["ended"]["code"].is_number());
    let ended = &group["containers"][1]["ended"];
    assert_eq!((&ended["code"], &ended["why"]), (&137.into(), &"out of memory".into()), "{group:#}");
    // Files of version 1, and of version 2.
    for (names, wanted) in [
        (["memory.limit_in_bytes", "memory.max"], ["67108864", "67108864"]),
        (["cpu.cfs_quota_us", "cpu.max"], ["50000", "50000 100000"]),
        (["pids.max", "pids.max"], ["512", "512"]),
    ] {
        let said = of_kernel("stays", names);
        assert!(said.as_deref().is_some_and(|said| wanted.contains(&said)), "{names:?}: {said:?}");
    }
    // Who joins is in the same group: it reaches the same limit, and what was there goes on.
    let joined = node.command(&[
        "exec",
        "tight/stays",
        "--",
        "dd",
        "if=/dev/zero",
        "of=/dev/null",
        "bs=300M",
        "count=1",
    ]);
    assert_eq!(joined.status.code(), Some(137), "{}", text(&joined.stderr));
    assert_eq!(node.group("tight")["containers"][0]["state"]["state"], "running");
    assert_eq!(node.ok(&["exec", "tight/stays", "--", "echo", "well"]), "well\n");
    node.ok(&["rm", "--force", "tight"]);
    assert_eq!(node.left("tight"), Vec::<String>::new());
}

/// What people are told holds on this machine.
fn holds_by_its_plan(node: &Node) {
    let (file, image) = (node.data.path().join("group.yaml"), format!("alpine={}", node.image));
    let told = node.ok(&["plan", file.to_str().unwrap(), "--image", &image, "--format", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let controls = told["containers"][0]["controls"].as_array().unwrap();
    for name in ["devices", "memory", "processors", "processes"] {
        let control = controls.iter().find(|control| control["name"] == name).unwrap();
        assert_eq!(control["state"], "enforced", "{control:#}");
    }
}
