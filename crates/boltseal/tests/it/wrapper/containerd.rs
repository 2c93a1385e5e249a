//! containerd with its shim, started with the configuration that was edited, and asked by `ctr`.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use boltseal_testkit::{peer, shared};

use super::{ALPINE, LOOK, Node, STATUS};
use crate::service::PATIENCE;

/// Ended when dropped.
struct Containerd {
    process: Child,
    ctr: PathBuf,
    socket: String,
}

impl Containerd {
    fn start(node: &Node) -> Option<Self> {
        let (program, ctr) = (peer("containerd")?, peer("ctr")?);
        let log = File::create(node.path("log")).unwrap();
        let process = Command::new(program)
            .args(["--config", &node.text("engine.conf")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Self { process, ctr, socket: node.text("socket") };
        let begun = Instant::now();
        while started.ask(&["version"]).is_err() {
            let log = fs::read_to_string(node.path("log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "containerd does not answer: {log}");
            sleep(Duration::from_millis(100));
        }
        Some(started)
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let output =
            Command::new(&self.ctr).args(["--address", &self.socket]).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    #[track_caller]
    fn must(&self, arguments: &[&str]) -> String {
        self.ask(arguments).unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        let _ended = self.ask(&["task", "kill", "--signal", "KILL", "web"]);
        let _removed = self.ask(&["task", "rm", "--force", "web"]);
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[test]
fn containerd_starts_hardened_containers() {
    let (Some(node), Some(archive)) = (Node::new("containerd"), shared(ALPINE)) else { return };
    if ["containerd-shim-runc-v2", "runc"].iter().any(|program| peer(program).is_none()) {
        return;
    }
    let before = format!(
        "version = 2\nroot = '{}'\nstate = '{}'\n[grpc]\naddress = '{}'\n",
        node.text("data"),
        node.text("run"),
        node.text("socket")
    );
    fs::write(node.path("engine.conf"), &before).unwrap();
    node.install();
    let Some(containerd) = Containerd::start(&node) else { return };
    let plain = File::create(node.path("alpine.tar")).unwrap();
    assert!(Command::new("gzip").arg("-dc").arg(archive).stdout(plain).status().unwrap().success());
    containerd.must(&["image", "import", "--snapshotter", "native", &node.text("alpine.tar")]);
    let image = containerd.must(&["image", "ls", "-q"]).trim().to_owned();

    // `ctr` goes by no configuration, so it is told what that says; kubelets' pods go by it.
    let edited = fs::read_to_string(node.path("engine.conf")).unwrap();
    assert!(edited.contains(&format!("BinaryName = \"{}\"", node.text("lib/containerd"))), "{edited}");
    let through = ["--snapshotter", "native", "--runc-binary", &node.text("lib/containerd")];
    let run = |more: &[&str], rest: &[&str]| {
        containerd.ask(&[&["run"], &through[..], more, &[&image], rest].concat())
    };
    let said = run(&["--rm"], &["once", "sh", "-c", LOOK]).unwrap();
    assert_eq!(said, format!("{STATUS}\n"));
    run(&["--detach"], &["web", "sleep", "1000"]).unwrap();
    let script = format!("{LOOK}; cp /bin/busybox /dev/shm/x && /dev/shm/x true");
    let said = containerd.ask(&["task", "exec", "--exec-id", "one", "web", "sh", "-c", &script]).unwrap_err();
    assert!(said.starts_with(STATUS) && said.contains("/dev/shm/x: Permission denied"), "{said}");
    for (more, setting) in [
        (&["--privileged"][..], "privileged: true"),
        (&["--net-host"], "host_namespaces: [network]"),
        (&["--mount", "type=bind,src=/etc,dst=/host,options=rbind:ro"], "mounts: [/etc]"),
    ] {
        let said = run(&[&["--rm"], more].concat(), &["refused", "true"]).unwrap_err();
        assert!(said.contains(setting) && said.contains("etc/wrapper.yaml"), "{more:?}: {said}");
        let _gone = containerd.ask(&["container", "rm", "refused"]);
    }
    drop(containerd);
    node.engine("uninstall", &[]).ended(0).complained(&["is as it was"]);
    assert_eq!(fs::read_to_string(node.path("engine.conf")).unwrap(), before);
}
