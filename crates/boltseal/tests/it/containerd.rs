//! A real containerd 2 asks our program about every image, and fetches from our registry alone: whenever it is on the path.
//!
//! Debian has 1.6, which knows no image verifiers, so no test has to find it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use boltseal_testkit::Distribution;

use crate::{
    binary::User,
    fixtures::{alpine, layout},
    service::{PATIENCE, Service, Skopeo},
};

const POLICY: &str = "\
version: 1
name: prod
rules:
  - name: old-busybox
    effect: deny
    packages: { ban: [{ purl: 'pkg:apk/alpine/busybox@1.36.1-r0' }] }
  - { name: gaps, effect: warn, coverage: {} }
";
const GOOD: &str = "1.36.1-r2";
const BAD: &str = "1.36.1-r0";

/// containerd with its own folders and its own socket; ended when dropped.
struct Containerd {
    process: Child,
    ctr: PathBuf,
    home: PathBuf,
}

/// The program, which is found nowhere else, and is not one of 1.x.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("containerd")).find(|program| {
        let told = Command::new(program).arg("--version").output().ok();
        let told =
            told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let version = told.split_whitespace().nth(2).unwrap_or_default().trim_start_matches('v').to_owned();
        version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 2)
    });
    if found.is_none() {
        println!("skipped: no containerd 2");
    }
    found
}

impl Containerd {
    /// Starts it, with the programs and hosts below `node`, where `boltseal engine render` wrote them.
    /// CRI looks for hosts in the folder `hosts` of it.
    fn start(home: &Path, node: &Path, hosts: &str) -> Option<Self> {
        let program = program()?;
        if !boltseal_sys::is_root() {
            println!("skipped: containerd runs as root");
            return None;
        }
        let home = home.join("containerd");
        fs::create_dir_all(&home).unwrap();
        let (place, node, hosts) = (home.display(), node.display(), node.join(hosts).display().to_string());
        // As a kubelet's containerd has it, but for what starts containers.
        let config = format!(
            "version = 3\nroot = '{place}/root'\nstate = '{place}/state'\n\
             disabled_plugins = ['io.containerd.nri.v1.nri']\n\
             [grpc]\naddress = '{place}/socket'\n\
             [plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'native'\n\
             [plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '{hosts}'\n\
             [plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['{place}/cni']\nconf_dir = '{place}/cni'\n\
             [plugins.'io.containerd.image-verifier.v1.bindir']\nbin_dir = '{node}/opt/containerd/image-verifier/bin'\n\
             [[plugins.'io.containerd.transfer.v1.local'.unpack_config]]\nplatform = 'linux/amd64'\nsnapshotter = 'native'\n"
        );
        fs::write(home.join("config.toml"), config).unwrap();
        let log = File::create(home.join("log")).unwrap();
        let process = Command::new(&program)
            .arg("--config")
            .arg(home.join("config.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut started = Self { process, ctr: program.with_file_name("ctr"), home };
        let begun = Instant::now();
        while started.ctr(&["version"]).is_err() {
            let ended = started.process.try_wait().unwrap();
            let log = fs::read_to_string(started.home.join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "containerd does not answer ({ended:?}): {log}"
            );
            sleep(Duration::from_millis(100));
        }
        Some(started)
    }

    /// Asks as a kubelet does, where `crictl` lies beside containerd.
    fn kubelet(&self, arguments: &[&str]) -> Option<Result<String, String>> {
        let program = self.ctr.with_file_name("crictl");
        if !program.exists() {
            println!("skipped: no crictl beside containerd 2");
            return None;
        }
        let socket = format!("unix://{}", self.home.join("socket").display());
        let places = ["--runtime-endpoint", &socket, "--image-endpoint", &socket];
        let output = Command::new(&program).args(places).args(arguments).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all).into_owned();
        Some(if output.status.success() { Ok(all) } else { Err(all) })
    }

    #[track_caller]
    fn kubelet_is_refused(&self, arguments: &[&str], words: &[&str]) {
        let Some(answer) = self.kubelet(arguments) else { return };
        let said = answer.expect_err("it was pulled");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: no `{word}` in {said}");
        }
    }

    fn ctr(&self, arguments: &[&str]) -> Result<String, String> {
        let socket = self.home.join("socket").display().to_string();
        let output = Command::new(&self.ctr).args(["--address", &socket]).args(arguments).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all).into_owned();
        if output.status.success() { Ok(all) } else { Err(all) }
    }

    /// Pulls through the transfer service, as CRI does.
    fn pull(&self, name: &str, more: &[&str]) -> Result<String, String> {
        let always = ["image", "pull", "--platform", "linux/amd64", "--snapshotter", "native"];
        self.ctr(&[&always, more, &[name]].concat())
    }

    #[track_caller]
    fn refuses(&self, name: &str, more: &[&str], words: &[&str]) {
        let said = self.pull(name, more).expect_err("it was pulled");
        for word in words {
            assert!(said.contains(word), "{name}: no `{word}` in {said}");
        }
        let listed = self.ctr(&["image", "ls", "-q"]).unwrap();
        assert!(!listed.lines().any(|line| line == name), "{name} was refused and is there: {listed}");
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A server that judged two images, which another registry has too, and a node.
struct World {
    // Removed when it is dropped.
    _user: User,
    service: Service,
    elsewhere: Distribution,
    node: PathBuf,
    containerd: Containerd,
}

impl World {
    fn new(hosts: &str) -> Option<Self> {
        program()?;
        let user = User::new();
        fs::create_dir_all(user.data()).unwrap();
        fs::write(user.data().join("policy.yaml"), POLICY).unwrap();
        let service = Service::start(&user, &[]);
        let (skopeo, elsewhere) = (Skopeo::new(&user, &service)?, Distribution::start(false)?);
        let secret = service.printed("secret").unwrap();
        let address = format!("https://{}", service.https);
        user.feed(&["login", &address, "--name", "admin", "--secret-stdin"], &secret).ended(0);
        for (name, busybox) in [("good", GOOD), ("bad", BAD), ("unknown", "1.36.1-r3")] {
            let layout = layout(&user, name, &alpine(busybox));
            let there = format!("{}/team/{name}:v1", elsewhere.address());
            user.run(&["image", "copy", &layout, &there]).ended(0);
            if name != "unknown" {
                skopeo.push(&layout, &format!("team/{name}:v1"));
            }
        }
        skopeo.pull_until("team/good:v1", "pulled", Result::is_ok).unwrap();
        let denied = skopeo.pull_until("team/bad:v1", "pulled", |answer| {
            answer.as_ref().is_err_and(|said| said.contains("prod"))
        });
        assert!(denied.is_err());
        let node = user.home().join("node");
        render(&user, &address, &node);
        let containerd = Containerd::start(user.home(), &node, hosts)?;
        Some(Self { _user: user, service, elsewhere, node, containerd })
    }
}

/// Writes the node's configuration as the guide says.
fn render(user: &User, address: &str, node: &Path) {
    let secret = user.run(&["sp", "create", "node-1"]).ended(0).value("secret");
    user.run(&["role", "assign", "Node Agent", "--to", "node-1", "--scope", "/"]).ended(0);
    let file = user.write("node.secret", secret);
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let ca = user.data().join("tls/ca.pem");
    let registry = ["engine", "render", "containerd", "--registry", address, "--ca", ca.to_str().unwrap()];
    let name = ["--name", "node-1", "--secret-file", &file, "--boltseal", env!("CARGO_BIN_EXE_boltseal")];
    user.run(&[&registry[..], &name, &["--to", node.to_str().unwrap()]].concat()).ended(0);
}

#[test]
fn every_image_is_asked_about_before_it_is_fetched() {
    let Some(mut world) = World::new("none") else { return };
    let World { service, elsewhere, containerd, .. } = &mut world;
    // From a registry that nobody holds back: only the program stands between.
    let name = |image: &str| format!("{}/team/{image}:v1", elsewhere.address());
    containerd.pull(&name("good"), &["--plain-http"]).unwrap();
    let listed = containerd.ctr(&["image", "ls", "-q"]).unwrap();
    assert!(listed.contains(&name("good")), "{listed}");
    containerd.refuses(&name("bad"), &["--plain-http"], &["blocked pull", "(exit code 1)", "deny", "prod"]);
    let unknown = ["blocked pull", "(exit code 3)", "no image of this digest was scanned here"];
    containerd.refuses(&name("unknown"), &["--plain-http"], &unknown);
    containerd.kubelet(&["pull", &name("good")]).transpose().unwrap();
    containerd
        .kubelet_is_refused(&["pull", &name("bad")], &["blocked pull", "(exit code 1)", "deny", "prod"]);
    containerd.kubelet_is_refused(&["pull", &name("unknown")], &unknown);

    // A server that does not answer allows nothing, and whoever pulls reads why.
    service.signal("KILL");
    service.ended();
    containerd.ctr(&["image", "rm", &name("good")]).unwrap();
    let silent = ["blocked pull", "(exit code 3)", "no connection"];
    containerd.refuses(&name("good"), &["--plain-http"], &silent);
    containerd.kubelet_is_refused(&["pull", &name("good")], &silent);
}

#[test]
fn images_come_from_our_registry_or_not_at_all() {
    let Some(mut world) = World::new("etc/containerd/certs.d") else { return };
    let World { service, elsewhere, node, containerd, .. } = &mut world;
    // Without the program, what is left is where images come from.
    fs::remove_dir_all(node.join("opt")).unwrap();
    let hosts = node.join("etc/containerd/certs.d").display().to_string();
    let login = format!("admin:{}", service.printed("secret").unwrap());
    let through = ["--hosts-dir", &hosts, "--user", &login];
    for registry in ["registry.example.com", "docker.io", elsewhere.address(), &service.https] {
        let name = |image: &str| format!("{registry}/team/{image}:v1");
        containerd.pull(&name("good"), &through).unwrap();
        containerd.refuses(&name("bad"), &through, &["403 Forbidden"]);
        containerd.refuses(&name("unknown"), &through, &["not found"]);
        containerd.kubelet(&["pull", "--creds", &login, &name("good")]).transpose().unwrap();
        containerd.kubelet_is_refused(&["pull", "--creds", &login, &name("bad")], &["403 Forbidden"]);
        containerd.kubelet_is_refused(&["pull", "--creds", &login, &name("unknown")], &["not found"]);
    }
    containerd.refuses("other.example.com/team/good:v1", &["--hosts-dir", &hosts], &["401 Unauthorized"]);
    service.signal("KILL");
    service.ended();
    let there = format!("{}/team/good:v1", elsewhere.address());
    containerd.ctr(&["image", "rm", &there]).unwrap();
    containerd.refuses(&there, &through, &["connection refused"]);
}
