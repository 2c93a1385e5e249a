//! The router without a socket.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use boltseal_server::State;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::sample;

/// An installation and its router.
pub struct App {
    router: Router,
    pub state: State,
    /// Kept so that the store stays where it is.
    _folder: TempDir,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl App {
    /// With the sample images.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = sample::installation(folder.path()).await;
        Self { router: boltseal_server::router(state.clone()), state, _folder: folder }
    }

    /// As on the first day.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = sample::empty(folder.path()).await;
        Self { router: boltseal_server::router(state.clone()), state, _folder: folder }
    }

    /// The same store under other circumstances.
    pub fn with(mut self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state);
        self.router = boltseal_server::router(self.state.clone());
        self
    }

    /// Asks with the right token.
    pub async fn get(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", sample::TOKEN);
        self.ask("GET", path, &[("authorization", &token)], "").await
    }

    /// Asks exactly so.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

impl Answer {
    /// A header as text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
