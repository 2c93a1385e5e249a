//! Groups replaced by new ones of their names, under clients that ask without pause.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::fd::AsFd as _,
    process::{Command, Output},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    killed::Network,
    node::{Node, text},
    running::hold_to,
};

/// How long an answer may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// A network of their own in which node and clients are, and which outlives an agent.
fn within(name: &str, body: impl FnOnce(Node, &str) + Send) {
    if !boltseal_sys::is_root() {
        return boltseal_testkit::skip("only root can run containers for others");
    }
    // Control groups are those of the machine, so that agents beside each other need groups of different names.
    let name = format!("{name}-{}", std::process::id());
    let network = Network::new(&name);
    let up = Command::new("ip").args(["-netns", &name, "link", "set", "lo", "up"]).status().unwrap();
    assert!(up.success());
    let inside = fs::File::open(format!("/run/netns/{name}")).unwrap();
    thread::scope(|scope| {
        let body = scope.spawn(|| {
            boltseal_agent::network::enter(inside.as_fd()).unwrap();
            let Some(node) = Node::within(network.name().to_owned(), &[]) else { return };
            body(node, &name);
        });
        body.join().unwrap();
    });
}

/// A group that answers with a version to whoever connects, and waits with that as long as it is told `hold`.
fn group(name: &str, version: &str, more: &str) -> String {
    let serve = "read -r word; [ \"$word\" = hold ] && read -r word; echo $VERSION";
    format!(
        "type: Microsoft.ContainerInstance/containerGroups\nname: {name}\nproperties:\n  osType: Linux\n  \
         ipAddress: {{type: Public, ports: [{{port: 8080}}]}}\n  containers:\n  - name: web\n    properties:\n      \
         image: alpine\n      environmentVariables: [{{name: VERSION, value: {version}}}]\n      \
         command: [nc, -lk, -p, '8080', -e, sh, -c, '{serve}']\n{more}"
    )
}

/// Who answers, or why nobody does.
fn ask() -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(("127.0.0.1", 8080))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"who\n")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    if said.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(said.trim().to_owned()) }
}

/// Asks without pause while `body` runs: every question is answered. Gives the answers without repetitions.
fn asked_meanwhile(body: impl FnOnce() + Send) -> Vec<String> {
    let (over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let answers = thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut answers: Vec<String> = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let answer =
                    ask().unwrap_or_else(|error| panic!("after {count:?} answers, {answers:?}: {error}"));
                count.fetch_add(1, Ordering::SeqCst);
                if answers.last() != Some(&answer) {
                    answers.push(answer);
                }
            }
            answers
        });
        // In the network of whoever calls, as every thread that it starts.
        let done = scope.spawn(body).join();
        // What is so now is asked for once more.
        let until = count.load(Ordering::SeqCst) + 2;
        while count.load(Ordering::SeqCst) < until && !client.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        over.store(true, Ordering::SeqCst);
        let answers = client.join();
        done.unwrap();
        answers.unwrap()
    });
    assert!(count.into_inner() > 2);
    answers
}

#[track_caller]
fn rollout(node: &Node, definition: &str, more: &[&str]) -> Output {
    let file = node.data.path().join("new.yaml");
    fs::write(&file, definition).unwrap();
    let image = format!("alpine={}", node.image);
    let mut arguments = vec!["rollout", file.to_str().unwrap(), "--image", &image, "--allow-unverified"];
    arguments.extend(more);
    node.command(&arguments)
}

#[track_caller]
fn begin(node: &Node, definition: &str) {
    let done = node.run(definition, &["--allow-unverified"]);
    assert!(done.status.success(), "{}\n{}", text(&done.stderr), node.log());
    let begun = Instant::now();
    while ask().is_err() {
        assert!(begun.elapsed() < PATIENCE, "{}", node.log());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Names and states of all groups.
fn states(node: &Node) -> Vec<(String, String)> {
    let listed: Value = serde_json::from_str(&node.ok(&["ps", "--format", "json"])).unwrap();
    hold_to("groups", &listed);
    let groups = listed.as_array().unwrap();
    let of = |group: &Value, what: &str| group[what].as_str().unwrap().to_owned();
    groups.iter().map(|group| (of(group, "name"), of(group, "state"))).collect()
}

/// Waits until these groups are there, and no others: a keeper finds what runs a moment after its agent answers.
#[track_caller]
fn until(node: &Node, wanted: &[(&str, &str)]) {
    let begun = Instant::now();
    while states(node) != pairs(wanted) {
        assert!(begun.elapsed() < PATIENCE, "{:?}\n{}", states(node), node.log());
        thread::sleep(Duration::from_millis(20));
    }
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn no_question_is_lost() {
    within("rolled", |node, name| {
        let missing = rollout(&node, &group(name, "v2", ""), &[]);
        assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
        begin(&node, &group(name, "v1", ""));
        let (first, second, third) = (format!("{name}--1"), format!("{name}--2"), format!("{name}--3"));
        let ok = |done: Output| assert!(done.status.success(), "{}\n{}", text(&done.stderr), node.log());
        let answers = asked_meanwhile(|| ok(rollout(&node, &group(name, "v2", ""), &[])));
        assert_eq!(answers, ["v1", "v2"]);
        assert_eq!(states(&node), pairs(&[(&first, "stopped"), (name, "running")]));
        // One that ends, and one that is never ready: the old one serves on, and nothing is left.
        let ready = "      readinessProbe: {exec: {command: ['false']}, periodSeconds: 1}\n";
        let ends = group(name, "v3", "  restartPolicy: Never\n").replace("nc, -lk", "'false', -lk");
        for (definition, wait, why) in
            [(ends, "60", "ended"), (group(name, "v3", ready), "10", "readiness probe")]
        {
            let answers = asked_meanwhile(|| {
                let done = rollout(&node, &definition, &["--wait", wait]);
                let said = text(&done.stderr);
                assert_eq!(done.status.code(), Some(3), "{said}");
                assert!(said.contains(why) && said.contains("serves as before"), "{said}");
            });
            assert_eq!(answers, ["v2"]);
            assert_eq!(states(&node), pairs(&[(&first, "stopped"), (name, "running")]));
        }
        // There and back.
        let answers = asked_meanwhile(|| {
            let rolled = serde_json::from_str(&node.ok(&["rollback", name, "--format", "json"])).unwrap();
            hold_to("groups", &rolled);
        });
        assert_eq!(answers, ["v2", "v1"]);
        assert_eq!(states(&node), pairs(&[(name, "running"), (&second, "stopped")]));
        // Both stay, so that a rollback takes no start; and who was kept before is gone.
        let answers = asked_meanwhile(|| {
            ok(rollout(&node, &group(name, "v3", ""), &["--strategy", "blue-green"]));
        });
        assert_eq!(answers, ["v1", "v3"]);
        assert_eq!(states(&node), pairs(&[(&first, "running"), (name, "running")]));
        assert_eq!(node.group(&third)["name"], name);
        let answers = asked_meanwhile(|| drop(node.ok(&["rollback", name, "--strategy", "blue-green"])));
        assert_eq!(answers, ["v3", "v1"]);
        // Who has the name takes those with it that had it.
        node.ok(&["rm", "--force", name]);
        assert!(states(&node).is_empty());
        assert_eq!(node.left(name), Vec::<String>::new());
        assert!(node.run(&group(name, "v4", ""), &["--allow-unverified"]).status.success());
    });
}

#[test]
fn an_agent_that_is_killed_leaves_one_that_serves() {
    within("halfway", |mut node, name| {
        begin(&node, &group(name, "v1", ""));
        let (first, second) = (format!("{name}--1"), format!("{name}--2"));
        // Killed while the new one is tried.
        let ready = "      readinessProbe: {exec: {command: ['false']}, periodSeconds: 1}\n";
        let answers = asked_meanwhile(|| {
            thread::scope(|scope| {
                let rolled = scope.spawn(|| rollout(&node, &group(name, "v2", ready), &[]));
                let begun = Instant::now();
                while !states(&node).contains(&(second.clone(), "running".to_owned())) {
                    assert!(begun.elapsed() < PATIENCE && !rolled.is_finished(), "{}", node.log());
                    thread::sleep(Duration::from_millis(20));
                }
                kill(&node);
                assert_eq!(rolled.join().unwrap().status.code(), Some(3));
            });
            node.begin_again();
            until(&node, &[(name, "running")]);
        });
        assert_eq!(answers, ["v1"]);
        // Killed while somebody still talks with the old one.
        let mut held = TcpStream::connect(("127.0.0.1", 8080)).unwrap();
        held.set_read_timeout(Some(PATIENCE)).unwrap();
        held.write_all(b"hold\n").unwrap();
        let answers = asked_meanwhile(|| {
            thread::scope(|scope| {
                let rolled = scope.spawn(|| rollout(&node, &group(name, "v2", ""), &["--drain", "600"]));
                let begun = Instant::now();
                while !states(&node).contains(&(first.clone(), "running".to_owned())) {
                    assert!(begun.elapsed() < PATIENCE && !rolled.is_finished(), "{}", node.log());
                    thread::sleep(Duration::from_millis(20));
                }
                kill(&node);
                rolled.join().unwrap();
            });
            node.begin_again();
            until(&node, &[(&first, "running"), (name, "running")]);
        });
        assert_eq!(answers, ["v1", "v2"]);
        // That conversation ends well, and then the old one.
        held.write_all(b"go on\n").unwrap();
        let mut said = String::new();
        held.read_to_string(&mut said).unwrap();
        assert_eq!(said, "v1\n");
        drop(held);
        node.until(&first, |group| group["state"] == "stopped");
        assert_eq!(ask().unwrap(), "v2");
        let answers = asked_meanwhile(|| drop(node.ok(&["rollback", name])));
        assert_eq!(answers, ["v2", "v1"]);
    });
}

/// At once, as when memory runs out.
fn kill(node: &Node) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(node.pid().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
