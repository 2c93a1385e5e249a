//! What clusters and engines report about themselves, as records of this log.

use axum::{Extension, Json, body::Body, extract::State as From};
use boltseal_api::audit::Taken;
use boltseal_audit::{
    Record,
    ingest::{self, IngestError, Ingested},
    record::Source,
};
use boltseal_identity::{Action, Caller, Scope};

use crate::{State, asking::Asking, failure::Failure, guard};

/// `POST /api/v1/audit/ingest/kubernetes?cluster=NAME`: a batch of `audit.k8s.io/v1`, as an API server's webhook sends
/// it. Answered when it is durable, so that what was not answered comes again.
pub(crate) async fn kubernetes(
    from: From<State>,
    caller: Extension<Caller>,
    source: Extension<Source>,
    asking: Asking,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let from_cluster = Reporter { kind: "clusters", name: asking.some("cluster"), read: ingest::kubernetes };
    take(from, caller, source, from_cluster, body).await
}

/// `POST /api/v1/audit/ingest/docker?host=NAME`: events, one JSON object after another, as `docker events --format json`
/// prints them.
pub(crate) async fn docker(
    from: From<State>,
    caller: Extension<Caller>,
    source: Extension<Source>,
    asking: Asking,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let from_host = Reporter { kind: "hosts", name: asking.some("host"), read: ingest::docker };
    take(from, caller, source, from_host, body).await
}

/// `POST /api/v1/audit/ingest/docker-commands?host=NAME`: what was asked of an engine and what its gate answered, one JSON
/// object after another.
pub(crate) async fn docker_commands(
    from: From<State>,
    caller: Extension<Caller>,
    source: Extension<Source>,
    asking: Asking,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let from_host = Reporter { kind: "hosts", name: asking.some("host"), read: ingest::docker_commands };
    take(from, caller, source, from_host, body).await
}

/// `POST /api/v1/audit/ingest/node?host=NAME`: what a node's agent runs, one JSON object after another, as `boltseal events
/// --json` prints them.
pub(crate) async fn node(
    from: From<State>,
    caller: Extension<Caller>,
    source: Extension<Source>,
    asking: Asking,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let from_host = Reporter { kind: "hosts", name: asking.some("host"), read: ingest::node };
    take(from, caller, source, from_host, body).await
}

/// Who reports.
struct Reporter {
    /// Its place among scopes.
    kind: &'static str,
    name: Option<String>,
    read: fn(&[u8], &str) -> Result<Vec<Ingested>, IngestError>,
}

async fn take(
    From(state): From<State>,
    Extension(caller): Extension<Caller>,
    Extension(source): Extension<Source>,
    from: Reporter,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let name =
        from.name.ok_or_else(|| Failure::Asked(format!("name the one of the {} that reports", from.kind)))?;
    let scope =
        Scope::root().below(&[from.kind, &name]).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    guard::may(&state, &caller, &source, Action::AuditIngest, &scope).await?;
    let bytes = axum::body::to_bytes(body, ingest::MAX_BYTES)
        .await
        .map_err(|_| Failure::TooLarge(ingest::MAX_BYTES))?;
    let reading = tokio::task::spawn_blocking(move || (from.read)(&bytes, &name));
    let events =
        reading.await.map_err(std::io::Error::other)?.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let received = events.len();
    let reporter = caller.id.to_string();
    let finish = move |record: Record| record.detail("reporter", reporter.as_str());
    let recorded = state.exchange.take(events, finish).await?;
    Ok(Json(Taken { received, recorded }))
}
