//! The files of a log over HTTP (C2SP tlog-tiles): our own servers, and any other log.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use boltseal_audit::log::Storage;
use boltseal_wire::client::{Client, Method, Options, Request};

use crate::exit::Failure;

/// The largest file of a log: 256 entries of 65,535 bytes, each after its length.
const MAX_FILE: u64 = 256 * (65_535 + 2);
/// For one file.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a server that asks for patience (429, 503) is asked again.
const AGAIN: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads the files of a log below a URL.
#[derive(Clone, Debug)]
pub struct Web {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Web {
    /// Opens no connection yet.
    pub fn new(base: &str, token: Option<String>, ca: Option<PathBuf>) -> Result<Self, Failure> {
        let options = Options { total: PATIENCE, ca_file: ca, ..Options::default() };
        let client = Client::new(&options).map_err(Failure::undecided)?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), token })
    }

    fn get(&self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let mut request =
            Request::new(Method::Get, &format!("{}/{path}", self.base)).map_err(io::Error::other)?;
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = self.client.send(request).map_err(io::Error::other)?;
        let status = response.status();
        Ok((status, response.bytes(MAX_FILE).map_err(io::Error::other)?))
    }
}

impl Storage for Web {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let started = Instant::now();
        loop {
            match self.get(path)? {
                (200, bytes) => return Ok(Some(bytes)),
                (404, _) => return Ok(None),
                (429 | 503, _) if started.elapsed() < AGAIN => std::thread::sleep(PAUSE),
                (401, _) => return Err(io::Error::other("the server wants a login: run `boltseal login`")),
                (403, _) => return Err(io::Error::other("you may not read this log")),
                (status, _) => return Err(io::Error::other(format!("the server answered {status}"))),
            }
        }
    }

    fn write(&self, _path: &str, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _path: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
