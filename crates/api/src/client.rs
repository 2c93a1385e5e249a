//! Asks a server, as whoever logged in.
//!
//! ```no_run
//! # fn example() -> Result<(), boltseal_api::client::Error> {
//! use boltseal_api::{access::WhoAmI, client::{Client, Server}};
//! let server = Server { address: "https://127.0.0.1:8443".to_owned(), token: Some("…".to_owned()), ca: None };
//! let me: WhoAmI = Client::new(&server)?.get("/api/v1/whoami")?;
//! # Ok(()) }
//! ```

use std::{path::PathBuf, time::Duration};

use boltseal_wire::client::{self as http, Method, Options, Payload, Request};
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::Problem;

/// The longest answer that is read: a page of 1,000 records at their largest.
const MAX_ANSWER: u64 = 80 << 20;
/// The control plane answers in a moment or not at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// What most bodies are.
const JSON: &str = "application/json";
/// What goes line by line is.
const LINES: &str = "application/x-ndjson";
/// What the bodies of OAuth 2 are.
const FORM: &str = "application/x-www-form-urlencoded";

/// Where to ask, and as whom.
#[derive(Clone)]
pub struct Server {
    /// Such as `https://127.0.0.1:8443`.
    pub address: String,
    /// A bearer token.
    pub token: Option<String>,
    /// A PEM file with the authority of a server whose certificate the system does not know.
    pub ca: Option<PathBuf>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be asked.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// It said no.
    #[error("{}{}", .0.title, detail(.0))]
    Refused(Problem),
    /// It answered something else than the contract says: not this kind of server, or another version.
    #[error("{address}{path} answered {status} with something that is not the contract's: {why}")]
    Answer {
        /// The server.
        address: String,
        /// What was asked.
        path: String,
        /// HTTP status.
        status: u16,
        /// What is wrong.
        why: String,
    },
}

impl Error {
    /// The HTTP status, where there was an answer.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Http(_) => None,
            Self::Refused(problem) => Some(problem.status),
            Self::Answer { status, .. } => Some(*status),
        }
    }
}

fn detail(problem: &Problem) -> String {
    let missing = match (&problem.action, &problem.scope) {
        (Some(action), Some(scope)) => format!(" ({action} at {scope})"),
        _ => String::new(),
    };
    if problem.detail.is_empty() { missing } else { format!("{missing}: {}", problem.detail) }
}

/// Asks one server.
#[derive(Debug)]
pub struct Client {
    server: Server,
    http: http::Client,
}

impl Client {
    /// Opens no connection yet.
    pub fn new(server: &Server) -> Result<Self, Error> {
        let options = Options { total: PATIENCE, ca_file: server.ca.clone(), ..Options::default() };
        let server = Server { address: server.address.trim_end_matches('/').to_owned(), ..server.clone() };
        Ok(Self { server, http: http::Client::new(&options)? })
    }

    /// The server asked.
    pub fn address(&self) -> &str {
        &self.server.address
    }

    /// GET, answered with JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.json(path, &self.bytes(Method::Get, path, None)?)
    }

    /// GET, answered with bytes as they are.
    pub fn raw(&self, path: &str) -> Result<Vec<u8>, Error> {
        self.bytes(Method::Get, path, None).map(|(_, bytes)| bytes)
    }

    /// POST of JSON, answered with JSON.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        self.json(path, &self.bytes(Method::Post, path, Some((JSON, &self.written(path, body)?)))?)
    }

    /// POST of JSON, whatever is answered.
    pub fn tell(&self, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.bytes(Method::Post, path, Some((JSON, &self.written(path, body)?))).map(drop)
    }

    /// POST of lines of JSON, whatever is answered.
    pub fn lines(&self, path: &str, lines: &[u8]) -> Result<(), Error> {
        self.bytes(Method::Post, path, Some((LINES, lines))).map(drop)
    }

    /// POST of a form, answered with JSON: how OAuth 2 is spoken.
    pub fn form<T: DeserializeOwned>(&self, path: &str, fields: &[(&str, &str)]) -> Result<T, Error> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.json(path, &self.bytes(Method::Post, path, Some((FORM, body.as_bytes())))?)
    }

    /// PATCH of JSON, whatever is answered.
    pub fn change(&self, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.bytes(Method::Patch, path, Some((JSON, &self.written(path, body)?))).map(drop)
    }

    /// PUT of JSON, whatever is answered.
    pub fn put(&self, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.bytes(Method::Put, path, Some((JSON, &self.written(path, body)?))).map(drop)
    }

    /// DELETE, answered without a body.
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        self.bytes(Method::Delete, path, None).map(drop)
    }

    fn written(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(body).map_err(|wrong| self.answer(path, 0, &wrong.to_string()))
    }

    fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &[u8])>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let mut request = Request::new(method, &format!("{}{path}", self.server.address))?;
        if let Some(token) = &self.server.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some((kind, body)) = body {
            request = request.header("Content-Type", kind).payload(Payload::Bytes(body));
        }
        let response = self.http.send(request)?;
        let status = response.status();
        let bytes = response.bytes(MAX_ANSWER)?;
        if (200..300).contains(&status) {
            return Ok((status, bytes));
        }
        Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Error::Refused(problem),
            Err(_) => self.answer(
                path,
                status,
                &String::from_utf8_lossy(&bytes).chars().take(200).collect::<String>(),
            ),
        })
    }

    fn json<T: DeserializeOwned>(&self, path: &str, answer: &(u16, Vec<u8>)) -> Result<T, Error> {
        let (status, bytes) = answer;
        serde_json::from_slice(bytes).map_err(|wrong| self.answer(path, *status, &wrong.to_string()))
    }

    fn answer(&self, path: &str, status: u16, why: &str) -> Error {
        let path = path.split('?').next().unwrap_or(path).to_owned();
        Error::Answer { address: self.server.address.clone(), path, status, why: why.to_owned() }
    }
}
