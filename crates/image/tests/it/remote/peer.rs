//! The registry of Docker and Debian, which knows no referrers.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use boltseal_image::remote::{Access, Remote};
use boltseal_testkit::{image::Built, peer, skip};
use tempfile::TempDir;

/// `u` with the password `p`, as bcrypt has it.
const LOGIN: &str = "u:$2y$05$abcdefghijklmnopqrstuuqwWMzKt5N8p.u2GX5MuH1t19BMWuLOW\n";

/// A running registry.
pub struct Peer {
    child: Child,
    pub address: String,
    _folder: TempDir,
}

impl Peer {
    /// `None` where it is not installed, after saying so.
    pub fn start(login: bool) -> Option<Self> {
        let program = peer("docker-registry")?;
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = folder.path().join("config.yml");
        std::fs::write(&config, config_of(folder.path(), &address, login)).unwrap();
        std::fs::write(folder.path().join("login"), LOGIN).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, address, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(&started.address).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                skip("docker-registry does not start");
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Some(started)
    }

    pub fn remote(&self) -> Remote {
        let mut access = Access::default();
        access.anonymous = true;
        Remote::connect(&self.address, &access).unwrap()
    }

    /// Stores an image under a tag, part by part.
    pub fn push(&self, repository: &str, tag: &str, built: &Built) {
        let repository = self.remote().repository(repository).unwrap();
        for (digest, bytes) in built.blobs.iter().filter(|(digest, _)| **digest != built.manifest) {
            assert_eq!(repository.put_blob(bytes).unwrap(), *digest);
        }
        let name = boltseal_image::remote::Name::Tag(tag);
        let stored = repository.put_manifest(name, built.media_type, built.manifest_bytes()).unwrap();
        assert_eq!((stored.digest, stored.listed), (built.manifest.clone(), false));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config_of(folder: &Path, address: &str, login: bool) -> String {
    let folder = folder.display();
    let login = if login {
        format!("auth:\n  htpasswd:\n    realm: test\n    path: {folder}/login\n")
    } else {
        String::new()
    };
    format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\n\
         storage:\n  filesystem:\n    rootdirectory: {folder}/data\n  delete:\n    enabled: true\n\
         http:\n  addr: {address}\n{login}"
    )
}
