//! Tokens for containers that run as a workload, where Azure's client libraries look for them: the instance metadata service.
//!
//! ```text
//! GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://registry.example.com
//! Metadata: true
//!   ─rules of the group─▶ gateway ─peer─▶ socket ▶ process ▶ control group ▶ container ▶ image ─server─▶ token
//! ```
//!
//! A group asks for it in its file (`identity`), which opens that address to it and to nobody else. Who asks, the kernel says:
//! no container has anything that could be stolen and used from elsewhere. What it gets, the server decides, for the image that
//! the container was made of, each time: whether this node may speak for that workload, and whether the image is allowed now.
//!
//! An identity that the system assigned is the workload with the name of the group; those that a user assigned are called by
//! the last part of their resource ids.
//!
//! Limits: a token is asked for again after [`MEMORY`]; a group may ask [`LOOKS`] times a minute, and [`QUESTIONS`] times for what is
//! not remembered, one after the other; [`CONNECTIONS`] of all groups at once.
//!
//! It must not know: what tokens say, who may have them.

mod answer;
mod peer;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
    routing::get,
};
use boltseal_api::workloads::{Asked, Token};
use boltseal_model::Digest;
use boltseal_wire::server::{Limits, Peer, serve};
use moka::sync::Cache;
use tokio::{net::TcpListener, time::Instant};

pub use answer::Refusal;

use super::{
    Judge,
    container::Contained,
    engine::{Inner, lock},
    group::Group,
};
use crate::network::METADATA_PORT;

/// How long a token is given again without asking for it: a verdict that changed counts this much later.
pub const MEMORY: Duration = Duration::from_mins(1);
/// Tokens that one group may ask for in a minute: for each it is found out which container asks.
pub const LOOKS: u32 = 600;
/// Those of them that are not remembered.
pub const QUESTIONS: u32 = 60;
/// Connections of all groups at once.
pub const CONNECTIONS: usize = 512;
/// How long one that asks waits for others of its group.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tokens that are remembered.
const REMEMBERED: u64 = 10_000;
/// Characters of a resource, or of a name of an identity.
const MAX_TEXT: usize = 500;

/// As whom a group runs.
#[derive(Debug, Default)]
pub struct Identity {
    /// What its file says.
    pub managed: Option<boltseal_orchestrator::aci::Managed>,
    /// One question after the other.
    turn: tokio::sync::Mutex<()>,
    /// What it asked in this minute.
    asked: Mutex<Option<Minute>>,
}

/// Questions of a group in a minute.
#[derive(Clone, Copy, Debug)]
struct Minute {
    since: Instant,
    looks: u32,
    questions: u32,
}

/// What answers containers.
struct Service {
    inner: Weak<Inner>,
    remembered: Cache<Key, Arc<Token>>,
}

/// A token is the same where these are: a group of the same name may be made of another image.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    group: String,
    container: String,
    image: Digest,
    workloads: Vec<String>,
    question: answer::Question,
}

/// Listens where the rules of groups lead. It has to be there before the first group is.
///
/// # Errors
/// Where it cannot listen there.
pub async fn listen(gateway: Ipv4Addr) -> std::io::Result<TcpListener> {
    TcpListener::bind((gateway, METADATA_PORT)).await
}

/// Answers for as long as the engine is there.
pub async fn answer(listener: TcpListener, inner: Weak<Inner>) {
    let remembered = Cache::builder().max_capacity(REMEMBERED).time_to_live(MEMORY).build();
    let service = Arc::new(Service { inner, remembered });
    let router =
        Router::new().route("/metadata/identity/oauth2/token", get(token)).with_state(Arc::clone(&service));
    let limits = Limits {
        connections: CONNECTIONS,
        head: 16 << 10,
        head_time: Duration::from_secs(10),
        drain: Duration::from_secs(1),
        ..Limits::default()
    };
    let gone = async {
        while service.inner.strong_count() > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    serve(listener, router, None, limits, gone).await;
}

async fn token(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match service.token(peer.address, &headers, &uri).await {
        Ok(token) => answer::token(&token),
        Err(refusal) => refusal.into_response(),
    }
}

impl Service {
    async fn token(&self, from: SocketAddr, headers: &HeaderMap, uri: &Uri) -> Result<Arc<Token>, Refusal> {
        let question = answer::Question::read(headers, uri)?;
        let inner = self.inner.upgrade().ok_or_else(Refusal::stopping)?;
        let IpAddr::V4(address) = from.ip() else { return Err(Refusal::nobody()) };
        let group = inner.group_at(address).ok_or_else(Refusal::nobody)?;
        let workloads = choose(&group, question.wanted.as_deref())?;
        let turn = tokio::time::timeout(PATIENCE, group.identity.turn.lock()).await;
        let _turn = turn.map_err(|_| Refusal::busy())?;
        group.identity.count(|minute| (&mut minute.looks, LOOKS))?;
        let gateway = lock(&inner.network).range().gateway();
        let of_group = Arc::clone(&group);
        let found =
            tokio::task::spawn_blocking(move || peer::container(&of_group, (address, from.port()), gateway));
        let container = found.await.map_err(|_| Refusal::stopping())?.ok_or_else(Refusal::nobody)?;
        let image = container.plan.digest.clone().ok_or_else(Refusal::unknown_image)?;
        let key = Key {
            group: group.name.clone(),
            container: container.name().to_owned(),
            image,
            workloads,
            question,
        };
        if let Some(token) = self.remembered.get(&key) {
            return Ok(token);
        }
        group.identity.count(|minute| (&mut minute.questions, QUESTIONS))?;
        let (workload, given) = asked(&inner, &container, &key).await;
        let done = told(&inner, &key, workload, &given).await;
        let token = Arc::new(given?);
        // What cannot be written down is not given.
        done?;
        self.remembered.insert(key, Arc::clone(&token));
        Ok(token)
    }
}

impl Identity {
    /// Of a group whose file says this.
    pub fn new(managed: Option<boltseal_orchestrator::aci::Managed>) -> Self {
        Self { managed, ..Self::default() }
    }

    /// One more of what `of` counts; refused where it is one too many.
    fn count(&self, of: impl FnOnce(&mut Minute) -> (&mut u32, u32)) -> Result<(), Refusal> {
        let mut asked = lock(&self.asked);
        let now = Instant::now();
        let is_this = |minute: &Minute| now.duration_since(minute.since) < Duration::from_mins(1);
        let mut minute = asked.filter(is_this).unwrap_or(Minute { since: now, looks: 0, questions: 0 });
        let (number, most) = of(&mut minute);
        if *number >= most {
            return Err(Refusal::busy());
        }
        *number += 1;
        *asked = Some(minute);
        Ok(())
    }
}

/// The names of workloads that may be meant: of several, the one that has the id that was asked for.
fn choose(group: &Group, wanted: Option<&str>) -> Result<Vec<String>, Refusal> {
    let managed = group.identity.managed.as_ref().ok_or_else(Refusal::none)?;
    let system = managed.system.then(|| group.service.clone());
    let Some(wanted) = wanted else {
        return match (system, managed.assigned.as_slice()) {
            (Some(system), _) => Ok(vec![system]),
            (None, [one]) => Ok(vec![one.name.clone()]),
            (None, []) => Err(Refusal::none()),
            (None, _) => Err(Refusal::which()),
        };
    };
    let mut all: Vec<(&str, String)> =
        managed.assigned.iter().map(|one| (one.resource.as_str(), one.name.clone())).collect();
    all.extend(system.into_iter().map(|name| ("", name)));
    let named = |(resource, name): &&(&str, String)| {
        name.eq_ignore_ascii_case(wanted) || resource.eq_ignore_ascii_case(wanted)
    };
    if let Some((_, name)) = all.iter().find(named) {
        return Ok(vec![name.clone()]);
    }
    // Ids are known to the server alone; it gives nothing where the one of a name has another.
    if wanted.parse::<uuid::Uuid>().is_err() {
        return Err(Refusal::which());
    }
    Ok(all.into_iter().map(|(_, name)| name).collect())
}

/// Asks the server, about one workload after the other until it is the one that was asked for. Gives the last of them.
async fn asked<'a>(inner: &Inner, container: &Contained, key: &'a Key) -> (&'a str, Result<Token, Refusal>) {
    let Judge::Server(gate) = &*inner.judge else { return ("", Err(Refusal::alone())) };
    // Resource ids are ours to understand, ids are the server's.
    let client_id = key.question.wanted.clone().filter(|wanted| wanted.parse::<uuid::Uuid>().is_ok());
    let mut last = ("", Err(Refusal::which()));
    for workload in &key.workloads {
        let asked = Asked {
            resource: key.question.resource.clone(),
            client_id: client_id.clone(),
            host: inner.settings.host.clone(),
            group: key.group.clone(),
            container: key.container.clone(),
            image: container.plan.image.clone(),
            digest: key.image.to_string(),
        };
        let given = gate.token(workload, asked).await;
        // Another one, or one that this node may not speak for and which may be another.
        let is_another =
            matches!(&given, Err(crate::Error::Api(error)) if matches!(error.status(), Some(403 | 404)));
        last = (workload, given.map_err(|why| Refusal::of(&why)));
        if client_id.is_none() || !is_another {
            return last;
        }
    }
    last
}

/// Writes down who was given a token, or was not.
async fn told(
    inner: &Arc<Inner>,
    key: &Key,
    workload: &str,
    given: &Result<Token, Refusal>,
) -> Result<(), Refusal> {
    let what = if given.is_ok() { "token.issued" } else { "token.refused" };
    let mut details = vec![
        ("id", workload.to_owned()),
        ("what", key.question.resource.clone()),
        ("digest", key.image.to_string()),
    ];
    details.extend(given.as_ref().err().map(|refusal| ("why", refusal.to_string())));
    let (inner, group, container) = (Arc::clone(inner), key.group.clone(), key.container.clone());
    let written =
        tokio::task::spawn_blocking(move || inner.write(what, &group, Some(&container), &details)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!(%error, what, "not written down");
            Err(Refusal::log())
        }
        Err(_) => Err(Refusal::stopping()),
    }
}
