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
//! Limits: a token is asked for again after [`MEMORY`]; a group may ask [`QUESTIONS`] times a minute for what is not
//! remembered, one after the other; [`CONNECTIONS`] of all groups at once.
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
/// Tokens that one group may ask for in a minute, besides those that are remembered.
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
    /// Since when, and how many questions.
    asked: Mutex<Option<(Instant, u32)>>,
}

/// What answers containers.
struct Service {
    inner: Weak<Inner>,
    remembered: Cache<Key, Arc<Token>>,
}

/// Container, workload, resource and who was named: the token is the same where they are.
type Key = (String, String, String, String, Option<String>);

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
        let workload = choose(&group, question.wanted.as_deref())?;
        let turn = tokio::time::timeout(PATIENCE, group.identity.turn.lock()).await;
        let _turn = turn.map_err(|_| Refusal::busy())?;
        let gateway = lock(&inner.network).range().gateway();
        let of_group = Arc::clone(&group);
        let found =
            tokio::task::spawn_blocking(move || peer::container(&of_group, (address, from.port()), gateway));
        let container = found.await.map_err(|_| Refusal::stopping())?.ok_or_else(Refusal::nobody)?;
        let key = (
            group.name.clone(),
            container.name().to_owned(),
            workload.clone(),
            question.resource.clone(),
            question.wanted.clone(),
        );
        if let Some(token) = self.remembered.get(&key) {
            return Ok(token);
        }
        group.identity.count()?;
        let asked = of(&inner, &group, &container, &question)?;
        let given = match &*inner.judge {
            Judge::Server(gate) => gate.token(&workload, asked).await.map_err(|why| Refusal::of(&why)),
            Judge::Own(_) | Judge::Nobody => Err(Refusal::alone()),
        };
        let done = told(&inner, &group, &container, &workload, &question.resource, &given).await;
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

    /// One more question; refused where it is one too many.
    fn count(&self) -> Result<(), Refusal> {
        let mut asked = lock(&self.asked);
        let now = Instant::now();
        let (since, count) = asked
            .filter(|(since, _)| now.duration_since(*since) < Duration::from_mins(1))
            .unwrap_or((now, 0));
        if count >= QUESTIONS {
            return Err(Refusal::busy());
        }
        *asked = Some((since, count + 1));
        Ok(())
    }
}

/// The name of the workload that is meant.
fn choose(group: &Group, wanted: Option<&str>) -> Result<String, Refusal> {
    let managed = group.identity.managed.as_ref().ok_or_else(Refusal::none)?;
    let system = managed.system.then(|| group.service.clone());
    let Some(wanted) = wanted else {
        return match (system, managed.assigned.as_slice()) {
            (Some(system), _) => Ok(system),
            (None, [one]) => Ok(one.name.clone()),
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
        return Ok(name.clone());
    }
    // Ids are known to the server alone; it gives nothing where the one of this name has another.
    match all.as_slice() {
        [(_, one)] if wanted.parse::<uuid::Uuid>().is_ok() => Ok(one.clone()),
        _ => Err(Refusal::which()),
    }
}

/// What the server is asked.
fn of(
    inner: &Inner,
    group: &Group,
    container: &Contained,
    question: &answer::Question,
) -> Result<Asked, Refusal> {
    let digest = container.plan.digest.as_ref().ok_or_else(Refusal::unknown_image)?;
    // Resource ids are ours to understand, ids are the server's.
    let client_id = question.wanted.clone().filter(|wanted| wanted.parse::<uuid::Uuid>().is_ok());
    Ok(Asked {
        resource: question.resource.clone(),
        client_id,
        host: inner.settings.host.clone(),
        group: group.name.clone(),
        container: container.name().to_owned(),
        image: container.plan.image.clone(),
        digest: digest.to_string(),
    })
}

/// Writes down who was given a token, or was not.
async fn told(
    inner: &Arc<Inner>,
    group: &Group,
    container: &Contained,
    workload: &str,
    resource: &str,
    given: &Result<Token, Refusal>,
) -> Result<(), Refusal> {
    let what = if given.is_ok() { "token.issued" } else { "token.refused" };
    let mut details = vec![
        ("id", workload.to_owned()),
        ("what", resource.to_owned()),
        ("digest", container.plan.digest.as_ref().map(ToString::to_string).unwrap_or_default()),
    ];
    details.extend(given.as_ref().err().map(|refusal| ("why", refusal.to_string())));
    let (inner, group, container) = (Arc::clone(inner), group.name.clone(), container.name().to_owned());
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
