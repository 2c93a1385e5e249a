//! A group that takes what it can get, beside one that does its work: the other stays well, and so does the machine.

use std::time::Duration;

use serde_json::Value;

use crate::node::{Node, text};

/// A neighbour that counts, each number once, and waits for nobody.
const COUNTS: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: well
properties:
  osType: Linux
  containers:
  - name: counts
    properties:
      image: alpine
      command: [/bin/sh, -c, 'i=0; while true; do i=$((i+1)); echo $i; echo x > /tmp/x; sleep 0.05; done']
      resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}
";

/// What the other group does, by what it does it with. All of it at once, in one group.
const GREEDY: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: greedy
properties:
  osType: Linux
  restartPolicy: Never
  containers:
  - name: flood
    properties: {image: alpine, command: [/bin/sh, -c, 'yes 0123456789012345678901234567890123456789 & yes err >&2'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
  - name: files
    properties:
      image: alpine
      command: [/bin/sh, -c, 'for d in /tmp /run; do mkdir $d/d; cd $d/d; seq 20000 | xargs touch 2>&1 | tail -n 1; dd if=/dev/zero of=$d/full bs=1M count=300 2>&1 | grep No; done; echo done; sleep 1000']
      resources: {requests: {cpu: 0.5, memoryInGB: 0.3}}
  - name: storm
    properties: {image: alpine, command: [/bin/sh, -c, 'trap : USR1 WINCH; while true; do kill -USR1 1; kill -WINCH -1; kill -0 -1; done'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
  - name: bomb
    properties: {image: alpine, command: [/bin/sh, -c, 'f() { f | f & }; while true; do f 2>/dev/null; sleep 0.1; done'], resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}}
";

fn last(said: &str) -> u64 {
    said.lines().last().and_then(|line| line.parse().ok()).unwrap_or_default()
}

#[test]
fn neighbours_stay_well() {
    let Some(node) = Node::new() else { return };
    for group in [COUNTS, GREEDY] {
        let ran = node.run(group, &["--allow-unverified"]);
        assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());
    }
    node.until("well", |group| group["state"] == "running");
    let small = resident(&node);
    let begun = last(&node.ok(&["logs", "well"]));
    // Whoever fills memory with files is told so, or ended by its own limit.
    node.until("greedy", |group| {
        let files = &group["containers"][1];
        files["ended"]["code"].is_number() || node.ok(&["logs", "greedy/files"]).contains("done")
    });
    let files = node.ok(&["logs", "greedy/files"]);
    assert!(files.matches("No space left").count() >= 3, "{files}");
    std::thread::sleep(Duration::from_secs(1));
    let said = node.ok(&["logs", "well"]);
    let numbers: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "each once, none is missing: {said}");
    assert!(last(&said) > begun + 10, "it goes on: {begun}, {}", last(&said));
    assert_eq!(node.ok(&["exec", "well", "--", "/bin/sh", "-c", "echo in"]), "in\n");
    let group = node.group("well");
    assert_eq!((&group["containers"][0]["restarts"], &group["state"]), (&0.into(), &"running".into()));
    // What floods is kept, bounded: twice eight million bytes.
    let kept = log_bytes(&node, "greedy", "flood");
    assert!(kept > 1 << 20 && kept <= 16 << 20, "{kept}");
    // The newest of it is what is shown, and looking at it takes no memory that counts.
    let newest = node.ok(&["logs", "greedy/flood", "--tail", "1000"]);
    assert_eq!(
        newest.lines().filter(|line| line.starts_with("0123")).count(),
        newest.lines().count(),
        "{newest}"
    );
    let grown = resident(&node).saturating_sub(small);
    assert!(grown < 64 << 20, "the agent has {grown} bytes more");
    let greedy: Value = node.group("greedy");
    assert_eq!(greedy["containers"][0]["state"]["state"], "running", "it floods still: {greedy:#}");
    node.ok(&["rm", "--force", "greedy"]);
    assert_eq!(node.left("greedy").iter().filter(|left| left.contains("greedy")).count(), 0);
    node.ok(&["rm", "--force", "well"]);
    assert_eq!(node.left("well"), Vec::<String>::new());
}

/// Bytes of memory that the agent had at most.
fn resident(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// What the log of a container takes of the disk.
fn log_bytes(node: &Node, group: &str, container: &str) -> u64 {
    let folder = node.data.path().join("agent");
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let text = path.display().to_string();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if text.contains(group) && text.contains(container) && text.contains("log") {
                found.push(entry.metadata().map_or(0, |found| found.len()));
            }
        }
    }
    assert_eq!(found.len(), 2, "two files of a log");
    found.into_iter().sum()
}
