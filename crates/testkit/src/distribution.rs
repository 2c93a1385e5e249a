//! Debian's `docker-registry`: the distribution registry 2.8, which knows no referrers and removes no single tags.
#![expect(clippy::expect_used, reason = "test material: a failure here is a failed test")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::peer;

/// How long it may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The user `u` with the password `p`.
const LOGIN: &str = "u:$2y$05$abcdefghijklmnopqrstuuqwWMzKt5N8p.u2GX5MuH1t19BMWuLOW\n";

/// A running registry; ended when dropped.
#[derive(Debug)]
pub struct Distribution {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Distribution {
    /// Starts one on a folder and a port of its own, or gives `None` after saying that it is not installed. With `login`,
    /// only the user `u` with the password `p` comes in.
    ///
    /// # Panics
    /// Where it is installed and does not come up.
    pub fn start(login: bool) -> Option<Self> {
        let program = peer("docker-registry")?;
        let folder = tempfile::tempdir().expect("a folder for the registry");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let place = folder.path().display();
        let auth = format!("auth:\n  htpasswd:\n    realm: test\n    path: {place}/login\n");
        let config = format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\n\
             storage:\n  filesystem:\n    rootdirectory: {place}/data\n  delete:\n    enabled: true\n\
             http:\n  addr: {address}\n{}",
            if login { &auth } else { "" }
        );
        fs::write(folder.path().join("config.yml"), config).expect("a file");
        fs::write(folder.path().join("login"), LOGIN).expect("a file");
        let mut command = Command::new(program);
        command.arg("serve").arg(folder.path().join("config.yml"));
        let child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a registry that starts");
        let started = Self { child, address, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(&started.address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "docker-registry does not listen at {}", started.address);
            thread::sleep(Duration::from_millis(20));
        }
        Some(started)
    }

    /// `127.0.0.1:PORT`, plain HTTP.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Distribution {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
