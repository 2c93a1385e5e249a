//! Container groups run by an agent, asked by the commands that people use.

use std::{
    fs,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use boltseal_testkit::{peer, shared, skip};
use serde_json::Value;

use crate::running::hold_to;

pub const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";

/// Where an agent is.
enum Network {
    /// In a network namespace of its own, gone with it.
    Own,
    /// In one that is not.
    Named(String),
    /// In that of the test's thread.
    Here,
}

/// An agent in a network of its own, whose folders are gone with it.
pub struct Node {
    pub data: tempfile::TempDir,
    run: tempfile::TempDir,
    agent: Option<Child>,
    network: Network,
    /// More arguments of the agent, and the folder where it finds what its user trusts.
    more: Vec<String>,
    home: Option<PathBuf>,
    pub image: String,
}

impl Node {
    pub fn new() -> Option<Self> {
        Self::at(Network::Own, Vec::new(), None)
    }

    /// With more arguments.
    pub fn with(more: &[&str]) -> Option<Self> {
        Self::at(Network::Own, more.iter().map(|word| (*word).to_owned()).collect(), None)
    }

    /// With its folder on a disk.
    pub fn on(disk: &Path) -> Option<Self> {
        Self::in_folder(Network::Own, Vec::new(), None, tempfile::tempdir_in(disk).unwrap())
    }

    /// The next agent is started without them.
    pub fn forget_arguments(&mut self) {
        self.more.clear();
    }

    /// In the network namespace of this thread, with more arguments, as somebody with this home folder.
    pub fn here(more: &[&str], home: &Path) -> Option<Self> {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        Self::at(Network::Here, more, Some(home.to_owned()))
    }

    /// In a network namespace of this name, made by `ip netns`.
    pub fn within(network: String) -> Option<Self> {
        Self::at(Network::Named(network), Vec::new(), None)
    }

    fn at(network: Network, more: Vec<String>, home: Option<PathBuf>) -> Option<Self> {
        Self::in_folder(network, more, home, tempfile::tempdir().unwrap())
    }

    fn in_folder(
        network: Network,
        more: Vec<String>,
        home: Option<PathBuf>,
        data: tempfile::TempDir,
    ) -> Option<Self> {
        if !boltseal_sys::is_root() {
            skip("only root can run containers for others");
            return None;
        }
        let image = format!("docker-archive:{}", shared(ALPINE)?.display());
        // In memory already, so that the agent has nothing to mount there.
        let run = tempfile::tempdir_in("/dev/shm").unwrap();
        let mut node = Self { data, run, agent: None, network, more, home, image };
        // Users of containers have to get through.
        for folder in [node.data.path(), node.run.path()] {
            fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        }
        node.begin();
        Some(node)
    }

    /// Starts an agent, and waits until it answers.
    pub fn begin(&mut self) {
        let mut agent = match &self.network {
            Network::Own => {
                let mut unshare = Command::new("unshare");
                unshare.arg("--net");
                unshare
            }
            Network::Named(name) => {
                let mut enter = Command::new("nsenter");
                enter.arg(format!("--net=/run/netns/{name}"));
                enter
            }
            Network::Here => Command::new("env"),
        };
        agent.args(["--", env!("CARGO_BIN_EXE_boltseal"), "agent", "--groups", "--without-docker"]);
        agent.arg("--socket").arg(self.socket()).arg("--data").arg(self.data.path()).args(&self.more);
        agent.envs(self.home.as_ref().map(|home| ("HOME", home)));
        let log = fs::File::options().create(true).append(true).open(self.data.path().join("log")).unwrap();
        let mut agent = agent.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let begun = Instant::now();
        while self.command(&["ps"]).status.code() != Some(0) {
            let is_gone = agent.try_wait().unwrap().is_some();
            assert!(!is_gone && begun.elapsed() < Duration::from_mins(1), "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.agent = Some(agent);
    }

    /// Kills the agent. The network namespace that it was in goes with it, as with a machine that was unplugged.
    pub fn kill(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    /// The agent's number.
    pub fn pid(&self) -> Option<u32> {
        self.agent.as_ref().map(Child::id)
    }

    /// Waits for an agent that was killed, and starts another.
    pub fn begin_again(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.wait().unwrap();
        }
        self.begin();
    }

    /// Whether the agent is gone.
    pub fn is_gone(&mut self) -> bool {
        self.agent.as_mut().is_none_or(|agent| agent.try_wait().unwrap().is_some())
    }

    pub fn socket(&self) -> PathBuf {
        self.run.path().join("agent.sock")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boltseal"));
        command.args(arguments).env("BOLTSEAL_DATA", self.data.path());
        command.env("BOLTSEAL_AGENT", self.socket()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that has to succeed; gives what it prints.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}\n{}", self.log());
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs what stands in a file; images called `alpine` are the fixture's.
    pub fn run(&self, definition: &str, more: &[&str]) -> Output {
        let file = self.data.path().join("group.yaml");
        fs::write(&file, definition).unwrap();
        let image = format!("alpine={}", self.image);
        let mut arguments = vec!["run", file.to_str().unwrap(), "--image", &image];
        arguments.extend(more);
        self.command(&arguments)
    }

    pub fn group(&self, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["inspect", name, "--format", "json"])).unwrap()
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let group = self.group(name);
            if is_so(&group) {
                return group;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{group:#}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the machine has of this node's groups: mounts, control groups, links.
    pub fn left(&self, group: &str) -> Vec<String> {
        let run = self.run.path().display().to_string();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut left: Vec<String> =
            mounts.lines().filter(|line| line.contains(&run)).map(str::to_owned).collect();
        let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        // Of version 2, all lie in one folder.
        for hierarchy in hierarchies.map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]) {
            let place = hierarchy.join("boltseal").join(group);
            left.extend(place.exists().then(|| place.display().to_string()));
        }
        for folder in ["groups", "state"] {
            let entries = fs::read_dir(self.run.path().join(folder)).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| entry.path().display().to_string()));
        }
        left
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some(mut agent) = self.agent.take() else { return };
        let groups: Vec<Value> =
            serde_json::from_slice(&self.command(&["ps", "--format", "json"]).stdout).unwrap_or_default();
        for group in groups {
            self.command(&["rm", "--force", group["name"].as_str().unwrap_or_default()]);
        }
        let _ = agent.kill();
        let _ = agent.wait();
    }
}

/// Puts this thread, and what it starts, into a network that is neither the machine's nor another test's, and outlives agents.
/// False where that cannot be.
pub fn own_network() -> bool {
    if !boltseal_sys::is_root() || peer("ip").is_none() {
        return false;
    }
    let network = boltseal_sys::network_namespace().unwrap();
    boltseal_sys::enter_network(network.as_fd()).unwrap();
    Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success()
}

pub fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

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
name: long
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
    let before = node.until("long", |group| {
        group["containers"].as_array().unwrap().iter().all(|one| one["state"]["state"] == "running")
    });
    node.kill();
    std::thread::sleep(Duration::from_millis(700));
    node.begin();
    let after = node.until("long", |group| group["containers"][1]["ended"]["code"] == 4);
    // The one is the same process, with all that it wrote; of the other, it is known how it ended while nobody looked.
    assert_eq!(
        after["containers"][0]["state"]["pid"],
        before["containers"][0]["state"]["pid"],
        "{}",
        node.log()
    );
    assert_eq!(after["containers"][0]["restarts"], before["containers"][0]["restarts"]);
    let said = node.ok(&["logs", "long/on"]);
    let numbers: Vec<u32> = said.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!(numbers.len() > 12 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{said}");
    node.until("long", |group| group["containers"][1]["restarts"].as_u64() > Some(0));
    node.ok(&["rm", "--force", "long"]);
    assert_eq!(node.left("long"), Vec::<String>::new());
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
