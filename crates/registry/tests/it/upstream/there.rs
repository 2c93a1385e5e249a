//! A registry that does what it is told: answers, refuses, hangs, cuts, lies. It counts what it is asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use boltseal_model::Digest;
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::{OCI_INDEX, OCI_MANIFEST};

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Answers everything so.
    Status(u16),
    /// The same as 429, for a second.
    Limited,
    /// Takes requests and never answers.
    Hang,
    /// Ends blobs in the middle, once each.
    Cut,
    /// Manifests are others than their digest says.
    LieAboutManifests,
    /// So are blobs.
    LieAboutBlobs,
}

#[derive(Default)]
struct Content {
    /// By path.
    manifests: HashMap<String, (String, Vec<u8>)>,
    blobs: HashMap<String, Vec<u8>>,
    referrers: HashMap<String, Vec<serde_json::Value>>,
    asked: Vec<(String, Option<String>)>,
    cut: Vec<String>,
}

#[derive(Clone)]
pub struct There {
    pub address: String,
    mood: Arc<Mutex<Mood>>,
    content: Arc<Mutex<Content>>,
}

impl There {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let this = Self { address, mood: Arc::new(Mutex::new(Mood::Well)), content: Arc::default() };
        let router = Router::new().fallback(serve).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        this
    }

    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What it was asked for since the last time: `GET /v2/app/manifests/v1`.
    pub fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.content.lock().unwrap().asked);
        asked.into_iter().map(|(what, _)| what).filter(|what| !what.ends_with(" /v2/")).collect()
    }

    /// Whether anybody showed credentials.
    pub fn was_shown(&self) -> Vec<String> {
        self.content.lock().unwrap().asked.iter().filter_map(|(_, shown)| shown.clone()).collect()
    }

    pub fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.content.lock().unwrap().blobs.insert(digest.to_string(), bytes.to_vec());
        digest
    }

    pub fn lose_blob(&self, bytes: &[u8]) {
        self.content.lock().unwrap().blobs.remove(&Digest::of(bytes).to_string());
    }

    pub fn manifest(&self, repository: &str, tag: Option<&str>, kind: &str, text: &str) -> Digest {
        let digest = Digest::of(text.as_bytes());
        let manifests = &mut self.content.lock().unwrap().manifests;
        for name in [Some(digest.to_string()), tag.map(str::to_owned)].into_iter().flatten() {
            let kept = (kind.to_owned(), text.as_bytes().to_vec());
            manifests.insert(format!("/v2/{repository}/manifests/{name}"), kept);
        }
        digest
    }

    pub fn forget(&self, repository: &str, tag: &str) {
        self.content.lock().unwrap().manifests.remove(&format!("/v2/{repository}/manifests/{tag}"));
    }

    /// An image that the judge treats as `word` says.
    pub fn image(&self, repository: &str, tag: Option<&str>, word: &str, layer: &[u8]) -> Digest {
        let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let (config_digest, layer_digest) = (self.blob(config), self.blob(layer));
        let text = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer_digest, "size": layer.len()}],
            "annotations": {"judge": word},
        });
        self.manifest(repository, tag, OCI_MANIFEST, &text.to_string())
    }

    /// A list of images, for these platforms.
    pub fn index(&self, repository: &str, tag: &str, images: &[(&str, &Digest)]) -> Digest {
        let manifests: Vec<_> = images
            .iter()
            .map(|(architecture, digest)| {
                let size = self.content.lock().unwrap().manifests
                    [&format!("/v2/{repository}/manifests/{digest}")]
                    .1
                    .len();
                json!({"mediaType": OCI_MANIFEST, "digest": digest, "size": size,
                       "platform": {"os": "linux", "architecture": architecture}})
            })
            .collect();
        let text = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
        self.manifest(repository, Some(tag), OCI_INDEX, &text.to_string())
    }

    /// A signature of an image.
    pub fn referrer(&self, repository: &str, subject: &Digest) -> Digest {
        let (empty, payload) = (self.blob(b"{}"), self.blob(b"{\"signed\": true}"));
        let text = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/vnd.example.signature",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
            "layers": [{"mediaType": "application/vnd.example.signature", "digest": payload, "size": 16}],
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
        })
        .to_string();
        let digest = self.manifest(repository, None, OCI_MANIFEST, &text);
        let entry = json!({"mediaType": OCI_MANIFEST, "digest": digest, "size": text.len(),
                           "artifactType": "application/vnd.example.signature"});
        let path = format!("/v2/{repository}/referrers/{subject}");
        self.content.lock().unwrap().referrers.entry(path).or_default().push(entry);
        digest
    }
}

async fn serve(State(there): State<There>, request: Request) -> Response {
    if *there.mood.lock().unwrap() == Mood::Hang {
        there.note(&request);
        tokio::time::sleep(Duration::from_mins(2)).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    there.answer(&request)
}

impl There {
    fn note(&self, request: &Request) {
        let shown = request.headers().get(header::AUTHORIZATION).map(|value| format!("{value:?}"));
        let what = format!("{} {}", request.method(), request.uri().path());
        self.content.lock().unwrap().asked.push((what, shown));
    }

    fn answer(&self, request: &Request) -> Response {
        self.note(request);
        let (path, head) = (request.uri().path().to_owned(), *request.method() == Method::HEAD);
        let range = request.headers().get(header::RANGE).map(|value| value.to_str().unwrap().to_owned());
        let mood = *self.mood.lock().unwrap();
        if let (Mood::Status(status), false) = (mood, path == "/v2/") {
            let status = StatusCode::from_u16(status).unwrap();
            return (status, [(header::RETRY_AFTER, "7")], "{}").into_response();
        }
        if mood == Mood::Limited && path != "/v2/" {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], "{}").into_response();
        }
        let mut content = self.content.lock().unwrap();
        if path == "/v2/" {
            return StatusCode::OK.into_response();
        }
        if let Some(repository) = path.strip_suffix("/tags/list") {
            let begin = format!("{repository}/manifests/");
            let names = content.manifests.keys().filter_map(|path| path.strip_prefix(&begin));
            let tags: Vec<_> = names.filter(|name| !name.contains(':')).collect();
            return json!({"name": "x", "tags": tags}).to_string().into_response();
        }
        if path.contains("/referrers/") {
            let manifests = content.referrers.get(&path).cloned().unwrap_or_default();
            let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
            return ([(header::CONTENT_TYPE, OCI_INDEX)], index.to_string()).into_response();
        }
        if let Some((kind, bytes)) = content.manifests.get(&path) {
            let digest = Digest::of(bytes).to_string();
            let mut bytes = bytes.clone();
            if mood == Mood::LieAboutManifests {
                bytes.push(b' ');
            }
            let headers = [(header::CONTENT_TYPE.as_str(), kind.clone()), ("docker-content-digest", digest)];
            return (headers, bytes).into_response();
        }
        let digest = path.rsplit('/').next().unwrap_or_default().to_owned();
        let known = path.contains("/blobs/").then(|| content.blobs.get(&digest).cloned()).flatten();
        let Some(mut bytes) = known else {
            let body = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]});
            return (StatusCode::NOT_FOUND, body.to_string()).into_response();
        };
        if mood == Mood::LieAboutBlobs {
            bytes.reverse();
        }
        let first = mood == Mood::Cut && !head && range.is_none() && !content.cut.contains(&digest);
        if first {
            content.cut.push(digest);
            return cut(&bytes);
        }
        let from =
            range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match from {
            Some(from) => (StatusCode::PARTIAL_CONTENT, bytes[from..].to_vec()).into_response(),
            None => bytes.into_response(),
        }
    }
}

/// The first half, and then the connection ends.
fn cut(bytes: &[u8]) -> Response {
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    sender.try_send(Ok(half)).unwrap();
    sender.try_send(Err(std::io::ErrorKind::ConnectionReset.into())).unwrap();
    let mut response = Response::new(Body::new(Pieces(receiver)));
    response.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
    response
}

struct Pieces(tokio::sync::mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl axum::body::HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(hyper::body::Frame::data)))
    }
}
