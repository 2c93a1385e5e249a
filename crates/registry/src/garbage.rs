//! Collecting garbage while everybody goes on: no stop, no lock over a repository, no walk.
//!
//! The facts know what nobody needs (see `boltseal_store::Facts::garbage`); a collection lets repositories go of it and
//! removes the bytes, a few at a time, with pauses. Whoever is in the middle of a push keeps what it brought, by
//! [`Leases`]; a push that comes later than the grace is told which blobs to bring again.

mod collect;
mod leases;
mod schedule;
mod strays;

use boltseal_api::storage::GarbageSettings;
use boltseal_store::{Error, Facts};

pub(crate) use collect::{run, size};
pub(crate) use leases::Leases;

/// How garbage is collected, as somebody set it.
pub(crate) async fn settings(facts: &Facts) -> Result<GarbageSettings, Error> {
    let documents = facts.documents_of(GarbageSettings::KIND).await?;
    let body = documents.into_iter().find(|document| document.id == GarbageSettings::ID).and_then(|d| d.body);
    let Some(body) = body else { return Ok(GarbageSettings::default()) };
    Ok(serde_json::from_str(&body).unwrap_or_else(|error| {
        tracing::error!(%error, "the settings of garbage collection cannot be read: what is usual holds");
        GarbageSettings::default()
    }))
}
