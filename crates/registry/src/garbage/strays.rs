//! Files that nothing names: a crash came between the file and its commit, or a power cut brought back a removed one.
//! They are found by going through all files, slowly; everything else of a collection needs no walk.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use boltseal_store::{Condemned, Found, Walk};

use super::collect::{Collection, pause};
use crate::Error;

/// Files looked at in one go: one question to the facts.
const BATCH: usize = 500;
/// What an upload left is taken for abandoned after this long, whatever the grace: its bytes may still be coming.
const UPLOAD: Duration = Duration::from_mins(10);

/// Removes strays that nobody wrote to for `age`. Gives whether it came to the end.
pub(super) async fn remove(collection: &mut Collection<'_>, age: Duration) -> Result<bool, Error> {
    let blobs = collection.registry.0.blobs.clone();
    let swept = tokio::task::spawn_blocking(move || blobs.sweep_uploads(age.max(UPLOAD)));
    let (files, bytes) = swept.await.map_err(|_| Error::Task("looking for abandoned uploads"))??;
    collection.tally.strays += files;
    collection.tally.stray_bytes += bytes;
    let walk = Arc::new(Mutex::new(collection.registry.0.blobs.walk()));
    loop {
        let began = Instant::now();
        let Some(found) = next(&walk, age).await? else { return Ok(true) };
        for stray in unknown(collection, found).await? {
            if remove_one(collection, &stray).await? {
                tracing::warn!(digest = %stray.digest, bytes = stray.size, "removed a file that nothing named");
                collection.tally.strays += 1;
                collection.tally.stray_bytes += stray.size;
            }
        }
        if !collection.report("looking for files that nothing names").await {
            return Ok(false);
        }
        pause(began.elapsed()).await;
    }
}

async fn next(walk: &Arc<Mutex<Walk>>, age: Duration) -> Result<Option<Vec<Found>>, Error> {
    let walk = Arc::clone(walk);
    let look = move || walk.lock().unwrap_or_else(PoisonError::into_inner).next(BATCH, age);
    let found = tokio::task::spawn_blocking(look).await.map_err(|_| Error::Task("looking for strays"))?;
    Ok(found?)
}

/// Those that no row names.
async fn unknown(collection: &Collection<'_>, found: Vec<Found>) -> Result<Vec<Found>, Error> {
    if found.is_empty() {
        return Ok(found);
    }
    let digests: Vec<_> = found.iter().map(|found| found.digest.clone()).collect();
    let unknown = collection.registry.0.facts.unknown_contents(&digests).await?;
    Ok(found.into_iter().filter(|found| unknown.contains(&found.digest)).collect())
}

/// Whoever brings the same bytes holds the lock from the file to its row: with the lock, a row that is not there is not
/// about to come.
async fn remove_one(collection: &Collection<'_>, stray: &Found) -> Result<bool, Error> {
    let inner = &collection.registry.0;
    let _nobody_brings_it_meanwhile = inner.blobs.lock(&stray.digest).await;
    if inner.facts.unknown_contents(std::slice::from_ref(&stray.digest)).await?.is_empty() {
        return Ok(false);
    }
    let (blobs, digest, size) = (inner.blobs.clone(), stray.digest.clone(), stray.size);
    let gone = Condemned { digest, size, place: String::new() };
    let removed = tokio::task::spawn_blocking(move || blobs.remove(&gone));
    removed.await.map_err(|_| Error::Task("removing strays"))??;
    Ok(true)
}
