//! Container groups whose containers another OCI runtime makes.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use boltseal_testkit::peer;

use crate::{
    binary::User,
    node::{Node, text},
};

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: by-runc
properties:
  osType: Linux
  volumes: [{name: scratch, emptyDir: {}}, {name: keys, secret: {key: aGVsbG8=}}]
  initContainers:
  - name: first
    properties: {image: alpine, command: [sh, -c, 'echo made > /data/file'], volumeMounts: [{name: scratch, mountPath: /data}]}
  containers:
  - name: web
    properties:
      image: alpine
      command: [sh, -c, 'cat /data/file /keys/key; echo; echo $LD_THING $A; while true; do sleep 0.1; done']
      environmentVariables: [{name: A, value: b}, {name: LD_THING, value: withheld}]
      securityContext: {runAsUser: 1000}
      volumeMounts: [{name: scratch, mountPath: /data}, {name: keys, mountPath: /keys}]
  - name: ends
    properties: {image: alpine, command: [sh, -c, 'sleep 1; exit 4']}
";

#[test]
fn a_group_made_by_runc() {
    if peer("runc").is_none() {
        return;
    }
    let Some(mut node) = Node::with(&["--runtime", "runc"]) else { return };
    let ran = node.run(GROUP, &["--allow-unverified"]);
    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());
    let before = node.until("by-runc", |group| {
        group["containers"][1]["state"]["state"] == "running"
            && node.ok(&["logs", "by-runc/web"]).lines().count() == 3
    });
    assert_eq!(node.ok(&["logs", "by-runc/web"]), "made\nhello\nwithheld b\n");
    let joined = node.command(&[
        "exec",
        "by-runc/web",
        "--",
        "sh",
        "-c",
        "id -u; grep Seccomp: /proc/self/status; exit 5",
    ]);
    assert_eq!((joined.status.code(), text(&joined.stdout)), (Some(5), "1000\nSeccomp:\t2\n".to_owned()));
    // Found by an agent that makes its own.
    node.kill();
    std::thread::sleep(Duration::from_millis(1200));
    node.forget_arguments();
    node.begin();
    let after = node.until("by-runc", |group| group["containers"][2]["ended"]["code"] == 4);
    assert_eq!(
        after["containers"][1]["state"]["pid"],
        before["containers"][1]["state"]["pid"],
        "{}",
        node.log()
    );
    assert_eq!(after["containers"][1]["restarts"], 0);
    // What starts again is made by this program.
    node.until("by-runc", |group| group["containers"][2]["restarts"].as_u64() > Some(0));
    node.ok(&["stop", "by-runc", "--grace", "20"]);
    assert_eq!(node.group("by-runc")["containers"][1]["ended"]["code"], 143);
    node.ok(&["rm", "by-runc"]);
    assert_eq!(node.left("by-runc"), Vec::<String>::new());
}

#[test]
fn what_a_runtime_refuses_is_told() {
    if peer("runc").is_none() {
        return;
    }
    // Says that it can do everything, and does nothing.
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().join("runtime");
    let script = "#!/bin/sh\ncase \"$*\" in\n  features) exec $RUNC features;;\n  *create*) while [ $1 != --log ]; do shift; done\n    \
                  echo '{\"level\":\"error\",\"msg\":\"not on this machine\"}' > \"$2\"; exit 1;;\nesac\n"
        .replace("$RUNC", &peer("runc").unwrap().display().to_string());
    fs::write(&runtime, script).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755)).unwrap();
    let Some(node) = Node::with(&["--runtime", runtime.to_str().unwrap()]) else { return };
    let image = node.image.clone();
    let refused =
        node.command(&["run", "--allow-unverified", "--name", "refused-by-runc", &image, "--", "true"]);
    let said = text(&refused.stderr) + &node.log();
    assert!(!refused.status.success() && said.contains("ended with 1: not on this machine"), "{said}");
    node.command(&["rm", "--force", "refused-by-runc"]);
    assert_eq!(node.left("refused-by-runc"), Vec::<String>::new());
}

#[test]
fn runtimes_that_cannot_do_what_plans_say() {
    if !boltseal_sys::is_root() {
        return;
    }
    let user = User::new();
    let lacking = user
        .write("lacking", "#!/bin/sh\necho '{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.0.2\"}'\n");
    let silent = user.write("silent", "#!/bin/sh\necho 'unknown command: features' >&2; exit 1\n");
    for file in [&lacking, &silent] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let socket = user.home().join("agent.sock").display().to_string();
    for (runtime, why) in [
        ("nosuch-runtime", "there is no runtime nosuch-runtime on this node"),
        ("/nowhere/runc", "/nowhere/runc cannot be run"),
        (
            lacking.as_str(),
            "it has no user namespace, no namespaces of its own for everything, no filter of system calls",
        ),
        (
            silent.as_str(),
            "does not say what it can do (`features`, as runc does since 1.1): unknown command: features",
        ),
    ] {
        let args = ["agent", "--groups", "--without-docker", "--socket", &socket, "--runtime", runtime];
        user.run(&args).ended(2).complained(&[why, "leave --runtime out"]);
    }
}
