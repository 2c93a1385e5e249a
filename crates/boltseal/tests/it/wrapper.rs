//! Real engines that start their containers through `boltseal wrapper`: what can be done in these, and what is refused.

mod containerd;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use boltseal_testkit::{
    peer, shared, skip,
    tries::{By, tries},
};

use crate::{binary::User, docker_gate::Engine};

const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";
/// What the kernel says of a process that is hardened.
const STATUS: &str = "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2";
const LOOK: &str = "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status";

/// A node on which one engine is told.
struct Node {
    user: User,
    /// Short, as a socket's path may have 107 characters only.
    folder: tempfile::TempDir,
    engine: &'static str,
}

impl Node {
    fn new(engine: &'static str) -> Option<Self> {
        if !boltseal_sys::is_root() {
            skip("only root can run an engine");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("wrp").tempdir_in("/tmp").unwrap();
        Some(Self { user: User::new(), folder, engine })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn engine(&self, verb: &str, more: &[&str]) -> crate::binary::Ran {
        let (folder, settings) = (self.text("lib"), self.text("etc/wrapper.yaml"));
        let name = if verb == "status" { &[][..] } else { &[self.engine][..] };
        let fixed = ["--folder", &folder, "--settings", &settings];
        self.user.run(&[&["engine", verb], name, &fixed, more].concat())
    }

    fn install(&self) {
        self.engine("install", &["--config", &self.text("engine.conf")])
            .ended(0)
            .complained(&["which opens nothing", "next: "]);
        self.open("");
    }

    /// What this node opens.
    fn open(&self, lines: &str) {
        let own: Vec<String> = ["data", "run"].map(|name| self.text(name)).to_vec();
        let text = format!("version: 1\nengine_folders: [{}]\n{lines}\n", own.join(", "));
        fs::write(self.path("etc/wrapper.yaml"), text).unwrap();
        self.user.run(&["engine", "check", &self.text("etc/wrapper.yaml")]).ended(0);
    }
}

/// What a shell says of a script. Engines lose what a program writes that ends at once, on machines with much to do: asked again
/// until the end is there.
fn whole(ask: impl Fn(&str) -> Result<String, String>, script: &str) -> String {
    const END: &str = "(end)";
    let script = format!("exec 2>&1; {script}\necho '{END}'");
    for _ in 0..20 {
        if let Some(said) = ask(&script).unwrap_or_else(|said| said).strip_suffix(END) {
            return said.to_owned();
        }
    }
    panic!("{script}: {:?}", ask(&script));
}

/// What a container may not have, with the setting that would open it.
const REFUSED: [(&[&str], &str); 5] = [
    (&["--privileged"], "privileged: true"),
    (&["--volume", "/etc:/host"], "mounts: [/etc]"),
    (&["--pid=host"], "host_namespaces: [pid]"),
    (&["--ipc=host"], "host_namespaces: [ipc]"),
    (&["--device=/dev/full:/dev/other", "--device=/dev/kmsg"], "devices: [/dev/kmsg]"),
];

#[test]
fn docker_starts_hardened_containers() {
    let (Some(node), Some(archive)) = (Node::new("docker"), shared(ALPINE)) else { return };
    let before = "{ \"log-level\": \"warn\" }\n";
    fs::write(node.path("engine.conf"), before).unwrap();
    node.install();
    let Some(docker) = Engine::with(node.folder.path(), &node.path("engine.conf"), &[]) else { return };
    let loaded = docker.must(&["load", "--input", &archive.display().to_string()]);
    let image = loaded.rsplit(' ').next().unwrap().to_owned();

    // By `run`, by `exec`, and with a first program of Docker's.
    let limits =
        ["--network=none", "--hostname=sealed", "--read-only", "--tmpfs=/tmp:size=64m", "--shm-size=64m"];
    let more = [
        "--memory=128m",
        "--memory-swap=128m",
        "--pids-limit=512",
        "--ulimit=nofile=16384",
        "--ulimit=core=0",
    ];
    let run = |arguments: &[&str], command: &[&str]| {
        docker.ask(&[&["run", "--rm"], &limits[..], &more, arguments, &[&image], command].concat())
    };
    let script = format!("{LOOK}; cp /bin/busybox /w/x; /w/x true");
    let wanted = format!("{STATUS}\nsh: /w/x: Permission denied\n");
    for user in ["0", "1000"] {
        let tmpfs = "--tmpfs=/w:exec,mode=1777";
        for more in [&["--user", user, tmpfs][..], &["--user", user, tmpfs, "--init", "--cap-add=SYS_PTRACE"]]
        {
            assert_eq!(whole(|script| run(more, &["sh", "-c", script]), &script), wanted, "{more:?}");
        }
    }
    let sleeps = [&image, "sleep", "1000"];
    let container =
        docker.must(&[&["run", "--detach", "--name", "web"], &limits[..], &more, &sleeps].concat());
    let scripts: Vec<_> = tries(By::Engine).filter(|one| !one.script.contains("seq 600")).collect();
    let mut wrong = Vec::new();
    for user in ["0", "1000"] {
        let all = |script: &str| {
            let exec = ["exec", "--user", user, "web", "sh", "-c", script, "sh"];
            docker.ask(&exec.into_iter().chain(scripts.iter().map(|one| one.script)).collect::<Vec<_>>())
        };
        let said = whole(all, "for one; do rm -rf /tmp/* /dev/shm/*; sh -c \"$one\"; echo '(next)'; done");
        let said: Vec<&str> = said.split("(next)\n").collect();
        assert_eq!(said.len(), scripts.len() + 1);
        for (one, said) in scripts.iter().zip(said) {
            wrong.extend(one.wrong(said).map(|why| format!("{user}: {why}")));
        }
        docker.must(&["exec", "web", "sh", "-c", "rm -rf /tmp/* /dev/shm/*"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Codes are those of the program; what is not there is told.
    assert!(docker.ask(&["exec", "web", "sh", "-c", "exit 0"]).is_ok());
    assert_eq!(docker.ends(&["exec", "web", "sh", "-c", "exit 9"]).0, Some(9));
    assert_eq!(docker.ends(&["exec", "web", "nosuch"]).0, Some(127));
    let (code, said) = docker.ends(&["exec", "--privileged", "web", "true"]);
    assert!(code == Some(126) && said.contains("privileged: true"), "{code:?}: {said}");
    for (arguments, setting) in REFUSED {
        let said = run(arguments, &["true"]).unwrap_err();
        assert!(said.contains(setting) && said.contains("etc/wrapper.yaml"), "{arguments:?}: {said}");
    }
    // Nothing of what was refused is left.
    assert_eq!(docker.must(&["ps", "--all", "--quiet", "--no-trunc"]), container);

    what_landlock_adds(&docker, &image);

    // What is opened is open, at once; what cannot be read opens nothing.
    node.open("capabilities: [CHOWN]\nmounts: [/etc]\nexecutable: [/x]");
    let script =
        "grep CapEff /proc/self/status; cp /bin/busybox /x/busybox && /x/busybox echo runs; ls /host/passwd";
    let opened = ["--volume=/etc:/host:ro", "--tmpfs=/x:exec"];
    let said = whole(|script| run(&opened, &["sh", "-c", script]), script);
    assert!(
        said.contains("CapEff:\t0000000000000001") && said.contains("runs") && said.contains("/host/passwd"),
        "{said}"
    );
    fs::write(node.path("etc/wrapper.yaml"), "version: 1\ncapabilites: []\n").unwrap();
    let said = run(&[], &["true"]).unwrap_err();
    assert!(said.contains("capabilites"), "{said}");
    node.engine("status", &[]).ended(1).said(&["every container is refused"]);
    fs::remove_file(node.path("etc/wrapper.yaml")).unwrap();
    let said = run(&[], &["true"]).unwrap_err();
    assert!(said.contains("cannot read") && said.contains("wrapper.yaml"), "{said}");

    docker.must(&["rm", "--force", "web"]);
    drop(docker);
    node.engine("uninstall", &[]).ended(0).complained(&["is as it was"]);
    assert_eq!(fs::read_to_string(node.path("engine.conf")).unwrap(), before);
    assert!(!node.path("lib").exists());
}

/// With a root that can be written to, as it is by default.
fn what_landlock_adds(docker: &Engine, image: &str) {
    let run = |script: &str| {
        whole(|script| docker.ask(&["run", "--rm", "--network=none", image, "sh", "-c", script]), script)
    };
    if boltseal_sys::landlock_version() == 0 {
        return skip("the kernel has no Landlock");
    }
    // What the image has can be changed; a folder that was not there when the container started has no programs.
    let said =
        run("mkdir /new && cp /bin/busybox /new/busybox && /new/busybox echo ran; /bin/busybox echo fine");
    assert_eq!(said, "sh: /new/busybox: Permission denied\nfine\n");
    // What the image says to every loader is not said to ours, and a loader's list in the image does nothing.
    let said = docker.must(&[
        "run",
        "--rm",
        "--network=none",
        "--env=LD_PRELOAD=/lib/libz.so.1",
        image,
        "grep",
        "-c",
        "libz.so",
        "/proc/self/maps",
    ]);
    assert_ne!(said, "0", "the program itself gets its variables");
}

/// As `podman` is called on machines that let nobody raise limits.
fn podman(node: &Node, program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(["--root", &node.text("data"), "--runroot", &node.text("run"), "--storage-driver", "vfs"])
        .args(["--cgroup-manager", "cgroupfs", "--events-backend", "file"])
        .args(arguments)
        .env("CONTAINERS_CONF", node.path("engine.conf"))
        .env("HOME", node.folder.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn podman_starts_hardened_containers() {
    let (Some(node), Some(archive)) = (Node::new("podman"), shared(ALPINE)) else { return };
    let (Some(program), Some(_)) = (peer("podman"), peer("runc")) else { return };
    node.install();
    let ask = |arguments: &[&str]| podman(&node, &program, arguments);
    let must = |arguments: &[&str]| ask(arguments).unwrap_or_else(|said| panic!("{arguments:?}: {said}"));
    let plain = fs::File::create(node.path("alpine.tar")).unwrap();
    assert!(Command::new("gzip").arg("-dc").arg(archive).stdout(plain).status().unwrap().success());
    let loaded = must(&["load", "--quiet", "--input", &node.text("alpine.tar")]);
    let image = loaded.rsplit(' ').next().unwrap().to_owned();
    let fixed = ["--network=none", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--tmpfs=/w"];
    let run = |arguments: &[&str], command: &[&str]| {
        ask(&[&["run"], &fixed[..], arguments, &[&image], command].concat())
    };

    let script = format!("{LOOK}; cp /bin/busybox /w/x; /w/x true");
    let wanted = format!("{STATUS}\nsh: /w/x: Permission denied\n");
    assert_eq!(whole(|script| run(&["--rm"], &["sh", "-c", script]), &script), wanted);
    run(&["--detach", "--name=web"], &["sleep", "1000"]).unwrap();
    let script = format!("{LOOK}; cp /bin/busybox /w/$$; mv /w/$$ /w/x; /w/x true");
    for user in ["0", "0:0"] {
        let said = whole(|script| ask(&["exec", "--user", user, "web", "sh", "-c", script]), &script);
        assert_eq!(said, wanted);
    }
    let said = whole(|script| ask(&["exec", "--user=1000", "web", "sh", "-c", script]), LOOK);
    assert_eq!(said, format!("{STATUS}\n"));
    let said = ask(&["exec", "--privileged", "web", "true"]).unwrap_err();
    assert!(said.contains("privileged: true"), "{said}");
    for (arguments, setting) in REFUSED {
        let said = run(&[arguments, &["--rm"]].concat(), &["true"]).unwrap_err();
        assert!(said.contains(setting), "{arguments:?}: {said}");
    }
    must(&["rm", "--force", "--time=0", "web"]);
    node.engine("status", &[]).ended(0).said(&["podman      installed, in front of"]);
    node.engine("uninstall", &[]).ended(0).complained(&["is gone"]);
    assert!(!node.path("engine.conf").exists());
}

/// `runc` itself, with `exec` that has no specification.
#[test]
fn what_joins_by_arguments_is_hardened() {
    let (Some(node), Some(archive), Some(runc)) = (Node::new("docker"), shared(ALPINE), peer("runc")) else {
        return;
    };
    node.install();
    let bundle = node.path("bundle");
    fs::create_dir_all(bundle.join("rootfs")).unwrap();
    let unpack = |archive: &Path, to: &Path| {
        assert!(Command::new("tar").arg("xf").arg(archive).arg("-C").arg(to).status().unwrap().success());
    };
    fs::create_dir(node.path("image")).unwrap();
    unpack(&archive, &node.path("image"));
    let manifest = fs::read(node.path("image/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    for layer in manifest[0]["Layers"].as_array().unwrap() {
        unpack(&node.path("image").join(layer.as_str().unwrap()), &bundle.join("rootfs"));
    }
    let id = format!("boltseal-wrapper-{}", std::process::id());
    let made = Command::new(&runc).arg("spec").current_dir(&bundle).status().unwrap();
    assert!(made.success());
    let config = bundle.join("config.json");
    let mut specification: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    specification["process"]["args"] = serde_json::json!(["sleep", "1000"]);
    specification["process"]["terminal"] = false.into();
    specification["linux"]["cgroupsPath"] = format!("/{id}").into();
    fs::write(&config, specification.to_string()).unwrap();
    let state = node.text("state");
    let ask = |arguments: &[&str]| {
        let all = [&["--root", &state], arguments].concat();
        let output = Command::new(node.path("lib/docker"))
            .args(all)
            .stdin(std::process::Stdio::null())
            .stdout(fs::File::create(node.path("out")).unwrap())
            .stderr(fs::File::create(node.path("err")).unwrap())
            .status()
            .unwrap();
        let said =
            fs::read_to_string(node.path("out")).unwrap() + &fs::read_to_string(node.path("err")).unwrap();
        (output.code().unwrap(), said)
    };
    assert_eq!(ask(&["run", "--detach", "--bundle", bundle.to_str().unwrap(), &id]), (0, String::new()));
    let script = format!("exec 2>&1; {LOOK}; id -u; echo $A; pwd; exit 9");
    let (code, said) = ask(&[
        "exec", "--user", "12:34", "--cwd", "/etc", "--env", "A=b", "--cap", "CAP_KILL", &id, "sh", "-c",
        &script,
    ]);
    assert_eq!((code, said), (9, format!("{STATUS}\n12\nb\n/etc\n")));
    let (code, said) = ask(&["exec", &id, "nosuch"]);
    assert!(code == 127 && said.contains("boltseal: nosuch cannot be run"), "{code}: {said}");
    let (code, said) = ask(&["exec", "--privileged", &id, "sh"]);
    assert!(code == 1 && said.contains("`--privileged` is not known"), "{code}: {said}");
    let (code, said) = ask(&["exec", "--process", "/nowhere", &id]);
    assert!(code == 4 && said.contains("/nowhere"), "{code}: {said}");
    let (code, said) = ask(&["exec", "nobody", "sh"]);
    assert!(code == 1 && said.contains("does not know the container nobody"), "{code}: {said}");
    assert_eq!(ask(&["state", &id]).0, 0);
    assert_eq!(ask(&["delete", "--force", &id]).0, 0);
    assert_eq!(ask(&["state", &id]).0, 1, "the runtime's own code");
    // A bundle that is none.
    for (text, wanted) in
        [("{", "no specification"), ("[]", "no object"), ("{\"process\": {}}", "no `linux`")]
    {
        fs::write(&config, text).unwrap();
        let (code, said) = ask(&["run", "--bundle", bundle.to_str().unwrap(), &id]);
        assert!(code == 1 && said.contains(wanted), "{text}: {code}: {said}");
    }
}

#[test]
fn engines_are_told_and_told_otherwise() {
    let Some(node) = Node::new("docker") else { return };
    let to = node.text("node");
    let run = |arguments: &[&str]| node.user.run(&[&["engine"], arguments, &["--to", &to]].concat());
    fs::create_dir_all(node.path("node/usr/bin")).unwrap();
    run(&["install", "docker"]).ended(2).complained(&["neither runc nor crun is on this node", "--runtime"]);
    fs::write(node.path("node/usr/bin/runc"), "").unwrap();
    run(&["install", "crio", "--dry-run"])
        .ended(0)
        .said(&["runtime_path = \"/usr/local/lib/boltseal/crio\"", "'/usr/bin/runc'"]);
    assert!(!node.path("node/usr/local").exists(), "nothing is written");
    let containerd = "version = 2\n";
    fs::create_dir_all(node.path("node/etc/containerd")).unwrap();
    fs::write(node.path("node/etc/containerd/config.toml"), containerd).unwrap();
    for engine in ["docker", "podman", "containerd", "crio"] {
        for _ in 0..2 {
            run(&["install", engine]).ended(0).complained(&["next: "]);
        }
    }
    let daemon = fs::read_to_string(node.path("node/etc/docker/daemon.json")).unwrap();
    assert!(daemon.contains("\"default-runtime\": \"boltseal\""), "{daemon}");
    let rows = run(&["status", "--format", "json"]).ended(0).json();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row["installed"] == true && row["wrong"] == serde_json::json!([]))
    );
    // Somebody changes one, and another one's runtime goes.
    fs::write(
        node.path("node/etc/docker/daemon.json"),
        daemon.replace("\"default-runtime\": \"boltseal\",", "\"debug\": true,"),
    )
    .unwrap();
    fs::remove_file(node.path("node/usr/bin/runc")).unwrap();
    run(&["status"]).ended(1).said(&["daemon.json does not name it any more", "/usr/bin/runc is gone"]);
    for engine in ["docker", "podman", "containerd", "crio"] {
        run(&["uninstall", engine]).ended(0);
        run(&["uninstall", engine]).ended(0).complained(&["nothing is installed"]);
    }
    assert_eq!(fs::read_to_string(node.path("node/etc/containerd/config.toml")).unwrap(), containerd);
    let daemon: serde_json::Value =
        serde_json::from_slice(&fs::read(node.path("node/etc/docker/daemon.json")).unwrap()).unwrap();
    assert_eq!(daemon, serde_json::json!({ "debug": true }));
    for gone in
        ["usr/local/lib/boltseal", "etc/boltseal/wrapper.yaml", "etc/crio/crio.conf.d/99-boltseal.conf"]
    {
        assert!(!node.path("node").join(gone).exists(), "{gone}");
    }
    // What is not understood is not touched.
    fs::write(node.path("node/usr/bin/runc"), "").unwrap();
    fs::write(node.path("node/etc/docker/daemon.json"), "{ // mine\n}").unwrap();
    run(&["install", "docker"]).ended(2).complained(&["daemon.json is not touched: it is no JSON"]);
    let wrong = node.user.write("wrong.yaml", "version: 1\nmounts: [srv]\n");
    node.user.run(&["engine", "check", &wrong]).ended(2).complained(&["`srv` in `mounts`"]);
}
