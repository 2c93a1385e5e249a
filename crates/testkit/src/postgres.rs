//! A real PostgreSQL, started for one test process and gone with it; every caller gets a database of its own.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails there")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{peer, skip};

/// How long the server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Whom the server runs as: it refuses to be root.
const NOBODY: &str = "nobody";

/// A running server. It ends with this process, however that ends.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    bin: PathBuf,
    /// Each holds an open pipe; when that closes, its server ends.
    keepers: Mutex<Vec<Child>>,
    databases: AtomicU64,
}

/// The server of this test process, or `None` after saying that PostgreSQL is missing. It is started by the first
/// caller and ends with the process.
///
/// # Panics
/// Where it is installed and cannot be started.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    let server = SERVER.get_or_init(|| programs().map(Postgres::start));
    if server.is_none() {
        skip("no PostgreSQL server programs (initdb, postgres)");
    }
    server.as_ref()
}

/// Where Debian keeps the programs of the newest installed version, or where the path leads.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|bin| bin.join("initdb").is_file())
    })
}

impl Postgres {
    /// One besides [`postgres`], for a test that ends it.
    ///
    /// # Panics
    /// Where it is not installed, or does not come up.
    pub fn start_own() -> Self {
        Self::start(programs().expect("PostgreSQL is installed"))
    }

    /// Makes a cluster in a folder of its own and starts it.
    fn start(bin: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a folder for PostgreSQL");
        let this = Self { folder, bin, keepers: Mutex::default(), databases: AtomicU64::new(0) };
        if is_root() {
            run(Command::new("chown").arg(NOBODY).arg(this.folder.path()));
        }
        let data = this.data();
        run(this
            .program("initdb")
            .args(["-A", "trust", "-U", "boltseal", "-E", "UTF8", "--no-sync", "-D"])
            .arg(data));
        this.resume();
        this
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let sockets = self.folder.path();
        run(self.program("createdb").arg("-h").arg(sockets).args(["-U", "boltseal", &name]));
        let host: String = sockets.to_string_lossy().replace('/', "%2F");
        format!("postgres://boltseal@{host}/{name}")
    }

    /// Ends the server at once, as a crash would, for [`Postgres::resume`] to bring it back.
    ///
    /// # Panics
    /// When it was not running.
    pub fn crash(&self) {
        let file = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(&file).expect("a running server");
        let id = text.lines().next().expect("its process");
        run(Command::new("kill").args(["-QUIT", id]));
        let began = Instant::now();
        while Path::new("/proc").join(id).exists() {
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(file).ok();
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn resume(&self) {
        let sockets = self.folder.path().to_string_lossy().into_owned();
        // The shell outlives this process just long enough to end the server and to tidy up: its input ends then.
        let script =
            "\"$@\" </dev/null & cat >/dev/null; kill -QUIT $! 2>/dev/null; wait; rm -rf \"$FOLDER\"";
        let server = self.program("postgres");
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(server.get_program())
            .args(server.get_args())
            .arg("-D")
            .arg(self.data())
            .args(["-k", &sockets, "-c", "listen_addresses=", "-c", "max_connections=200"])
            .current_dir(&sockets)
            .env("LC_ALL", "C.UTF-8")
            .env("FOLDER", &sockets)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        self.keepers.lock().expect("nobody panicked").push(child);
        let began = Instant::now();
        let ready = || self.program("pg_isready").args(["-q", "-h", &sockets, "-U", "boltseal"]).status();
        while !ready().is_ok_and(|status| status.success()) {
            assert!(
                began.elapsed() < PATIENCE,
                "PostgreSQL does not answer in {}",
                self.folder.path().display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.bin.join(name);
        let mut command = if is_root() {
            let mut command =
                Command::new(peer("setpriv").unwrap_or_else(|| Path::new("setpriv").to_owned()));
            command.args(["--reuid", NOBODY, "--clear-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // PostgreSQL does not start where its user may not be.
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("a program of PostgreSQL");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
