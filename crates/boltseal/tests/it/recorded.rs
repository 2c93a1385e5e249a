//! What a node runs is in its own tamper-evident log, and in that of its server.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    binary::User,
    login::as_admin,
    node::{Node, own_network},
    service::{PATIENCE, Service},
};

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: NAME
properties:
  osType: Linux
  restartPolicy: Never
  containers:
  - name: one
    properties:
      image: alpine
      command: [/bin/sh, -c, 'exit 7']
      resources: {requests: {cpu: 1, memoryInGB: 0.1}}
";

/// The words of records about a group, in their order.
fn words(records: &str, group: &str) -> Vec<String> {
    let of_group = format!("groups/{group}");
    records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|found| found["record"].to_string().contains(&of_group))
        .map(|found| found["record"]["status_detail"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn what_a_node_runs_is_in_its_own_log_and_every_change_of_that_is_seen() {
    let Some(mut node) = Node::new() else { return };
    let said = node.run(&GROUP.replace("NAME", "recorded-once"), &["--allow-unverified"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    node.until("recorded-once", |group| group["state"] == "failed");
    let place = node.data.path().join("agent");
    let data = place.display().to_string();
    let records = node.ok(&["audit", "--data", &data, "log", "--format", "json"]);
    assert_eq!(
        words(&records, "recorded-once"),
        [
            "group recorded-once runs, with an image that nobody allowed",
            "container recorded-once/one started",
            "container recorded-once/one ended with 7: ended",
        ]
    );
    assert!(records.contains("uid 0") && records.contains("sha256:"), "{records}");
    node.ok(&["audit", "--data", &data, "verify"]);

    // Whoever changes what was done is found out, also after the agent was killed and goes on.
    node.kill();
    node.begin();
    node.until("recorded-once", |group| group["state"] == "failed");
    node.ok(&["rm", "recorded-once"]);
    let records = node.ok(&["audit", "--data", &data, "log", "--format", "json"]);
    let found = words(&records, "recorded-once");
    assert_eq!(found.len(), 4, "its end is told once: {found:?}");
    assert_eq!(found[3], "group recorded-once was removed");
    node.ok(&["audit", "--data", &data, "verify"]);
    let folder = place.join("audit/tile/entries/000.p");
    let newest = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap());
    let newest = newest.unwrap();
    let text = fs::read(&newest).unwrap();
    let at = text.windows(12).position(|part| part == b"ended with 7").unwrap();
    let mut changed = text.clone();
    changed[at + 11] = b'0';
    fs::write(&newest, changed).unwrap();
    let found = node.command(&["audit", "--data", &data, "verify"]);
    assert_eq!(found.status.code(), Some(1), "{}", String::from_utf8_lossy(&found.stdout));
    fs::write(&newest, text).unwrap();
}

#[test]
fn what_a_node_runs_is_in_the_log_of_its_server_also_after_that_was_away() {
    // The server and the agent share it.
    if !own_network() {
        return;
    }
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let secret = user.run(&["sp", "create", "node-1"]).ended(0).value("secret");
    user.run(&["role", "assign", "Node Agent", "--to", "node-1", "--scope", "/"]).ended(0);
    let file = user.write("node.secret", secret);
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let server = format!("https://{}", service.https);
    let more = ["--server", &server, "--name", "node-1", "--secret-file", &file, "--host", "node-1"];
    let Some(node) = Node::here(&more, user.home()) else { return };
    let wanted = |group: &str| {
        BTreeSet::from([
            format!("group {group} runs, with an image that nobody allowed"),
            format!("container {group}/one started"),
            format!("container {group}/one ended with 7: ended"),
        ])
    };
    let told = |group: &str| {
        let begun = Instant::now();
        loop {
            let subject = format!("/hosts/node-1/groups/{group}");
            let log = user.run(&["audit", "log", "--subject", &subject, "--format", "json"]).ended(0).out;
            let found = words(&log, group);
            if wanted(group).is_subset(&found.iter().cloned().collect()) {
                assert_eq!(found.len(), 3, "each once: {found:?}");
                return log;
            }
            assert!(begun.elapsed() < PATIENCE, "{found:?}\n{}", node.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let ran = node.run(&GROUP.replace("NAME", "recorded-first"), &["--allow-unverified"]);
    assert!(ran.status.success(), "{}\n{}", String::from_utf8_lossy(&ran.stderr), node.log());
    let log = told("recorded-first");
    assert!(log.contains("\"plan\":\"sha256:") && log.contains("\"verdict\""), "{log}");
    // A server that does not answer holds nobody up, and has all of it afterwards.
    service.signal("STOP");
    let ran = node.run(&GROUP.replace("NAME", "recorded-second"), &["--allow-unverified"]);
    node.until("recorded-second", |group| group["state"] == "failed");
    service.signal("CONT");
    assert!(ran.status.success(), "{}\n{}", String::from_utf8_lossy(&ran.stderr), node.log());
    told("recorded-second");
    told("recorded-first");
}
