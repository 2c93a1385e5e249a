//! Questions to the engine that asks us: what an image or a container is. They come back as questions to us, which read
//! and so are answered at once.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use boltseal_model::Reference;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::net::UnixStream;

/// An engine that is asked something while it waits for our answer has it in memory.
const PATIENCE: Duration = Duration::from_secs(3);
/// What it says about a container with ten thousand environment variables.
const MAX_ANSWER: usize = 8 << 20;

/// The engine of this host.
#[derive(Clone, Debug)]
pub struct Engine {
    socket: PathBuf,
}

/// What the engine says about an image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Image {
    /// `repository@digest`, for each registry it came from or went to.
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
}

/// What it says about a container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// Id of its image.
    pub image: String,
    /// What it was made with.
    pub host_config: serde_json::Value,
    /// What it runs.
    config: Config,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    /// Its image as it was asked for.
    #[serde(default)]
    image: String,
}

/// Why it did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the engine does not know {0}")]
    Missing(String),
    #[error("the engine at {socket} could not be asked about {what}: {why}")]
    Failed { socket: PathBuf, what: String, why: String },
}

impl Image {
    /// The names and digests under which registries have it. The engine checked them when it pulled or pushed. Of an image
    /// that is `asked` for by one of its names, that one counts; of one that is asked for by its id, all of them.
    pub fn names(&self, asked: &str) -> Vec<Reference> {
        let all = self.repo_digests.iter().flatten();
        let pinned = |name: &Reference| name.digest().is_some();
        let mut names: Vec<Reference> = all.filter_map(|name| name.parse().ok()).filter(pinned).collect();
        names.sort_unstable();
        names.dedup();
        let asked = asked.parse::<Reference>().ok().map(|asked| asked.name());
        let is_asked = |name: &Reference| Some(name.name()) == asked;
        if names.iter().any(is_asked) {
            names.retain(is_asked);
        }
        names
    }
}

impl Container {
    /// Its image as it was asked for.
    pub fn asked(&self) -> &str {
        &self.config.image
    }
}

impl Engine {
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    pub async fn image(&self, name: &str) -> Result<Image, Error> {
        self.get("images", name).await
    }

    pub async fn container(&self, id: &str) -> Result<Container, Error> {
        self.get("containers", id).await
    }

    async fn get<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<T, Error> {
        let failed = |why: String| Error::Failed { socket: self.socket.clone(), what: name.to_owned(), why };
        let asked = tokio::time::timeout(PATIENCE, self.ask(kind, name)).await;
        let (status, bytes) =
            asked.map_err(|_| failed(format!("no answer in {PATIENCE:?}")))?.map_err(failed)?;
        match status {
            StatusCode::OK => serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string())),
            StatusCode::NOT_FOUND => Err(Error::Missing(name.to_owned())),
            other => Err(failed(format!("it answered {other}"))),
        }
    }

    async fn ask(&self, kind: &str, name: &str) -> Result<(StatusCode, Bytes), String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| text(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
        let running = tokio::spawn(connection);
        let request = Request::get(format!("/{kind}/{}/json", encoded(name)))
            .header(hyper::header::HOST, "docker")
            .body(Empty::<Bytes>::new())
            .map_err(|error| text(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| text(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        running.abort();
        Ok((status, body.to_bytes()))
    }
}

/// A name in a path: its slashes and colons stay, as the engine wants them.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
