//! All of it by HTTP on a socket that only root may use ([`boltseal_api::groups`]).

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    future::Future,
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{
        ConnectInfo, DefaultBodyLimit, FromRequestParts, Path as Segments, Query, State,
        connect_info::Connected,
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::IncomingStream,
};
use boltseal_api::groups::{
    Exec, Group, Planned, Process, Refused, Rollback, Rolled, Rollout, Run, Seat, Stop,
};
use boltseal_model::Timestamp;
use boltseal_runtime::start::{Join, log::Reader};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::mpsc,
};
use tokio_stream_of::Stream;

use super::{
    Engine, Error,
    outdated::Aged,
    processes,
    stock::answers::{Findings, Where},
};

/// Where the agent listens.
pub const SOCKET: &str = "/run/boltseal/agent.sock";
/// Bytes of what is asked: a definition and its secrets.
const MAX_QUESTION: usize = 32 << 20;
/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Lines on their way to whoever follows.
const QUEUE: usize = 256;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            _ if self.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Definition(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Denied { .. } => StatusCode::FORBIDDEN,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Image(_) | Self::Io { .. } | Self::Runtime(_) | Self::Log(_) | Self::Full(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let denied = matches!(self, Self::Denied { .. });
        let refused = Refused { error: self.to_string(), next: self.next(), denied };
        (status, Json(refused)).into_response()
    }
}

/// What a log is asked for.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Lines {
    /// Go on with what is written meanwhile, until the group does not run any more.
    #[serde(default)]
    pub follow: bool,
    /// Only so many of the last.
    #[serde(default)]
    pub tail: Option<usize>,
}

/// What events are asked for.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Since {
    /// Only those after this one.
    #[serde(default)]
    pub after: u64,
    /// Go on with those that come.
    #[serde(default)]
    pub follow: bool,
}

/// Whether one that runs is removed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Force {
    /// Whether.
    #[serde(default)]
    pub force: bool,
}

/// What is looked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct What {
    /// A vulnerability, a package, a digest or a key.
    pub what: String,
}

/// Answers on `socket` until `stopped`.
///
/// # Errors
/// Where the socket cannot be made, or another agent has it.
pub async fn serve(
    engine: Engine,
    socket: &Path,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    if UnixStream::connect(socket).await.is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another agent answers there"));
    }
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    let router = Router::new()
        .route("/v1/groups", get(list).post(run))
        .route("/v1/groups/{name}", get(one).delete(remove))
        .route("/v1/groups/{name}/plan", get(planned))
        .route("/v1/groups/{name}/stop", post(stop))
        .route("/v1/groups/{name}/start", post(start))
        .route("/v1/groups/{name}/secrets", post(rotate))
        .route("/v1/groups/{name}/rollback", post(rollback))
        .route("/v1/rollouts", post(rollout))
        .route("/v1/groups/{name}/{container}/log", get(log))
        .route("/v1/groups/{name}/{container}/processes", get(top))
        .route("/v1/groups/{name}/{container}/exec", post(exec))
        .route("/v1/groups/{name}/{container}/attend", post(attend))
        .route("/v1/events", get(events))
        .route("/v1/findings", get(findings))
        .route("/v1/where", get(locate))
        .route("/v1/outdated", get(outdated))
        .layer(DefaultBodyLimit::max(MAX_QUESTION))
        .with_state(engine);
    let router = router.into_make_service_with_connect_info::<Peer>();
    let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
    let _ = std::fs::remove_file(socket);
    served
}

/// Who is at the other end of a connection, as the kernel says.
#[derive(Clone, Debug)]
struct Peer(String);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().map_or_else(
            |_| "somebody the kernel does not name".to_owned(),
            |peer| named(peer.uid(), peer.pid()),
        ))
    }
}

/// Only root can ask, so whom it was at the login is what tells people apart, where the machine keeps that.
fn named(uid: u32, pid: Option<i32>) -> String {
    let of = |file: &str| pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok());
    let login = of("loginuid").and_then(|text| text.trim().parse().ok()).filter(|login| *login != u32::MAX);
    let program = of("comm").map(|name| name.trim().to_owned());
    let mut said = format!("uid {uid}");
    for (what, value) in [("logged in as uid", login.map(|login: u32| login.to_string())), ("by", program)] {
        if let Some(value) = value {
            said = format!("{said}, {what} {value}");
        }
    }
    said
}

/// The engine, asked by whoever is at the other end.
struct Asking(Engine);

impl FromRequestParts<Engine> for Asking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, engine: &Engine) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        Ok(Self(peer.map_or_else(|| engine.clone(), |ConnectInfo(peer)| engine.asked_by(&peer.0))))
    }
}

/// Whoever asked may go away: what was begun is done to its end, not left where it was.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.map_err(|_| Error::Stopping)?
}

async fn list(State(engine): State<Engine>) -> Json<Vec<Group>> {
    Json(engine.list())
}

async fn run(Asking(engine): Asking, Json(run): Json<Run>) -> Result<(StatusCode, Json<Group>), Error> {
    let group = to_its_end(async move { engine.run(run).await }).await?;
    Ok((StatusCode::CREATED, Json(group)))
}

async fn one(State(engine): State<Engine>, Segments(name): Segments<String>) -> Result<Json<Group>, Error> {
    engine.get(&name).map(Json)
}

async fn planned(
    State(engine): State<Engine>,
    Segments(name): Segments<String>,
) -> Result<Json<Planned>, Error> {
    engine.planned(&name).map(Json)
}

async fn stop(
    Asking(engine): Asking,
    Segments(name): Segments<String>,
    Json(stop): Json<Stop>,
) -> Result<Json<Group>, Error> {
    to_its_end(async move { engine.stop(&name, stop.grace).await }).await.map(Json)
}

async fn start(Asking(engine): Asking, Segments(name): Segments<String>) -> Result<Json<Group>, Error> {
    to_its_end(async move { engine.start(&name).await }).await.map(Json)
}

async fn rotate(
    Asking(engine): Asking,
    Segments(name): Segments<String>,
    Json(secrets): Json<BTreeMap<String, String>>,
) -> Result<Json<Group>, Error> {
    to_its_end(async move { engine.rotate(&name, secrets).await }).await.map(Json)
}

async fn rollout(Asking(engine): Asking, Json(asked): Json<Rollout>) -> Result<Json<Rolled>, Error> {
    to_its_end(async move { engine.rollout(asked).await }).await.map(Json)
}

async fn rollback(
    Asking(engine): Asking,
    Segments(name): Segments<String>,
    Json(asked): Json<Rollback>,
) -> Result<Json<Rolled>, Error> {
    to_its_end(async move { engine.rollback(&name, asked).await }).await.map(Json)
}

async fn remove(
    Asking(engine): Asking,
    Segments(name): Segments<String>,
    Query(how): Query<Force>,
) -> Result<StatusCode, Error> {
    to_its_end(async move { engine.remove(&name, how.force).await }).await.map(|()| StatusCode::NO_CONTENT)
}

async fn top(
    State(engine): State<Engine>,
    Segments((name, container)): Segments<(String, String)>,
) -> Result<Json<Vec<Process>>, Error> {
    let first = engine.first(&name, &container)?;
    let found =
        tokio::task::spawn_blocking(move || processes::of(first)).await.map_err(|_| Error::Stopping)?;
    found.map(Json).map_err(Error::io("processes"))
}

async fn exec(
    Asking(engine): Asking,
    Segments((name, container)): Segments<(String, String)>,
    Json(exec): Json<Exec>,
) -> Result<Json<Join>, Error> {
    let done = tokio::task::spawn_blocking(move || engine.exec(&name, &container, exec));
    done.await.map_err(|_| Error::Stopping)?.map(Json)
}

async fn attend(
    Asking(engine): Asking,
    Segments((name, container)): Segments<(String, String)>,
) -> Result<Json<Seat>, Error> {
    let done = tokio::task::spawn_blocking(move || engine.attend(&name, &container));
    done.await.map_err(|_| Error::Stopping)?.map(Json)
}

async fn findings(State(engine): State<Engine>) -> Result<Json<Findings>, Error> {
    let handle = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || engine.findings(&handle));
    done.await.map(Json).map_err(|_| Error::Stopping)
}

async fn locate(State(engine): State<Engine>, Query(asked): Query<What>) -> Result<Json<Where>, Error> {
    let handle = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || engine.locate(&asked.what, &handle));
    done.await.map(Json).map_err(|_| Error::Stopping)
}

async fn outdated(State(engine): State<Engine>) -> Result<Json<Vec<Aged>>, Error> {
    let handle = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || engine.outdated(&handle));
    done.await.map(Json).map_err(|_| Error::Stopping)
}

async fn log(
    State(engine): State<Engine>,
    Segments((name, container)): Segments<(String, String)>,
    Query(lines): Query<Lines>,
) -> Result<Response, Error> {
    let paths = engine.logs(&name, &container)?;
    let (to, from) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut reader = Reader::new(paths);
        // Of a container that writes without end, what is written from now on is not waited for.
        let asked = Timestamp::now();
        let mut tail = lines.tail.map(|tail| (tail, VecDeque::new()));
        loop {
            // Looked at before the log: what is written until the end is in what is read after it.
            let runs = engine.keeps(&name);
            let Ok((back, entries)) = tokio::task::spawn_blocking(move || {
                let entries = reader.take();
                (reader, entries)
            })
            .await
            else {
                return;
            };
            reader = back;
            let Ok(mut entries) = entries else { return };
            let nothing = entries.is_empty();
            let is_there = entries.last().is_none_or(|entry| entry.at >= asked);
            if let Some((most, mut last)) = tail.take() {
                last.extend(entries);
                last.drain(..last.len().saturating_sub(most));
                if !is_there {
                    tail = Some((most, last));
                    continue;
                }
                entries = last.into();
            }
            for entry in &entries {
                if to.send(line(entry)).await.is_err() {
                    return;
                }
            }
            if if lines.follow { !runs && nothing } else { is_there } {
                return;
            }
            if nothing {
                tokio::time::sleep(LOOK).await;
            }
        }
    });
    Ok(stream(from))
}

async fn events(State(engine): State<Engine>, Query(since): Query<Since>) -> Result<Response, Error> {
    let mut coming = engine.events().listen();
    let past = engine.events().past().map_err(Error::io("the events of this node"))?;
    let (to, from) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut last = since.after;
        for event in past.into_iter().filter(|event| event.number > since.after) {
            last = event.number;
            if to.send(line(&event)).await.is_err() {
                return;
            }
        }
        if !since.follow {
            return;
        }
        // Whoever lags behind finds the rest by asking again, from the last one on.
        while let Ok(event) = coming.recv().await {
            if event.number > last && to.send(line(&event)).await.is_err() {
                return;
            }
        }
    });
    Ok(stream(from))
}

fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

fn stream(from: mpsc::Receiver<Bytes>) -> Response {
    ([("content-type", "application/x-ndjson")], Body::from_stream(Stream(from))).into_response()
}

/// A receiver as the stream that bodies are made of.
mod tokio_stream_of {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::sync::mpsc;

    pub(super) struct Stream<T>(pub mpsc::Receiver<T>);

    impl<T> futures_core::Stream for Stream<T> {
        type Item = Result<T, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.poll_recv(context).map(|item| item.map(Ok))
        }
    }
}
