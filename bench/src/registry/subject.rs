//! A registry server under measurement: ours, or the peer.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::{
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use tempfile::TempDir;

use super::connection::{Connection, Request};
use crate::process::{boltseal, memory_of, on_path};

/// Longest wait for a start, a verdict or an end of background work.
const PATIENCE: Duration = Duration::from_secs(60);
/// A server rests when it used less than a hundredth of this long on a processor.
const REST: Duration = Duration::from_millis(150);

/// The programs that are compared.
#[derive(Clone, Debug)]
pub struct Programs {
    pub boltseal: String,
    pub docker_registry: Option<String>,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Ours,
    Peer,
}

impl Programs {
    /// Ours is `binary`, or built when none is given.
    pub fn find(binary: Option<&str>) -> Result<Self> {
        let boltseal = binary.map_or_else(boltseal, |path| Ok(path.to_owned()))?;
        Ok(Self { boltseal, docker_registry: on_path("docker-registry") })
    }

    pub fn all(&self) -> Vec<Which> {
        let peer = self.docker_registry.iter().map(|_| Which::Peer);
        std::iter::once(Which::Ours).chain(peer).collect()
    }

    /// Says which versions are compared, and how they are set up.
    pub fn print(&self) {
        let version = |program: &str| {
            let output = Command::new(program).arg("--version").output();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            text.unwrap_or_else(|wrong| wrong.to_string())
        };
        println!(
            "ours: {}; signed in, every image judged, every change and pull in the audit log",
            version(&self.boltseal)
        );
        match &self.docker_registry {
            Some(program) => println!(
                "peer: {}; file system, descriptors in memory, no sign-in, no log of accesses",
                version(program)
            ),
            None => println!("skipped: no docker-registry on PATH to compare with"),
        }
    }

    /// Starts one on an empty data folder.
    pub fn start(&self, which: Which) -> Result<Subject> {
        self.start_on(which, |_| Ok(()))
    }

    /// Starts one on a data folder that `prepare` has filled.
    pub fn start_on(&self, which: Which, prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Subject> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        prepare(&data)?;
        match which {
            Which::Ours => ours(&self.boltseal, folder, &data),
            Which::Peer => {
                peer(self.docker_registry.as_deref().context("no docker-registry")?, folder, &data, None)
            }
        }
    }

    /// Starts the peer as a cache of the registry at `port`.
    pub fn proxy(&self, port: u16) -> Result<Subject> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        peer(self.docker_registry.as_deref().context("no docker-registry")?, folder, &data, Some(port))
    }
}

/// `boltseal up` with a policy that has no rule, so that every image is judged and allowed.
fn ours(program: &str, folder: TempDir, data: &Path) -> Result<Subject> {
    let (port, dashboard) = (free_port()?, free_port()?);
    fs::write(data.join("policy.yaml"), "version: 1\nname: bench\nrules: []\n")?;
    let mut command = Command::new(program);
    command
        .arg("up")
        .arg("--data")
        .arg(data)
        .arg("--audit-anchors")
        .arg(folder.path().join("anchors"))
        .args(["--listen", &format!("127.0.0.1:{dashboard}")])
        .args(["--registry-listen", &format!("127.0.0.1:{port}")]);
    let mut subject = Subject::start("ours", command, port, folder)?;
    let secret = subject.printed_secret()?;
    subject.dashboard = dashboard;
    subject.authorization = Some(format!("Basic {}", STANDARD.encode(format!("admin:{secret}"))));
    Ok(subject)
}

/// Debian's packaging of CNCF distribution.
fn peer(program: &str, folder: TempDir, data: &Path, of: Option<u16>) -> Result<Subject> {
    let port = free_port()?;
    let config = folder.path().join("config.yml");
    fs::write(
        &config,
        format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{cache: {{blobdescriptor: \
             inmemory}}, delete: {{enabled: true}}, filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \
             127.0.0.1:{port}}}\n{}",
            data.display(),
            of.map(|port| format!("proxy: {{remoteurl: http://127.0.0.1:{port}}}\n")).unwrap_or_default()
        ),
    )?;
    let mut command = Command::new(program);
    command.arg("serve").arg(&config);
    Subject::start("peer", command, port, folder)
}

/// A running server; ends with the value.
pub struct Subject {
    pub name: &'static str,
    pub port: u16,
    /// Of everything, over TLS; 0 for the peer.
    pub dashboard: u16,
    /// Value of the `Authorization` header, if it wants one.
    pub authorization: Option<String>,
    /// Milliseconds from spawn to the first answer on `/v2/`.
    pub started: f64,
    command: Command,
    child: Child,
    folder: TempDir,
}

impl Subject {
    fn start(name: &'static str, mut command: Command, port: u16, folder: TempDir) -> Result<Self> {
        let out = fs::File::create(folder.path().join("out"))?;
        command.stdout(out).stderr(fs::File::create(folder.path().join("log"))?);
        let began = Instant::now();
        let child = command.spawn()?;
        let mut subject =
            Self { name, port, dashboard: 0, authorization: None, started: 0.0, command, child, folder };
        subject.wait_for_answer(began)?;
        Ok(subject)
    }

    /// Ends it and starts it again on the same folder.
    pub fn again(mut self) -> Result<Self> {
        nix::sys::signal::kill(self.pid(), nix::sys::signal::SIGTERM)?;
        self.child.wait()?;
        let began = Instant::now();
        self.child = self.command.spawn()?;
        self.wait_for_answer(began)?;
        Ok(self)
    }

    fn wait_for_answer(&mut self, began: Instant) -> Result<()> {
        while !Connection::new(self).is_ok_and(|mut c| c.send(Request::new("GET", "/v2/")).is_ok()) {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                bail!("{} ended with {status}: {log}", self.name);
            }
            ensure!(began.elapsed() < PATIENCE, "{} did not answer", self.name);
            std::thread::sleep(Duration::from_micros(500));
        }
        self.started = began.elapsed().as_secs_f64() * 1e3;
        Ok(())
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Who vouches for its certificate.
    pub fn authority(&self) -> PathBuf {
        self.data().join("tls/ca.pem")
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Milliseconds of user and system time that it has used so far.
    pub fn cpu(&self) -> Result<f64> {
        let clock = ClockId::pid_cpu_clock_id(self.pid())?;
        Ok(Duration::from(clock_gettime(clock)?).as_secs_f64() * 1e3)
    }

    /// A memory line of the server process, MiB.
    pub fn memory(&self, line: &str) -> Result<f64> {
        memory_of(self.child.id(), line)
    }

    /// Lets `VmHWM` begin anew (proc(5), `clear_refs`).
    pub fn forget_peak(&self) -> Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Waits until nothing happens in the background any more.
    pub fn rest(&self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let before = self.cpu()?;
            std::thread::sleep(REST);
            if self.cpu()? - before < REST.as_secs_f64() * 1e3 / 100.0 {
                return Ok(());
            }
        }
        bail!("{} did not come to rest", self.name)
    }

    /// Waits until the image has been judged and may be pulled.
    pub fn wait_until_served(&self, repository: &str, tag: &str) -> Result<()> {
        let began = Instant::now();
        let path = format!("/v2/{repository}/manifests/{tag}");
        let wanted = [("Accept", super::content::MANIFEST)];
        while began.elapsed() < PATIENCE {
            let request = Request::new("GET", &path).headers(&wanted);
            if Connection::new(self)?.send(request)?.status == 200 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{repository} was not served within {PATIENCE:?}")
    }

    /// The first start prints it before it answers.
    pub fn printed_secret(&self) -> Result<String> {
        let out = fs::read_to_string(self.folder.path().join("out"))?;
        let secret = out.lines().find_map(|line| line.strip_prefix("secret:"));
        Ok(secret.context("boltseal printed no secret")?.trim().to_owned())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
