//! A node that runs container groups: an agent with folders of its own, asked by the commands that people use.

use std::{
    fs,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use boltseal_testkit::{peer, shared, skip};
use serde_json::Value;

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
    pub fn within(network: String, more: &[&str]) -> Option<Self> {
        Self::at(Network::Named(network), more.iter().map(|word| (*word).to_owned()).collect(), None)
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

    /// Where the states of its containers are.
    pub fn state(&self) -> PathBuf {
        self.run.path().join("state")
    }

    pub fn socket(&self) -> PathBuf {
        self.run.path().join("agent.sock")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boltseal"));
        self.let_ask(&mut command);
        command.args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Has a command ask this node.
    pub fn let_ask(&self, command: &mut Command) {
        command.env("BOLTSEAL_DATA", self.data.path()).env("BOLTSEAL_AGENT", self.socket());
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
