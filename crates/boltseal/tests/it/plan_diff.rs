//! `boltseal plan --diff`: a file beside the group of its name that runs.

use serde_json::{Value, json};

use crate::{
    node::{Node, text},
    running::hold_to,
};

const GROUP: &str = "\
type: Microsoft.ContainerInstance/containerGroups
name: compared
properties:
  osType: Linux
  volumes: [{name: scratch, emptyDir: {}}]
  containers:
  - name: web
    properties:
      image: alpine
      command: [/bin/sleep, '100000']
      environmentVariables: [{name: MODE, value: quiet-word}]
      volumeMounts: [{name: scratch, mountPath: /work}]
      resources: {requests: {cpu: 0.5, memoryInGB: 0.25}}
";

#[test]
fn a_file_beside_what_runs() {
    let Some(node) = Node::new() else { return };
    let plan = |definition: &str, more: &[&str]| {
        let file = node.data.path().join("planned.yaml");
        std::fs::write(&file, definition).unwrap();
        let done = node.command(&[&["plan", file.to_str().unwrap(), "--diff"], more].concat());
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, _, said) = plan(GROUP, &[]);
    assert!(code == Some(2) && said.contains("compared"), "{said}");
    // Another one takes the first place, and with it other users of the machine.
    node.ok(&[
        "run",
        "-d",
        "--allow-unverified",
        "--name",
        "compared-first",
        &node.image,
        "--",
        "sleep",
        "1000",
    ]);
    let ran = node.run(GROUP, &["--allow-unverified"]);
    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());

    // The image is where it was when it was run, though nobody says so here.
    let (code, said, wrong) = plan(GROUP, &[]);
    assert_eq!((code, said.as_str()), (Some(0), "compared runs as it is planned\n"), "{wrong}");
    let elsewhere = GROUP.replace("properties:\n  osType", "tags: {team: shop}\nproperties:\n  osType");
    assert_eq!(plan(&elsewhere, &[]).0, Some(0), "lines are no part of it, nor are tags");

    let other = GROUP
        .replace("memoryInGB: 0.25", "memoryInGB: 0.5")
        .replace("resources:", "securityContext: {capabilities: {add: [KILL]}}\n      resources:")
        .replace("      volumeMounts: [{name: scratch, mountPath: /work}]\n", "");
    let (code, said, wrong) = plan(&other, &[]);
    assert_eq!(code, Some(1), "{wrong}");
    assert!(!said.contains("quiet-word"), "{said}");
    for line in [
        "changes to how it runs",
        "  containers[web].limits.memory\n    runs     268435456\n    planned  536870912\n",
        "  containers[web].capabilities\n    runs     []\n    planned  [\"CAP_KILL\"]\n",
        "  containers[web].mounts[/work]\n",
        "    planned  nothing\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (code, said, wrong) = plan(&other, &["--format", "json"]);
    assert_eq!(code, Some(1), "{wrong}");
    let said: Value = serde_json::from_str(&said).unwrap();
    hold_to("groups", &said);
    let changes = said["changes"].as_array().unwrap();
    let memory =
        json!({"path": "containers[web].limits.memory", "runs": 268_435_456, "planned": 536_870_912});
    assert!(changes.contains(&memory), "{said}");

    let refused = GROUP.replace("resources:", "securityContext: {privileged: true}\n      resources:");
    let (code, said, _) = plan(&refused, &[]);
    assert!(code == Some(1) && said.contains("refusals"), "{said}");
    assert_eq!(plan(GROUP, &["--format", "oci"]).0, Some(2));
    for name in ["compared", "compared-first"] {
        node.ok(&["rm", "--force", name]);
    }
}
