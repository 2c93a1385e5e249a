//! Servers that somebody logged in to, remembered in `boltseal/servers.json` below the settings of the user.
//!
//! The file holds tokens of an hour at most: only its owner may read it, and it is replaced as a whole.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{exit::Failure, given};

/// Name of the file.
const FILE: &str = "servers.json";
/// A file with more is not ours: a login has some kilobytes at most.
const MAX_FILE: u64 = 1 << 20;
/// Logins that are remembered; the oldest goes first.
const MAX_SERVERS: usize = 32;

/// All of them.
#[derive(Default, Serialize, Deserialize)]
pub struct Servers {
    /// The newest login is the last.
    #[serde(default)]
    servers: Vec<Known>,
}

/// One login.
#[derive(Clone, Serialize, Deserialize)]
pub struct Known {
    /// Such as `https://127.0.0.1:8443`.
    pub address: String,
    /// Who logged in.
    pub principal: String,
    /// To be sent with every request.
    pub token: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The authority of a server whose certificate the system does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The name of its registry, where images are named by another port of the same machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

impl Servers {
    /// Reads the file; none is as good as an empty one.
    pub fn read() -> Result<Self, Failure> {
        let path = path()?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(wrong) => return Err(unusable(&path, &wrong)),
        };
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|wrong| unusable(&path, &wrong))?;
        serde_json::from_str(&text)
            .map_err(|wrong| unusable(&path, &wrong).next("remove it, and run `boltseal login` again"))
    }

    /// The login at this address.
    pub fn at(&self, address: &str) -> Option<&Known> {
        self.servers.iter().find(|known| known.address == address)
    }

    /// The newest login at the server whose registry has this name.
    pub fn of_registry(&self, host: &str) -> Option<&Known> {
        self.servers.iter().rev().find(|known| known.registry.as_deref() == Some(host))
    }

    /// The newest login.
    pub fn last(&self) -> Option<&Known> {
        self.servers.last()
    }

    /// Remembers a login, in place of an older one at the same address.
    pub fn add(&mut self, login: Known) -> Result<(), Failure> {
        self.servers.retain(|known| known.address != login.address);
        let many = (self.servers.len() + 1).saturating_sub(MAX_SERVERS);
        self.servers.drain(..many);
        self.servers.push(login);
        self.write()
    }

    /// Forgets the login at this address.
    pub fn remove(&mut self, address: &str) -> Result<(), Failure> {
        self.servers.retain(|known| known.address != address);
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let path = path()?;
        let text = serde_json::to_vec_pretty(self).map_err(Failure::fault)?;
        replace(&path, &text).map_err(|wrong| {
            Failure::fault(format_args!("cannot write {}: {wrong}", path.display()))
                .next("set XDG_CONFIG_HOME to a folder that you may write to")
        })
    }
}

fn path() -> Result<PathBuf, Failure> {
    given::config().map(|folder| folder.join(FILE))
}

fn unusable(path: &Path, wrong: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format_args!("cannot read {}: {wrong}", path.display()))
}

/// The old bytes or the new ones, whatever happens; nobody else may read either.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // A temporary file has mode 0600 from the start.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map(drop).map_err(|failed| failed.error)
}
