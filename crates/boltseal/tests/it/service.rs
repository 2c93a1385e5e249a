//! `boltseal up` as a running process, on ports of its own.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, Output},
    time::{Duration, Instant},
};

use boltseal_api::{
    access::Session,
    client::{Client, Server},
};

use crate::binary::User;

/// How long a debug build on a busy machine may take for what normally takes a blink.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The command, on ports that are free.
pub const UP: [&str; 5] = ["up", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"];

/// A running service; killed when dropped.
pub struct Service {
    child: Child,
    out: PathBuf,
    log: PathBuf,
    /// `127.0.0.1:PORT`, TLS.
    pub https: String,
    /// `127.0.0.1:PORT`, plain.
    pub registry: String,
}

impl Service {
    /// Starts it on the user's data folder and waits until it is ready.
    pub fn start(user: &User, args: &[&str]) -> Self {
        Self::run(user, user.command(&[&UP, args].concat()))
    }

    /// The same for a command that becomes `boltseal up` with [`UP`].
    pub fn run(user: &User, mut command: Command) -> Self {
        let [out, log] = ["up.out", "up.log"].map(|name| user.home().join(name));
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
        let started = Instant::now();
        let mut service =
            Self { child: command.spawn().unwrap(), out, log, https: String::new(), registry: String::new() };
        service.wait_for("ready everything=");
        let log = service.log();
        let ready = log.lines().find(|line| line.contains("ready everything=")).unwrap();
        let value =
            |key: &str| ready.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap().to_owned();
        service.https = value("everything=https://");
        service.registry = value("registry=");
        println!("started in {:?}, by its own count in {}", started.elapsed(), value("took="));
        service
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// What it printed so far.
    pub fn out(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    /// What stands after `key:` in what it printed.
    pub fn printed(&self, key: &str) -> Option<String> {
        let out = self.out();
        let line = out.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    }

    /// Waits until the log contains `text`.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "no `{text}` ({ended:?}) in the log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A client of its API, as the principal of the first start. `ca`: whom its certificate is from.
    pub fn api(&self, ca: PathBuf, secret: &str) -> Client {
        Self::client(&self.https, ca, secret)
    }

    /// The same for the one at `https`.
    pub fn client(https: &str, ca: PathBuf, secret: &str) -> Client {
        let address = format!("https://{https}");
        let mut server = Server { address, token: None, ca: Some(ca) };
        let login = serde_json::json!({ "name": "admin", "secret": secret });
        let session: Session = Client::new(&server).unwrap().post("/api/v1/login", &login).unwrap();
        server.token = Some(session.access_token);
        Client::new(&server).unwrap()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end and gives the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "still running:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it as a service manager does.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.ended(), Some(0), "{}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// skopeo against one service, as its bootstrap principal.
pub struct Skopeo {
    program: PathBuf,
    secret: String,
    registry: String,
    home: PathBuf,
}

impl Skopeo {
    /// `None` where there is no skopeo.
    pub fn new(user: &User, service: &Service) -> Option<Self> {
        let program = boltseal_testkit::peer("skopeo")?;
        let secret = service.printed("secret").expect("the first start prints a secret");
        Some(Self { program, secret, registry: service.registry.clone(), home: user.home().to_owned() })
    }

    /// Pushes `source` as `name`.
    #[track_caller]
    pub fn push(&self, source: &str, name: &str) {
        let to = format!("docker://{}/{name}", self.registry);
        let creds = format!("admin:{}", self.secret);
        let output = self.copy(&["--dest-tls-verify=false", "--dest-creds", &creds, source, &to]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Pushes an index with all its images as `name`.
    #[track_caller]
    pub fn push_all(&self, source: &str, name: &str) {
        let to = format!("docker://{}/{name}", self.registry);
        let creds = format!("admin:{}", self.secret);
        let output = self.copy(&["--all", "--dest-tls-verify=false", "--dest-creds", &creds, source, &to]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Pulls `name` into the layout `to`: Ok, or what skopeo printed.
    pub fn pull(&self, name: &str, to: &str) -> Result<(), String> {
        let from = format!("docker://{}/{name}", self.registry);
        let creds = format!("admin:{}", self.secret);
        let to = format!("oci:{}", self.home.join(to).display());
        let output = self.copy(&["--src-tls-verify=false", "--src-creds", &creds, &from, &to]);
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }

    /// Pulls `name` until the answer is what `expected` accepts: judging takes its time.
    #[track_caller]
    pub fn pull_until(
        &self,
        name: &str,
        to: &str,
        expected: fn(&Result<(), String>) -> bool,
    ) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.pull(name, to);
            if expected(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "{name} still answers {answer:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn copy(&self, args: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(["--insecure-policy", "copy", "--quiet"]).args(args).current_dir(&self.home);
        command.output().unwrap()
    }
}
