//! The router without a socket.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use boltseal_identity::{
    registry_scope::RegistryScopes,
    token::{self, Method},
};
use boltseal_server::State;
use boltseal_wire::server::Peer;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::sample::{self, Sample};

/// An installation and its router.
pub struct App {
    router: Router,
    pub state: State,
    /// The first principal's.
    pub secret: String,
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
        Self::of(sample::installation(folder.path()).await, folder)
    }

    /// As on the first day.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::of(sample::empty(folder.path()).await, folder)
    }

    fn of(Sample { state, secret }: Sample, folder: TempDir) -> Self {
        Self { router: boltseal_server::router(state.clone()), state, secret, _folder: folder }
    }

    /// The same store under other circumstances.
    pub fn with(mut self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state);
        self.router = boltseal_server::router(self.state.clone());
        self
    }

    /// Asks as the first principal.
    pub async fn get(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", token(&self.state, sample::NAME));
        self.ask("GET", path, &[("authorization", &token)], "").await
    }

    /// The form that signs the first principal in.
    pub fn sign_in_form(&self) -> String {
        format!("name={}&secret={}", sample::NAME, self.secret)
    }

    /// Asks exactly so.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.ask_from([127, 0, 0, 1], method, path, headers, body).await
    }

    /// The same from somewhere else.
    pub async fn ask_from(
        &self,
        address: [u8; 4],
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let peer = Peer { address: (address, 40_000).into(), tls: self.state.site.tls };
        let mut request = Request::builder().method(method).uri(path).extension(peer);
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

/// A token of somebody in `state`, as `boltseal login` gets one.
pub fn token(state: &State, name: &str) -> String {
    let authority = state.access.authority();
    let id = authority.directory().principal_named(name).unwrap().id;
    let caller = authority.caller(id, Method::Password).unwrap();
    let kind = token::Kind::Access;
    let issued = authority.issue(&caller, kind, RegistryScopes::All, kind.life(), sample::now()).unwrap();
    issued.token.expose().to_owned()
}
