//! The plugin as the engine reaches it: a socket, three paths.

use std::{
    future::Future,
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Json, Router, body::Bytes, extract::DefaultBodyLimit, extract::State, routing::post};
use boltseal_model::{Reference, Ruling, Timestamp};
use serde_json::json;
use tokio::net::UnixListener;

use super::{
    command::{Command, Does},
    decide::{self, Outcome},
    engine::{self, Engine},
    opening::Opening,
    request::{Answer, Request},
    settings::{Allowed, Settings},
};
use crate::Gate;

/// Where the engine of a host listens.
const ENGINE: &str = "/var/run/docker.sock";
/// The engine passes on bodies up to 1 MiB, in base64, beside headers.
const MAX_QUESTION: usize = 4 << 20;

/// What the engine fills in where nobody asked: its runtime, and on cgroup v1 the only mode there is.
const FILLED_IN: [(&str, &str); 2] = [("runtime", "runc"), ("cgroupns", "host")];

/// One plugin, for one engine.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    gate: Gate,
    engine: Engine,
    settings: Settings,
    host: String,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("host", &self.0.host)
            .field("gate", &self.0.gate)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// For the engine at its usual socket. `host` is what the audit log calls this node.
    pub fn new(gate: Gate, settings: Settings, host: &str) -> Self {
        Self(Arc::new(Inner { gate, engine: Engine::at(ENGINE.as_ref()), settings, host: host.to_owned() }))
    }

    /// For the engine at another socket.
    #[must_use]
    pub fn engine(self, socket: &Path) -> Self {
        let Inner { gate, settings, host, .. } = &*self.0;
        let engine = Engine::at(socket);
        Self(Arc::new(Inner { gate: gate.clone(), engine, settings: settings.clone(), host: host.clone() }))
    }

    /// Answers on `socket` until `stopped`; only its owner may ask.
    pub async fn serve(
        &self,
        socket: &Path,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let listener = listen(socket)?;
        let _removed = Removed(socket.to_owned());
        let router = Router::new()
            .route("/Plugin.Activate", post(async || Json(json!({ "Implements": ["authz"] }))))
            .route("/AuthZPlugin.AuthZReq", post(asked))
            // What was done is done; the answer of the engine is not looked at.
            .route("/AuthZPlugin.AuthZRes", post(async || Json(Answer::of(Ok(())))))
            .layer(DefaultBodyLimit::max(MAX_QUESTION))
            .with_state(self.clone());
        axum::serve(listener, router).with_graceful_shutdown(stopped).await
    }

    async fn answer(&self, bytes: &[u8]) -> Answer {
        let request = match Request::read(bytes) {
            Ok(request) => request,
            Err(wrong) => return Answer::of(Err(wrong.to_string())),
        };
        let command = match Command::of(&request) {
            Ok(Command { does: Does::Read, .. }) => return Answer::of(Ok(())),
            Ok(command) => command,
            Err(wrong) => {
                let unknown = Command { title: "unknown", object: None, does: Does::Manage };
                let refused = Outcome::Refused(wrong.to_string());
                return self.recorded(&request, &unknown, None, refused).await;
            }
        };
        let (image, outcome) = self.decide(&command).await;
        self.recorded(&request, &command, image, outcome).await
    }

    async fn decide(&self, command: &Command) -> (Option<String>, Outcome) {
        let looked = decide::openings(&command.does)
            .and_then(|openings| Ok((openings, decide::image(&command.does)?.map(str::to_owned))));
        let (openings, image) = match looked {
            Ok(looked) => looked,
            Err(wrong) => return (None, Outcome::Refused(format!("{}: {wrong}", command.title))),
        };
        let outcome = decide::by_settings(command, &resolved(openings), &self.0.settings);
        if let Outcome::Refused(_) = outcome {
            return (image, outcome);
        }
        match (&command.does, image) {
            (Does::Create(_), Some(image)) => {
                let outcome = self.of_image(&image).await;
                (Some(image), outcome)
            }
            (Does::Service(_), Some(image)) => {
                let outcome = self.of_pinned(&image).await;
                (Some(image), outcome)
            }
            (Does::Create(_) | Does::Service(_), None) => {
                (None, Outcome::Refused(format!("{} names no image", command.title)))
            }
            (Does::Start, _) => self.of_container(command.object.as_deref().unwrap_or_default()).await,
            (_, image) => (image, outcome),
        }
    }

    /// An image as the engine knows it.
    async fn of_image(&self, name: &str) -> Outcome {
        let image = match self.0.engine.image(name).await {
            Ok(image) => image,
            // The engine says so itself, and its client pulls; what came by then is looked at when it starts.
            Err(engine::Error::Missing(_)) => return Outcome::Allowed,
            Err(failed) => return Outcome::Refused(failed.to_string()),
        };
        self.of_names(name, &image.names(name)).await
    }

    /// A container that is there: what it was made with, since it may be older than this gate, and its image.
    async fn of_container(&self, id: &str) -> (Option<String>, Outcome) {
        let container = match self.0.engine.container(id).await {
            Ok(container) => container,
            Err(engine::Error::Missing(_)) => return (None, Outcome::Allowed),
            Err(failed) => return (None, Outcome::Refused(failed.to_string())),
        };
        let image = container.image.clone();
        match check(&container.host_config.to_string(), &self.0.settings) {
            Ok(()) => {}
            Err(why) => return (Some(image), Outcome::Refused(format!("container {id}: {why}"))),
        }
        let found = match self.0.engine.image(&image).await {
            Ok(found) => found,
            Err(failed) => return (Some(image), Outcome::Refused(failed.to_string())),
        };
        let outcome = self.of_names(&image, &found.names(container.asked())).await;
        (Some(image), outcome)
    }

    /// An image as nodes will fetch it: only a digest says which that will be.
    async fn of_pinned(&self, image: &str) -> Outcome {
        match image.parse::<Reference>() {
            Ok(reference) => match reference.digest() {
                Some(_) if !self.0.settings.pulls(&reference) => Outcome::Refused(format!(
                    "{} is not among the `registries` in the settings of the agent",
                    reference.name()
                )),
                Some(_) => self.of_names(image, std::slice::from_ref(&reference)).await,
                None => Outcome::Refused(format!(
                    "{image} may become another image before it runs: name it with its digest, NAME@sha256:…"
                )),
            },
            Err(wrong) => Outcome::Refused(format!("{image}: {wrong}")),
        }
    }

    async fn of_names(&self, image: &str, names: &[Reference]) -> Outcome {
        let mut rulings = Vec::new();
        for name in names {
            let ruling = self.0.gate.ruling(name).await;
            rulings.push(
                ruling
                    .unwrap_or_else(|failed| Ruling::unknown(&format!("no verdict about {name}: {failed}"))),
            );
        }
        decide::by_rulings(image, &rulings, &self.0.settings)
    }

    /// Nothing changes without its record.
    async fn recorded(
        &self,
        request: &Request,
        command: &Command,
        image: Option<String>,
        outcome: Outcome,
    ) -> Answer {
        let (word, why) = match &outcome {
            Outcome::Allowed => ("allowed", None),
            Outcome::Warned(why) => ("warned", Some(why)),
            Outcome::Refused(why) => ("refused", Some(why)),
        };
        let record = json!({
            "time": Timestamp::now().to_string(),
            "user": request.user,
            "proof": request.proof,
            "method": request.method,
            "path": request.path,
            "command": command.title,
            "object": command.object,
            "image": image,
            "outcome": word,
            "why": why,
        });
        let path = format!("/api/v1/audit/ingest/docker-commands?host={}", self.0.host);
        let recorded = self.0.gate.record(path, record).await;
        match (outcome, recorded) {
            (Outcome::Refused(why), Err(failed)) => {
                tracing::warn!(%failed, %why, "a refusal could not be recorded");
                Answer::of(Err(why))
            }
            (Outcome::Refused(why), Ok(())) => Answer::of(Err(why)),
            (_, Err(failed)) if self.0.settings.unrecorded == Allowed::Deny => Answer::of(Err(format!(
                "{} cannot be recorded in the audit log, so it is not done: {failed}",
                command.title
            ))),
            (_, Err(failed)) => {
                tracing::warn!(%failed, command = command.title, "not recorded");
                Answer::of(Ok(()))
            }
            (_, Ok(())) => Answer::of(Ok(())),
        }
    }
}

impl Answer {
    fn of(answer: Result<(), String>) -> Self {
        Self { allow: answer.is_ok(), msg: answer.err().unwrap_or_default(), err: String::new() }
    }
}

/// Whether a container with this `HostConfig` may run, by settings alone.
fn check(host_config: &str, settings: &Settings) -> Result<(), String> {
    let read = super::body::Value::read(host_config.as_bytes());
    let openings = read.and_then(|config| super::opening::of_host_config(&config));
    let openings = resolved(openings.map_err(|wrong| wrong.to_string())?);
    let asked = |opening: &&Opening| !FILLED_IN.contains(&(opening.name, &opening.value));
    match openings.iter().filter(asked).find(|opening| !settings.opens(opening)) {
        None => Ok(()),
        Some(closed) => Err(format!("it was made with {closed}, which this host does not open")),
    }
}

/// Folders of the host by their true names, as far as they are there.
fn resolved(openings: Vec<Opening>) -> Vec<Opening> {
    let true_name = |opening: Opening| match opening.name {
        "mount" => match std::fs::canonicalize(&opening.value) {
            Ok(path) => Opening { value: path.display().to_string(), ..opening },
            Err(_) => opening,
        },
        _ => opening,
    };
    openings.into_iter().map(true_name).collect()
}

async fn asked(State(plugin): State<Plugin>, body: Bytes) -> Json<Answer> {
    Json(plugin.answer(&body).await)
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = socket.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    }
    // One that is left of a killed agent; where somebody answers, it is not ours to take.
    if std::os::unix::net::UnixStream::connect(socket).is_err() {
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The socket goes with the plugin.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _it_was_gone_already = std::fs::remove_file(&self.0);
    }
}
