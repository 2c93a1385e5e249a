//! Container groups run by an agent, asked by the commands that people use.

use std::{process::Output, time::Duration};

use serde_json::Value;

use crate::{
    node::{Node, text},
    running::hold_to,
};

#[test]
fn an_image_from_its_start_to_its_end() {
    let Some(node) = Node::new() else { return };
    let image = node.image.clone();
    // Nobody allowed it.
    let refused = node.command(&["run", &image, "--name", "once"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("--allow-unverified"), "{}", text(&refused.stderr));
    assert_eq!(node.ok(&["ps", "--format", "json"]), "[]\n");
    // Run to its end.
    let script = "echo out; echo err >&2; cat /etc/hostname; exit 9";
    let done = node.command(&[
        "run",
        "--rm",
        "--allow-unverified",
        "--name",
        "once",
        "-e",
        "A=b c",
        &image,
        "--",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(
        (done.status.code(), text(&done.stdout)),
        (Some(9), "out\nonce\n".to_owned()),
        "{}",
        text(&done.stderr)
    );
    assert!(text(&done.stderr).ends_with("err\n"), "{}", text(&done.stderr));
    assert_eq!(node.left("once"), Vec::<String>::new());
}

#[test]
fn a_container_that_runs_beside_others() {
    let Some(node) = Node::new() else { return };
    let image = node.image.clone();
    let script = "echo $A; while true; do sleep 0.1; done";
    node.ok(&[
        "run",
        "-d",
        "--allow-unverified",
        "--name",
        "long",
        "-e",
        "A=b c",
        &image,
        "--",
        "sh",
        "-c",
        script,
    ]);
    node.until("long", |group| group["state"] == "running");
    let again = node.command(&["run", "-d", "--allow-unverified", "--name", "long", &image]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    while node.ok(&["logs", "long"]) != "b c\n" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let joined = node.command(&["exec", "long", "--", "sh", "-c", "echo in; id -u; exit 5"]);
    assert_eq!((joined.status.code(), text(&joined.stdout)), (Some(5), "in\n0\n".to_owned()));
    let processes: Value = serde_json::from_str(&node.ok(&["top", "long", "--format", "json"])).unwrap();
    hold_to("groups", &processes);
    let processes = processes.as_array().unwrap();
    assert_eq!((processes[0]["inside"].as_i64(), processes[0]["user"].as_i64()), (Some(1), Some(0)));
    assert!(processes.len() >= 2);
    assert!(text(&node.command(&["rm", "long"]).stderr).contains("--force"));
    node.ok(&["stop", "long", "--grace", "20"]);
    let stopped = node.group("long");
    assert_eq!(stopped["state"], "stopped");
    assert_eq!(
        (&stopped["containers"][0]["ended"]["code"], &stopped["containers"][0]["ended"]["why"]),
        (&143.into(), &"stopped".into())
    );
    node.ok(&["start", "long"]);
    node.until("long", |group| group["state"] == "running");
    node.ok(&["rm", "--force", "long"]);
    assert_eq!(node.left("long"), Vec::<String>::new());
    assert_eq!(
        whats(&node, "long"),
        [
            "group.run",
            "container.start",
            "container.exec",
            "group.stop",
            "container.end",
            "group.start",
            "container.start",
            "group.stop",
            "container.end",
            "group.remove",
        ]
    );
}

/// What happened to a group, in its order.
fn whats(node: &Node, group: &str) -> Vec<String> {
    let events = node.ok(&["events", "--json"]);
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["group"] == group)
        .map(|event| event["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_group_that_cannot_have_its_port_leaves_nothing() {
    let Some(node) = Node::new() else { return };
    let group = |name: &str| {
        format!(
            "type: Microsoft.ContainerInstance/containerGroups\nname: {name}\nproperties:\n  osType: Linux\n  \
             ipAddress: {{type: Public, ports: [{{port: 8080}}]}}\n  containers:\n  - name: web\n    \
             properties: {{image: alpine, command: [sleep, '1000']}}\n"
        )
    };
    let first = node.run(&group("first"), &["--allow-unverified"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = node.run(&group("second"), &["--allow-unverified"]);
    assert!(!second.status.success() && text(&second.stderr).contains("8080"), "{}", text(&second.stderr));
    let listed: Vec<Value> = serde_json::from_str(&node.ok(&["ps", "--format", "json"])).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    node.ok(&["rm", "--force", "first"]);
    assert_eq!(node.left("second"), Vec::<String>::new());
    let again = node.run(&group("second"), &["--allow-unverified"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
}

#[test]
fn containers_outlive_the_agent() {
    let Some(mut node) = Node::new() else { return };
    let group = r"
type: Microsoft.ContainerInstance/containerGroups
name: outlives
properties:
  osType: Linux
  containers:
  - name: on
    properties: {image: alpine, command: [sh, -c, 'echo began; i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done']}
  - name: ends
    properties: {image: alpine, command: [sh, -c, 'sleep 0.5; exit 4']}
";
    let done = node.run(group, &["--allow-unverified"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let before = node.until("outlives", |group| {
        group["containers"].as_array().unwrap().iter().all(|one| one["state"]["state"] == "running")
    });
    node.kill();
    std::thread::sleep(Duration::from_millis(700));
    node.begin();
    let after = node.until("outlives", |group| group["containers"][1]["ended"]["code"] == 4);
    // The one is the same process, with all that it wrote; of the other, it is known how it ended while nobody looked.
    assert_eq!(
        after["containers"][0]["state"]["pid"],
        before["containers"][0]["state"]["pid"],
        "{}",
        node.log()
    );
    assert_eq!(after["containers"][0]["restarts"], before["containers"][0]["restarts"]);
    let said = node.ok(&["logs", "outlives/on"]);
    let numbers: Vec<u32> = said.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!(numbers.len() > 12 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{said}");
    node.until("outlives", |group| group["containers"][1]["restarts"].as_u64() > Some(0));
    node.ok(&["rm", "--force", "outlives"]);
    assert_eq!(node.left("outlives"), Vec::<String>::new());
}

#[test]
fn whoever_asks_at_the_same_moment_comes_one_after_the_other() {
    let Some(node) = Node::new() else { return };
    let group = r"
type: Microsoft.ContainerInstance/containerGroups
name: one
properties:
  osType: Linux
  containers:
  - name: one
    properties:
      image: alpine
      command: [/bin/sleep, '1000']
      resources: {requests: {cpu: 1, memoryInGB: 0.1}}
";
    let ran = node.run(group, &["--allow-unverified"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let all_at_once = |arguments: &[&str]| -> Vec<Output> {
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..6).map(|_| scope.spawn(|| node.command(arguments))).collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).collect()
        })
    };
    for _ in 0..3 {
        node.ok(&["stop", "one", "--grace", "0"]);
        let asked = all_at_once(&["start", "one"]);
        let (done, refused): (Vec<_>, Vec<_>) = asked.iter().partition(|one| one.status.success());
        assert_eq!(done.len(), 1, "{refused:?}");
        assert!(refused.iter().all(|one| text(&one.stderr).contains("one runs")), "{refused:?}");
    }
    let asked = all_at_once(&["rm", "--force", "one"]);
    let (done, refused): (Vec<_>, Vec<_>) = asked.iter().partition(|one| one.status.success());
    assert_eq!(done.len(), 1, "{refused:?}");
    assert!(refused.iter().all(|one| text(&one.stderr).contains("there is no group one")), "{refused:?}");
    assert_eq!(node.left("one"), Vec::<String>::new());
}
