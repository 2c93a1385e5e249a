//! Secrets and volumes of container groups: where they are seen, where they are not, and how they change.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    node::{Node, own_network, text},
    running::hold_to,
};

#[test]
fn a_group_with_volumes_secrets_and_an_order() {
    let Some(node) = Node::new() else { return };
    let group = r#"
type: Microsoft.ContainerInstance/containerGroups
name: shop
properties:
  osType: Linux
  restartPolicy: OnFailure
  volumes:
  - {name: scratch, emptyDir: {}}
  - {name: keys, secret: {tls.key: aGVsbG8=, other: d29ybGQ=}}
  - {name: given, secretReference: {token: where}}
  initContainers:
  - name: first
    properties: {image: alpine, command: [sh, -c, 'sleep 0.3; echo made > /data/file'], volumeMounts: [{name: scratch, mountPath: /data}]}
  containers:
  - name: web
    properties:
      image: alpine
      command: [sh, -c, 'cat /data/file /keys/tls.key /keys/other /given/token; echo; echo $TOKEN; stat -c "%a %u" -L /keys/tls.key; echo x > /keys/new; while true; do sleep 0.1; done']
      environmentVariables: [{name: TOKEN, secureValue: s3cret}]
      resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}
      volumeMounts: [{name: scratch, mountPath: /data}, {name: keys, mountPath: /keys}, {name: given, mountPath: /given}]
      readinessProbe: {exec: {command: [test, -f, /data/ready]}, periodSeconds: 1}
  - name: other
    properties:
      image: alpine
      command: [sh, -c, 'id -u; n=$(cat /data/tries 2>/dev/null || echo 0); echo $((n+1)) > /data/tries; [ $n = 1 ] || exit 3; dd if=/dev/zero of=/data/full bs=1M count=300 2>&1 | grep -o "No space left on device"; rm -f /data/full; i=0; while [ $i -lt 70000 ] && : > /data/$i; do i=$((i+1)); done 2>&1 | tail -1; rm -f /data/[0-9]*; echo done']
      securityContext: {runAsUser: 1000}
      resources: {requests: {cpu: 0.5, memoryInGB: 0.1}}
      volumeMounts: [{name: scratch, mountPath: /data}]
"#;
    // A secret that stands nowhere.
    let refused = node.run(group, &["--allow-unverified"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--secret given/token=FILE"), "{}", text(&refused.stderr));
    let token = node.data.path().join("token");
    fs::write(&token, "handed").unwrap();
    let given = format!("given/token={}", token.display());
    let done = node.run(group, &["--allow-unverified", "--secret", &given]);
    assert!(done.status.success(), "{}\n{}", text(&done.stderr), node.log());
    // It starts again until it ends well.
    let group = node.until("shop", |group| group["containers"][2]["ended"]["code"] == 0);
    assert_eq!(group["containers"][0]["ended"]["code"], 0, "{group:#}");
    assert_eq!(group["containers"][2]["restarts"], 1);
    let said = node.ok(&["logs", "shop/other"]);
    assert!(said.starts_with("1000\n1000\n") && said.ends_with("done\n"), "{said}");
    assert_eq!(said.matches("No space left on device").count(), 2, "bytes, and files: {said}");
    let said = node.ok(&["logs", "shop/web"]);
    assert_eq!(said, "made\nhelloworldhanded\ns3cret\n400 0\n");
    let all = node.command(&["logs", "shop/web"]);
    assert!(text(&all.stderr).contains("Read-only file system"), "{}", text(&all.stderr));
    no_secret_is_shown(&node);
    // Ready when its probe says so.
    assert_eq!(node.group("shop")["containers"][1]["ready"], false);
    node.ok(&["exec", "shop/web", "--", "touch", "/data/ready"]);
    node.until("shop", |group| group["containers"][1]["ready"] == true);
    node.ok(&["rm", "--force", "shop"]);
    assert_eq!(node.left("shop"), Vec::<String>::new());
}

/// Whether a text stands in a file below a folder.
fn anywhere(folder: &Path, wanted: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
        if is_folder {
            return anywhere(&path, wanted);
        }
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        is_file
            && fs::read(&path)
                .is_ok_and(|text| text.windows(wanted.len()).any(|part| part == wanted.as_bytes()))
    })
}

#[test]
fn secrets_change_while_a_container_runs() {
    let home = tempfile::tempdir().unwrap();
    if !own_network() {
        return;
    }
    let Some(mut node) = Node::here(&[], home.path()) else { return };
    let group = r"
type: Microsoft.ContainerInstance/containerGroups
name: keys
properties:
  osType: Linux
  volumes:
  - {name: keys, secret: {user: YQ==, word: b2xk}}
  containers:
  - name: one
    properties:
      image: alpine
      command: [/bin/sh, -c, 'until cmp -s /keys/word /keys/user; do sleep 0.05; done; cat /keys/word; sleep 1000']
      volumeMounts: [{name: keys, mountPath: /keys}]
      environmentVariables: [{name: WORD, secureValue: old}]
      resources: {requests: {cpu: 1, memoryInGB: 0.1}}
";
    let ran = node.run(group, &["--allow-unverified"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let file = node.data.path().join("word");
    fs::write(&file, "hunter2\n").unwrap();
    let given = |name: &str| format!("{name}={}", file.display());
    for (name, why) in [
        ("keys/other", "has no file keys/other in a secret volume (it has keys/user, keys/word)"),
        ("one/WORD", "a variable cannot be changed while a container runs"),
    ] {
        let refused = node.command(&["rotate", "keys", "--secret", &given(name)]);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(why), "{}", text(&refused.stderr));
    }
    node.ok(&["rotate", "keys", "--secret", &given("keys/word"), "--secret", &given("keys/user")]);
    let begun = Instant::now();
    while !node.ok(&["logs", "keys"]).contains("hunter2") && begun.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(node.ok(&["logs", "keys"]).contains("hunter2"), "{}", node.log());
    // Only its user may read it, and there is one set of files.
    let listed =
        node.ok(&["exec", "keys", "--", "/bin/sh", "-c", "stat -c %a-%u /keys/..data/word; ls -A /keys"]);
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["400-0", "..2", "..data", "user", "word"]);
    // Who did it is told, what it is now is not.
    let events = node.ok(&["events", "--json"]);
    assert!(events.contains("group.rotate") && events.contains("keys/user, keys/word"), "{events}");
    assert!(!events.contains("hunter2") && !events.contains("aHVudGVyMg"), "{events}");
    // The next agent remembers it, and so does what starts later.
    node.kill();
    node.begin();
    node.ok(&["stop", "keys", "-t", "0"]);
    node.ok(&["start", "keys"]);
    node.until("keys", |group| group["state"] == "running");
    assert_eq!(node.ok(&["exec", "keys", "--", "/bin/cat", "/keys/word"]), "hunter2\n");
}

/// Nothing of a secret is in what is shown or kept on disk.
#[track_caller]
fn no_secret_is_shown(node: &Node) {
    let (shown, events) = (node.ok(&["inspect", "shop", "--format", "json"]), node.ok(&["events", "--json"]));
    for line in std::iter::once(shown.as_str()).chain(events.lines()) {
        assert!(!line.contains("s3cret"), "{line}");
        hold_to("groups", &serde_json::from_str(line).unwrap());
    }
    assert!(!anywhere(&node.data.path().join("agent"), "aGVsbG8="));
}
