//! A registry server under measurement: ours, or the peer.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;

use super::load;
use crate::process::{boltseal, cpu_of, memory_of};

/// Longest wait for a start or a verdict.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; ends with the value.
pub struct Subject {
    pub name: &'static str,
    pub port: u16,
    /// Value of the `Authorization` header, if it wants one.
    pub authorization: Option<String>,
    /// Milliseconds from spawn to the first answer on `/v2/`.
    pub started: f64,
    child: Child,
    folder: TempDir,
}

impl Subject {
    /// `boltseal up` on an empty folder with a policy that has no rule, so that every image is judged and allowed.
    pub fn boltseal() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (port, dashboard) = (free_port()?, free_port()?);
        fs::create_dir(folder.path().join("data"))?;
        fs::write(folder.path().join("data/policy.yaml"), "version: 1\nname: bench\nrules: []\n")?;
        let mut command = Command::new(boltseal()?);
        command
            .arg("up")
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(["--listen", &format!("127.0.0.1:{dashboard}")])
            .args(["--registry-listen", &format!("127.0.0.1:{port}")]);
        let mut subject = Self::start("boltseal", command, port, folder)?;
        let secret = subject.printed_secret()?;
        subject.authorization = Some(format!("Basic {}", STANDARD.encode(format!("admin:{secret}"))));
        Ok(subject)
    }

    /// Debian's packaging of CNCF distribution.
    pub fn docker_registry(program: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let config = folder.path().join("config.yml");
        let root = folder.path().join("data");
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{cache: {{blobdescriptor: \
                 inmemory}}, delete: {{enabled: true}}, filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \
                 127.0.0.1:{port}}}\n",
                root.display()
            ),
        )?;
        let mut command = Command::new(program);
        command.arg("serve").arg(&config);
        Self::start("docker-registry", command, port, folder)
    }

    fn start(name: &'static str, mut command: Command, port: u16, folder: TempDir) -> Result<Self> {
        let began = Instant::now();
        let child =
            command.stdout(Stdio::piped()).stderr(fs::File::create(folder.path().join("log"))?).spawn()?;
        let mut subject = Self { name, port, authorization: None, started: 0.0, child, folder };
        loop {
            if subject.connect().is_ok_and(|stream| load::get(stream, &subject, "/v2/").is_ok()) {
                subject.started = began.elapsed().as_secs_f64() * 1e3;
                return Ok(subject);
            }
            if let Some(status) = subject.child.try_wait()? {
                bail!(
                    "{name} ended with {status}: {}",
                    fs::read_to_string(subject.folder.path().join("log"))?
                );
            }
            if began.elapsed() > PATIENCE {
                bail!("{name} did not answer");
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// A new connection.
    pub fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Server CPU and wall milliseconds of `work`.
    pub fn costs(&self, work: impl FnOnce() -> Result<()>) -> Result<(f64, f64)> {
        let (cpu, began) = (cpu_of(self.child.id())?, Instant::now());
        work()?;
        Ok((cpu_of(self.child.id())? - cpu, began.elapsed().as_secs_f64() * 1e3))
    }

    /// A memory line of the server process, MiB.
    pub fn memory(&self, line: &str) -> Result<f64> {
        memory_of(self.child.id(), line)
    }

    /// Waits until the image has been judged and may be pulled.
    pub fn wait_until_served(&self, repository: &str) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if load::get(self.connect()?, self, &format!("/v2/{repository}/manifests/latest"))? == 200 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{repository} was not served within {PATIENCE:?}")
    }

    fn printed_secret(&mut self) -> Result<String> {
        let stdout = self.child.stdout.take().context("no standard output")?;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if let Some((_, secret)) = line.split_once("secret") {
                return Ok(secret.trim_start_matches([':', ' ']).trim().to_owned());
            }
        }
        bail!("boltseal printed no secret")
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
