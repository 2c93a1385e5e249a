//! Everything on this machine: what is started, in which order, and how it ends.
//!
//! The data folder is locked first and opened last to first: feeds and policy, facts and blobs, the registry with its
//! workers, then the two addresses. What a caller was told is done is on disk; so ending means no more than to stop
//! listening and to let running requests finish.

mod changes;
mod folder;
mod log;
mod policy_file;
mod stores;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, extract::Request};
use boltseal_flow::{Cache, endorsed::Endorsers};
use boltseal_identity::secret::Secret;
use boltseal_model::Timestamp;
use boltseal_registry::{Config, FlowJudge, Registry};
use boltseal_server::{
    Access, Exchange, LastUse, Site, State, access::FIRST, fingerprint_key, policies::PolicySource,
    sign_in_link,
};
use boltseal_wire::{
    server::{Limits, serve},
    tls::Certificates,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::{console::Console, exit::Failure};

use changes::{Changes, Watched};
use stores::Stores;

/// How often the certificate is looked at. It is renewed two months before it ends.
const RENEWAL: Duration = Duration::from_hours(24);
/// When a start is over: every task that comes back by the second has been there twice.
const SETTLED: Duration = Duration::from_secs(2);
/// Days for which deleted images can be taken back until somebody sets another time; as in Azure's registries.
const TRASH_DAYS: u32 = 7;

/// What to run and where.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line of its own")]
pub struct Setup {
    /// Folder of everything that lasts.
    pub data: PathBuf,
    /// Where everything else is that lasts.
    pub storage: Storage,
    /// The policy file; where it does not exist, the built-in policy counts.
    pub policy: PathBuf,
    /// Whether it was asked for by name: then it counts whatever is applied over the API.
    pub policy_named: bool,
    /// Whose policies are used.
    pub endorsers: Endorsers,
    /// Whether the policy file may be older than one that was in force.
    pub policy_rollback: bool,
    /// Over TLS.
    pub listen: SocketAddr,
    /// Without.
    pub registry_listen: SocketAddr,
    /// Names in the certificate besides the local ones.
    pub names: Vec<String>,
    /// Whether to print a sign-in link whatever start this is.
    pub sign_in_link: bool,
    /// Whether to make another secret for the first principal.
    pub new_admin_secret: bool,
    /// The log of what is done.
    pub log: LogSetup,
    /// When the process began.
    pub started: Instant,
}

impl Setup {
    /// How the policy is chosen.
    fn policy_source(&self) -> PolicySource {
        let file = self.policy_named.then(|| self.policy.display().to_string());
        PolicySource { endorsers: self.endorsers.clone(), file }
    }
}

/// Where facts, blobs and keys are.
#[derive(Clone)]
pub enum Storage {
    /// All in the data folder.
    Folder,
    /// Where other servers have them too.
    Shared {
        /// A PostgreSQL address, which may hold a password.
        database: Zeroizing<String>,
        /// The address of a bucket.
        blobs: String,
        /// The folder of keys.
        keys: PathBuf,
    },
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder => f.write_str("Folder"),
            Self::Shared { blobs, keys, .. } => {
                f.debug_struct("Shared").field("blobs", blobs).field("keys", keys).finish_non_exhaustive()
            }
        }
    }
}

/// How the log is kept.
#[derive(Clone, Debug)]
pub struct LogSetup {
    /// Where the last checkpoint is remembered: not in the data folder.
    pub anchors: PathBuf,
    /// Why a log is accepted that was put back to an older state.
    pub accept_restored: Option<String>,
    /// Serve pulls also while they cannot be recorded.
    pub pulls_without_log: bool,
}

/// Starts everything and comes back when it was told to stop and has.
pub async fn run(setup: Setup, console: &Console) -> Result<(), Failure> {
    let _lock = folder::lock(&setup.data)?;
    let sealed = listen(setup.listen, "--listen").await?;
    let plain = listen(setup.registry_listen, "--registry-listen").await?;
    let (https, http) = (address(&sealed)?, address(&plain)?);

    let (mut changes, snapshot) = Changes::open(&setup)?;
    let Stores { facts, blobs, keys, certificates } = stores::open(&setup).await?;
    let (policy, rolled_back) = changes.begin(&facts, setup.policy_rollback).await?;
    // Of several servers that start for the first time, one makes what all need.
    let beginning = stores::alone(&facts).await?;
    let recorder = log::open(&setup, &keys, &facts).await?;
    let (access, secret) =
        Access::open(&keys, &facts, setup.new_admin_secret).await.map_err(Failure::fault)?;
    access.answers_to(&setup.names);
    let exchange =
        Exchange::open(&setup.data, &keys, &facts, &recorder, access.authority()).map_err(Failure::fault)?;
    exchange.check(setup.log.accept_restored.as_deref()).await.map_err(Failure::fault)?;
    let judge = FlowJudge::new(&http.to_string(), snapshot.clone(), Arc::new(policy.policy.clone()));
    let key = fingerprint_key(access.authority(), &facts).await.map_err(Failure::fault)?;
    let judge = Arc::new(judge.recognising(key).with_cache(Cache::at(&setup.data)));
    let config = registry_config(&setup);
    let registry = Registry::new(facts.clone(), blobs, access.authority().clone(), judge.clone(), config);
    recorder
        .note(&log::started(&setup, &policy, rolled_back.as_deref(), snapshot.as_deref()))
        .await
        .map_err(Failure::fault)?;
    registry.start().await.map_err(Failure::fault)?;

    let certificates = Certificates::open(&certificates, &setup.names).map_err(Failure::fault)?;
    drop(beginning);
    let tls = certificates.server_config().map_err(Failure::fault)?;
    let told = changes::Told::new(snapshot.as_deref(), policy);
    let state = State {
        exchange: exchange.clone(),
        facts: facts.clone(),
        snapshot: told.snapshot.subscribe(),
        policy: told.policy.subscribe(),
        policies: Arc::new(setup.policy_source()),
        access: access.clone(),
        recorder: recorder.clone(),
        last_use: Arc::new(LastUse::default()),
        admission: Arc::default(),
        admission_log: Arc::default(),
        site: Arc::new(site(http)),
        now: Timestamp::now,
    };
    show(console, &access, secret.as_ref(), setup.sign_in_link, https)?;
    tracing::info!(authority = %certificates.authority().display(), fingerprint = certificates.fingerprint(), "certificate");
    tokio::spawn(renew(certificates));
    tokio::spawn(settle());

    let (stop, sealing) = (stop()?, log::Sealing::start(&recorder));
    let stopped = |mut stop: watch::Receiver<bool>| async move { drop(stop.wait_for(|stop| *stop).await) };
    let all = together(registry.router(), boltseal_server::router(state));
    let sealed_door = serve(sealed, all, Some(tls), Limits::default(), stopped(stop.clone()));
    let plain_door = serve(plain, registry.router(), None, Limits::default(), stopped(stop));
    tracing::info!(everything = %format_args!("https://{https}"), registry = %http, took = ?setup.started.elapsed(), "ready");
    let watching = tokio::spawn({
        let (by, registry) = (Watched { facts, recorder: recorder.clone() }, registry.clone());
        async move { changes.watch(&judge, &registry, &told, &by).await }
    });
    let exchanging = tokio::spawn({
        let recorder = recorder.clone();
        async move { tokio::join!(exchange.run(&recorder), access.follow()) }
    });
    tokio::join!(sealed_door, plain_door);
    watching.abort();
    exchanging.abort();
    registry.end().await;
    sealing.end(&recorder).await;
    tracing::info!("stopped");
    Ok(())
}

/// Once everything that runs from time to time has run: what only the start needed leaves memory.
async fn settle() {
    tokio::time::sleep(SETTLED).await;
    boltseal_sys::let_go_of_code();
}

/// What this installation is called, whose registry is at `http`.
fn site(http: SocketAddr) -> Site {
    Site { version: env!("CARGO_PKG_VERSION").to_owned(), registry: http.to_string(), tls: true }
}

fn registry_config(setup: &Setup) -> Config {
    Config {
        pulls_without_log: setup.log.pulls_without_log,
        trash_days: Some(TRASH_DAYS),
        ..Config::default()
    }
}

/// What is shown once: the first principal's secret, and a link that signs it in.
fn show(
    console: &Console,
    access: &Access,
    secret: Option<&Secret>,
    link: bool,
    https: SocketAddr,
) -> Result<(), Failure> {
    if let Some(secret) = secret {
        console.data(&format!("name:    {}\nsecret:  {}\n", FIRST, secret.expose()))?;
    }
    if (secret.is_some() || link)
        && let Some(link) = sign_in_link(access, Timestamp::now())
    {
        console.data(&format!("sign in: https://{https}{link}\n"))?;
    }
    Ok(())
}

/// The registry where its clients look for it, the dashboard everywhere else.
fn together(registry: Router, dashboard: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let path = request.uri().path();
        let of_registry = path == "/v2"
            || ["/v2/", "/acr/v1/"].iter().any(|front| path.starts_with(front))
            || ["/token", "/oauth2/token", "/oauth2/exchange"].contains(&path);
        let router = if of_registry { registry.clone() } else { dashboard.clone() };
        router.oneshot(request)
    })
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|wrong| {
        Failure::fault(format_args!("cannot listen on {address}: {wrong}"))
            .next(format!("choose another address with {flag}"))
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(Failure::fault)
}

/// Turns true at the first SIGTERM or SIGINT; a second one ends the process at once.
pub fn stop() -> Result<watch::Receiver<bool>, Failure> {
    let hear =
        |kind| signal(kind).map_err(|wrong| Failure::fault(format_args!("cannot hear signals: {wrong}")));
    let (mut terminate, mut interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if again {
                tracing::warn!("told to stop twice: running requests are cut");
                std::process::exit(i32::from(crate::exit::Exit::Fault as u8));
            }
            tracing::info!("stopping: no new connections; running requests may finish");
            tell.send_replace(true);
        }
    });
    Ok(told)
}

async fn renew(certificates: Certificates) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match certificates.renew() {
            Ok(true) => tracing::info!("the certificate was renewed"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "renewing the certificate"),
        }
    }
}
