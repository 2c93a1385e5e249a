//! What clients do: push an image, pull one, many at the same time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use boltseal_model::Digest;

use super::{
    connection::{Connection, Request},
    content::{Blob, Image, MANIFEST},
    subject::Subject,
};

/// How the bytes of a blob are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// POST, then PUT of everything.
    Monolith,
    /// POST, then one PATCH of unsaid length, then PUT: what `docker push` does.
    Stream,
}

const BYTES: &[(&str, &str)] = &[("Content-Type", "application/octet-stream")];
const WANTED: &[(&str, &str)] = &[("Accept", MANIFEST)];

/// Pushes an image to `repository:tag`, one blob after the other.
pub fn push(
    connection: &mut Connection<'_>,
    repository: &str,
    tag: &str,
    image: &Image,
    how: How,
) -> Result<()> {
    for blob in &image.blobs {
        upload(connection, repository, blob, how)?;
    }
    let path = format!("/v2/{repository}/manifests/{tag}");
    let body: &[&[u8]] = &[&image.manifest];
    let request = Request::new("PUT", &path).headers(&[("Content-Type", MANIFEST)]).body(body);
    connection.expect(201, request).map(drop)
}

/// The same with blobs over four connections, as container tools push.
pub fn push_in_parallel(subject: &Subject, repository: &str, image: &Image) -> Result<()> {
    let blobs = Image { blobs: Vec::new(), ..image.clone() };
    drive(subject, 4, image.blobs.len(), None, &|connection, number| {
        let blob = image.blobs.get(number).context("no such blob")?;
        upload(connection, repository, blob, How::Monolith)
    })?;
    push(&mut Connection::new(subject)?, repository, "latest", &blobs, How::Monolith)
}

fn upload(connection: &mut Connection<'_>, repository: &str, blob: &Blob, how: How) -> Result<()> {
    let begun = format!("/v2/{repository}/blobs/uploads/");
    let mut at =
        connection.expect(202, Request::new("POST", &begun))?.location.context("no Location of an upload")?;
    let parts = blob.parts();
    let mut body: &[&[u8]] = &parts;
    if how == How::Stream {
        let request = Request::new("PATCH", &at).headers(BYTES).body(body).streamed();
        at = connection.expect(202, request)?.location.context("no Location after a chunk")?;
        body = &[];
    }
    let joint = if at.contains('?') { '&' } else { '?' };
    let path = format!("{at}{joint}digest={}", blob.digest);
    connection.expect(201, Request::new("PUT", &path).headers(BYTES).body(body)).map(drop)
}

/// Pulls an image as zot's benchmark does: HEAD, then GET, of the manifest, the configuration and each layer.
pub fn pull(connection: &mut Connection<'_>, repository: &str, tag: &str, image: &Image) -> Result<()> {
    let manifest = format!("/v2/{repository}/manifests/{tag}");
    for method in ["HEAD", "GET"] {
        connection.expect(200, Request::new(method, &manifest).headers(WANTED))?;
    }
    for blob in image.blobs.iter().rev() {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        for method in ["HEAD", "GET"] {
            connection.expect(200, Request::new(method, &path))?;
        }
    }
    Ok(())
}

/// Whether what comes back is what was pushed. The measured pulls only count bytes.
pub fn check(connection: &mut Connection<'_>, repository: &str, image: &Image) -> Result<()> {
    for blob in &image.blobs {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let (answer, bytes) = connection.fetch(Request::new("GET", &path))?;
        ensure!(
            answer.status == 200 && Digest::of(&bytes) == blob.digest,
            "{path} came back as something else"
        );
    }
    Ok(())
}

/// GET of one path.
pub fn get(connection: &mut Connection<'_>, path: &str) -> Result<()> {
    connection.expect(200, Request::new("GET", path).headers(WANTED)).map(drop)
}

/// Does `step` up to `count` times over `clients` connections, but begins none after `budget`. Gives how long each took,
/// milliseconds, sorted.
pub fn drive(
    subject: &Subject,
    clients: usize,
    count: usize,
    budget: Option<Duration>,
    step: &(dyn Fn(&mut Connection<'_>, usize) -> Result<()> + Sync),
) -> Result<Vec<f64>> {
    let (next, waits, began) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)), Instant::now());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let (mut connection, mut mine) = (Connection::new(subject)?, Vec::new());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count || budget.is_some_and(|budget| began.elapsed() > budget) {
                            break;
                        }
                        let begun = Instant::now();
                        step(&mut connection, number)
                            .with_context(|| format!("{}: request {number}", subject.name))?;
                        mine.push(begun.elapsed().as_secs_f64() * 1e3);
                    }
                    waits.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a client died")))
    })?;
    let mut waits = waits.into_inner().unwrap_or_else(PoisonError::into_inner);
    waits.sort_by(f64::total_cmp);
    Ok(waits)
}
