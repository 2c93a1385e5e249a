//! Docker: its command line and a daemon of our own, which touches nothing outside of its folder.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use boltseal_testkit::{peer, skip};
use tempfile::TempDir;

use super::{DOCKER_MANIFEST, Served, alpine, is_one_clear_sentence};

/// How long a daemon may take to answer, and to end when told to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A private daemon, ended when dropped.
struct Daemon {
    child: Child,
    folder: TempDir,
    docker: PathBuf,
}

impl Daemon {
    /// Without a network of its own, since that would change the machine's. `None` where daemons cannot run, such as
    /// in a container or for other users than root.
    fn start() -> Option<Self> {
        let (dockerd, docker) = (peer("dockerd")?, peer("docker")?);
        // Short, as a socket's path may have 107 characters only.
        let folder = tempfile::Builder::new().prefix("dkr").tempdir_in("/tmp").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = File::create(path("log")).unwrap();
        let mut command = Command::new(dockerd);
        command
            .args(["--data-root", &path("data"), "--exec-root", &path("run"), "--pidfile", &path("pid")])
            .args(["--host", &format!("unix://{}", path("socket")), "--config-file", &path("none.json")])
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .args(["--ip-masq=false", "--storage-driver=vfs"])
            .env("HOME", folder.path())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        std::fs::write(path("none.json"), "{}").unwrap();
        let mut daemon = Self { child: command.spawn().unwrap(), folder, docker };
        let started = Instant::now();
        while daemon.ask(&["info"]).is_err() {
            let ended = daemon.child.try_wait().unwrap().is_some();
            if ended || started.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(daemon.folder.path().join("log")).unwrap_or_default();
                skip(&format!("dockerd cannot run here: {}", log.lines().last().unwrap_or_default()));
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(daemon)
    }

    /// What the command line prints, or what it complains about.
    fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let folder = self.folder.path();
        let output = Command::new(&self.docker)
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", folder.join("socket").display()))
            .env("DOCKER_CONFIG", folder.join("config"))
            .env("HOME", folder)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    #[track_caller]
    fn must(&self, arguments: &[&str]) -> String {
        match self.ask(arguments) {
            Ok(said) => said,
            Err(said) => panic!("{arguments:?}: {said}"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It ends its own containerd when it is told to end, not when it is killed.
        signal(self.child.id());
        let told = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && told.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let containerd = self.folder.path().join("run/containerd/containerd.pid");
            let _it_ended_just_now = self.child.kill();
            let _it_is_reaped = self.child.wait();
            if let Some(id) = number(&containerd) {
                signal(id);
            }
        }
    }
}

fn number(file: &Path) -> Option<u32> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Tells one process to end.
fn signal(id: u32) {
    let _gone_already = Command::new("kill").args(["-s", "TERM", &id.to_string()]).status();
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_pushes_and_pulls_and_says_why_an_image_is_held() {
    let Some(archive) = alpine() else { return };
    let Some(daemon) = tokio::task::spawn_blocking(Daemon::start).await.unwrap() else { return };
    let served = Served::new().await;
    let remote = |name: &str| format!("{}/{name}", served.address);
    let secret = served.world.people.secret("admin");
    let logged_in = daemon.must(&["login", "--username", "admin", "--password", secret, &served.address]);
    assert!(logged_in.contains("Login Succeeded"), "{logged_in}");

    let loaded = daemon.must(&["load", "--input", &archive.path().display().to_string()]);
    let name = loaded.rsplit(' ').next().unwrap().to_owned();
    let id = daemon.must(&["image", "inspect", "--format", "{{.Id}}", &name]);
    daemon.must(&["tag", &name, &remote("team/alpine:v1")]);
    let pushed = daemon.must(&["push", &remote("team/alpine:v1")]);

    let reply = served.world.get("/v2/team/alpine/manifests/v1").await;
    let digest = reply.header("docker-content-digest").to_owned();
    assert_eq!(reply.header("content-type"), DOCKER_MANIFEST);
    assert!(pushed.contains(&format!("v1: digest: {digest} size: {}", reply.body.len())), "{pushed}");
    assert_eq!(reply.json()["config"]["digest"], id, "an image's id is the digest of its configuration");

    // The layers are there already: mounted, or known.
    daemon.must(&["tag", &name, &remote("team/copy:v1")]);
    let copied = daemon.must(&["push", &remote("team/copy:v1")]);
    assert!(copied.contains("Mounted from team/alpine"), "{copied}");

    for reference in ["team/alpine:v1".to_owned(), format!("team/alpine@{digest}"), "team/copy:v1".to_owned()]
    {
        let all = daemon.must(&["images", "--all", "--quiet", "--no-trunc"]);
        let images: Vec<&str> = all.lines().collect();
        daemon.must(&[&["rmi", "--force"][..], &images].concat());
        daemon.must(&["pull", &remote(&reference)]);
        let pulled = daemon.must(&["image", "inspect", "--format", "{{.Id}}", &remote(&reference)]);
        assert_eq!(pulled, id, "{reference}");
    }

    served.world.push_image("team/held", "v1", "deny", b"\x1f\x8b layer").await;
    let said = daemon.ask(&["pull", &remote("team/held:v1")]).unwrap_err();
    is_one_clear_sentence(&said);
}
