//! What runs containers, killed at any moment: nothing is left over, and nothing is lost.

use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use boltseal_testkit::peer;
use rustix::process::{Pid, Signal, kill_process};

use crate::node::Node;

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: NAME
properties:
  osType: Linux
  volumes: [{name: scratch, emptyDir: {}}, {name: keys, secret: {key: aGVsbG8=}}]
  initContainers:
  - name: first
    properties: {image: alpine, command: ['true'], volumeMounts: [{name: scratch, mountPath: /data}]}
  containers:
  - name: web
    properties: {image: alpine, command: [sleep, '1000'], volumeMounts: [{name: scratch, mountPath: /data}, {name: keys, mountPath: /keys}]}
  - name: other
    properties: {image: alpine, command: [sleep, '1000']}
";

/// Whom to kill.
#[derive(Clone, Copy, Debug)]
enum Role {
    /// What keeps the groups.
    Agent,
    /// What makes a container.
    Runtime,
    /// The other runtime that it has do that.
    Other,
    /// The first process of a container.
    Init,
}

/// How often each role is killed: a share of `BOLTSEAL_CRASH_KILLS`, or else so many times.
fn kills(otherwise: u32) -> u32 {
    std::env::var("BOLTSEAL_CRASH_KILLS")
        .ok()
        .and_then(|kills| kills.parse::<u32>().ok())
        .map_or(otherwise, |kills| kills / 25)
}

/// Different moments in each run, told where something fails.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// A network namespace of this name, as long as this lives.
pub struct Network(String);

impl Network {
    pub fn new(name: &str) -> Self {
        assert!(Command::new("ip").args(["netns", "add", name]).status().unwrap().success());
        Self(name.to_owned())
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// Links that belong to groups.
    fn links(&self) -> Vec<String> {
        let told = Command::new("ip").args(["-netns", &self.0, "-oneline", "link"]).output().unwrap();
        let text = String::from_utf8(told.stdout).unwrap();
        text.lines().filter(|line| line.contains("@if")).map(str::to_owned).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

/// Processes whose arguments are these, among those that `agent` or nobody is the parent of.
fn processes(is_it: impl Fn(&[&str]) -> bool) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        is_it(&line.trim_end_matches('\0').split('\0').collect::<Vec<_>>())
    })
    .collect()
}

/// Kills one; gives whether there was one.
fn kill(role: Role, node: &Node, groups: &[String]) -> bool {
    let pids = match role {
        Role::Agent => node.pid().and_then(|pid| i32::try_from(pid).ok()).into_iter().collect(),
        // All of this program in that role that belong to groups of this test, by their control group or their parent.
        Role::Runtime | Role::Init => {
            let agent = node.pid().map(|pid| pid.to_string()).unwrap_or_default();
            let mut pids = processes(is_ours);
            pids.retain(|pid| {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                let is_first = status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"));
                let of_agent = status.lines().any(|line| line == format!("PPid:\t{agent}"));
                let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
                let of_groups = groups.iter().any(|name| cgroups.contains(&format!("/boltseal/{name}/")));
                if matches!(role, Role::Init) { is_first && of_groups } else { of_agent && !is_first }
            });
            pids
        }
        // By the folder of the states of this node's containers, which stands in its arguments.
        Role::Other => {
            let state = node.state().display().to_string();
            let is_it = |line: &[&str]| {
                line.first().is_some_and(|name| name.ends_with("runc"))
                    && line.iter().any(|word| word.starts_with(&state))
            };
            processes(is_it)
        }
    };
    let killed =
        pids.into_iter().filter_map(Pid::from_raw).map(|pid| kill_process(pid, Signal::KILL).is_ok());
    killed.filter(|killed| *killed).count() > 0
}

/// Whether these are the arguments of this program where it makes containers, or is the first process of one.
fn is_ours(line: &[&str]) -> bool {
    line.get(1) == Some(&"__runtime") || line.contains(&"__init")
}

fn check(role: Role, name: &str) {
    check_with(role, name, &[], 4);
}

/// The same where `runc` makes the containers.
fn check_runc(role: Role, name: &str) {
    if peer("runc").is_some() {
        check_with(role, name, &["--runtime", "runc"], 2);
    }
}

fn check_with(role: Role, name: &str, arguments: &[&str], otherwise: u32) {
    if peer("ip").is_none() {
        return;
    }
    let network = Network::new(&format!("boltseal-{name}-{}", std::process::id()));
    let Some(mut node) = Node::within(network.0.clone(), arguments) else { return };
    let seed = u64::from(std::process::id());
    let mut moments = Moments(seed);
    // So that images are there and starts are all that takes time.
    let groups = ["a", "b"].map(|group| format!("{name}-{}-{group}", std::process::id()));
    let definitions = groups.clone().map(|group| {
        let file = node.data.path().join(format!("{group}.yaml"));
        fs::write(&file, GROUP.replace("NAME", &group)).unwrap();
        file
    });
    for round in 0..kills(otherwise) {
        let stopping = AtomicBool::new(false);
        let (socket, image) = (node.socket(), format!("alpine={}", node.image));
        let data = node.data.path().to_owned();
        let ask = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_boltseal"));
            command.args(arguments).env("BOLTSEAL_AGENT", &socket).env("BOLTSEAL_DATA", &data);
            command.stdin(Stdio::null()).output().unwrap().status.success()
        };
        // What was acknowledged, and not taken back.
        let mut acknowledged = [false, false];
        let after = moments.next(400);
        thread::scope(|scope| {
            let (ask, stopping, image) = (&ask, &stopping, &image);
            let tasks: Vec<_> = groups
                .iter()
                .zip(&definitions)
                .map(|(group, file)| {
                    scope.spawn(move || {
                        let file = file.to_str().unwrap();
                        let mut there = false;
                        while !stopping.load(Ordering::Relaxed) {
                            there = ask(&["run", file, "--image", image, "--allow-unverified"]);
                            if stopping.load(Ordering::Relaxed) {
                                break;
                            }
                            // Told before it is asked: whether it was done is not known where nobody answers.
                            there = false;
                            ask(&["rm", "--force", group]);
                        }
                        there
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(after));
            for _ in 0..2_000 {
                if kill(role, &node, &groups) {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
            stopping.store(true, Ordering::Relaxed);
            for (task, there) in tasks.into_iter().zip(&mut acknowledged) {
                *there = task.join().unwrap();
            }
        });
        if node.is_gone() || matches!(role, Role::Agent) {
            node.begin_again();
        }
        let told = format!("{role:?}, round {round} of seed {seed}, after {after} ms");
        settled(&node, &network, &groups, acknowledged, &told);
    }
}

/// After it was recovered: what was acknowledged is there and runs, and once it is removed, nothing is.
fn settled(node: &Node, network: &Network, groups: &[String; 2], acknowledged: [bool; 2], told: &str) {
    for (group, there) in groups.iter().zip(acknowledged) {
        let is_listed = node.command(&["inspect", group]).status.success();
        assert!(is_listed || !there, "{told}: {group} was acknowledged and is lost\n{}", node.log());
        if is_listed {
            // Killed while it removed the group, it may have come as far as to stop it.
            node.until(group, |group| group["state"] == "running" || (!there && group["state"] == "stopped"));
            node.ok(&["rm", "--force", group]);
        }
    }
    for group in groups {
        assert_eq!(node.left(group), Vec::<String>::new(), "{told}\n{}", node.log());
    }
    assert_eq!(network.links(), Vec::<String>::new(), "{told}\n{}", node.log());
    let unfinished = fs::read_dir(node.data.path().join("agent/layers/unfinished")).into_iter().flatten();
    assert_eq!(unfinished.count(), 0, "{told}");
    let of_groups = |pid: &i32| {
        let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        groups.iter().any(|name| cgroups.contains(name.as_str()))
    };
    assert!(!processes(is_ours).iter().any(of_groups), "{told}");
}

#[test]
fn the_agent() {
    check(Role::Agent, "agent");
}

#[test]
fn what_makes_containers() {
    check(Role::Runtime, "runtime");
}

#[test]
fn the_first_process_of_containers() {
    check(Role::Init, "init");
}

#[test]
fn the_agent_with_runc() {
    check_runc(Role::Agent, "agent-runc");
}

#[test]
fn what_has_runc_make_containers() {
    check_runc(Role::Runtime, "runtime-runc");
}

#[test]
fn runc_itself() {
    check_runc(Role::Other, "runc");
}

#[test]
fn the_first_process_of_containers_made_by_runc() {
    check_runc(Role::Init, "init-runc");
}
