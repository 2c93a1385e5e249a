//! A request as the engine passes it on: Docker's authorization plugin protocol, version 1.

use base64::Engine as _;
use serde::{Deserialize, Serialize};

/// What the engine asks before it does anything.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(default)]
    user: String,
    #[serde(default, rename = "UserAuthNMethod")]
    user_authn_method: String,
    request_method: String,
    #[serde(rename = "RequestUri", alias = "RequestURI")]
    request_uri: String,
    #[serde(default)]
    request_body: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    pub allow: bool,
    /// Why not, for whoever asked.
    pub msg: String,
    /// That this gate failed.
    pub err: String,
}

/// A request to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// By TLS certificate; nobody over the socket, whose owner may be anybody in its group.
    pub user: Option<String>,
    /// How the engine knows.
    pub proof: String,
    pub method: String,
    /// As it was sent, without the query.
    pub path: String,
    /// The API's version, where the path begins with it.
    pub version: Option<(u32, u32)>,
    /// What comes after the version, decoded, without empty ones.
    pub segments: Vec<String>,
    pub body: Option<Vec<u8>>,
    query: Vec<(String, String)>,
}

/// What the engine sent makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the engine's question cannot be read: {0}")]
    Syntax(String),
    #[error("the path {0} goes up, which no client needs")]
    Up(String),
}

impl Request {
    /// Reads the body of `AuthZPlugin.AuthZReq`.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let asked: Asked = serde_json::from_slice(bytes).map_err(|error| Error::Syntax(error.to_string()))?;
        let body = match asked.request_body.filter(|body| !body.is_empty()) {
            Some(body) => {
                let decoded = base64::engine::general_purpose::STANDARD.decode(body);
                Some(decoded.map_err(|error| Error::Syntax(format!("RequestBody: {error}")))?)
            }
            None => None,
        };
        let (path, query) = asked.request_uri.split_once('?').unwrap_or((&asked.request_uri, ""));
        let mut segments = segments(path)?;
        let version = segments.first().and_then(|first| version(first));
        if version.is_some() {
            segments.remove(0);
        }
        Ok(Self {
            user: Some(asked.user).filter(|user| !user.is_empty()),
            proof: asked.user_authn_method,
            method: asked.request_method.to_ascii_uppercase(),
            path: path.to_owned(),
            version,
            segments,
            body,
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }

    /// A value of the query. Go takes the first.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

fn segments(path: &str) -> Result<Vec<String>, Error> {
    // A reference in a path has slashes of its own, sometimes encoded.
    let decoded = percent(path);
    let segments: Vec<String> =
        decoded.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
    if segments.iter().any(|part| part == "..") { Err(Error::Up(path.to_owned())) } else { Ok(segments) }
}

/// RFC 3986, section 2.1. What is no encoding stays.
fn percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `v1.41`
fn version(segment: &str) -> Option<(u32, u32)> {
    let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
