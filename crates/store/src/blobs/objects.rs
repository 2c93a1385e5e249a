//! Blobs in an object store that servers share: S3 and what speaks its language, Azure Blob Storage, Google Cloud
//! Storage.
//!
//! An object has a random key, its place; which digest is where is in the facts. So bytes are stored while they come,
//! before their digest is known, and nothing is ever copied or renamed. A place is written down before the first byte
//! goes out ([`Facts::announce_object`]) and taken off that list in the transaction that makes the blob count. What
//! stays on the list is removed when it is due, and no listing is needed to find it. That is all that crashes can leave,
//! but for one thing: the store names an upload in parts, so a crash after it did and before the name is written down
//! leaves one that has no parts and holds nothing. A rule of the bucket that ends uploads after some days removes those.

mod address;
mod failure;
mod reading;
mod stream;
mod upload;
mod writer;

use std::{
    fmt,
    future::Future,
    sync::{Arc, Weak, mpsc},
    time::Duration,
};

use boltseal_model::{Algorithm, Digest, Timestamp};
use bytes::Bytes;
use object_store::{ObjectStoreExt as _, PutPayload, path::Path};
use tokio::{runtime::Handle, sync::Semaphore};

use super::check;
use crate::{Condemned, Error, Facts, Stored, facts::Doomed};
use address::{Address, Kind, Service};
pub(super) use reading::Reading;
pub(super) use upload::Upload;
pub(super) use writer::Writer;

/// How long an announced object without a session may take to count. A writer that takes longer renews it.
const HOLD: Duration = Duration::from_hours(1);
/// How often objects that are due are looked for. One read that usually finds nothing.
const SWEEP: Duration = Duration::from_mins(1);
/// Objects removed between two looks at the facts.
const BATCH: u64 = 100;
/// Uploads that may have parts in memory, two each: a gibibyte in all. More wait.
const LARGE: usize = 64;

/// The blobs of one bucket or container.
#[derive(Clone)]
pub(super) struct Objects(Arc<Inner>);

struct Inner {
    service: Arc<dyn Service>,
    kind: Kind,
    prefix: String,
    facts: Facts,
    runtime: Handle,
    large: Arc<Semaphore>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.0.kind).field(&self.0.prefix).finish()
    }
}

impl Objects {
    /// Nothing is asked of the object store yet.
    pub(super) fn connect(address: &str, facts: Facts, runtime: Handle) -> Result<Self, Error> {
        let Address { service, kind, prefix } = address::open(address)?;
        let large = Arc::new(Semaphore::new(LARGE));
        let this = Self(Arc::new(Inner { service, kind, prefix, facts, runtime, large }));
        this.0.runtime.spawn(sweep_for_ever(Arc::downgrade(&this.0)));
        Ok(this)
    }

    pub(super) fn put_as(&self, bytes: &[u8], digest: &Digest) -> Result<Stored, Error> {
        check(bytes, digest)?;
        // What is there already may be condemned before the manifest is written down, so it is stored anew; if it
        // stays, the new object goes.
        let (place, size) = (self.announce(None)?, bytes.len() as u64);
        if let Err(error) = self.put(&place, Bytes::copy_from_slice(bytes)) {
            self.abandon(vec![place], None);
            return Err(error);
        }
        Ok(Stored { digest: digest.clone(), size, place })
    }

    pub(super) fn writer(&self, algorithm: Algorithm) -> Writer {
        Writer::new(self.clone(), algorithm)
    }

    pub(super) fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let (facts, digest) = (self.0.facts.clone(), digest.clone());
        self.wait(async move { Ok(facts.located(&digest).await?.map(|(_, size)| size)) })
    }

    pub(super) fn read(&self, digest: &Digest) -> Result<(Reading, u64), Error> {
        let (facts, wanted) = (self.0.facts.clone(), digest.clone());
        let found = self.wait(async move { facts.located(&wanted).await })?;
        let (place, size) = found.ok_or_else(|| Error::NoBlob(digest.clone()))?;
        Ok((Reading::new(self.clone(), place, size), size))
    }

    pub(super) fn remove(&self, contents: &Condemned) -> Result<(), Error> {
        if contents.place.is_empty() {
            return Ok(());
        }
        let (inner, place) = (Arc::clone(&self.0), contents.place.clone());
        self.wait(async move { inner.delete(&place).await })
    }

    /// Removes what is due. Gives how many objects.
    pub(super) fn sweep(&self) -> Result<u64, Error> {
        let inner = Arc::clone(&self.0);
        self.wait(async move { inner.sweep(inner.facts.now_for(HOLD)).await })
    }

    /// The same, with what is not due yet and nobody wrote to for `age`. Sessions keep what they have.
    pub(super) fn sweep_age(&self, age: Duration) -> Result<u64, Error> {
        let inner = Arc::clone(&self.0);
        self.wait(async move { inner.sweep(inner.facts.before(age) + HOLD).await })
    }

    /// A new place, written down.
    fn announce(&self, session: Option<&str>) -> Result<String, Error> {
        let id = uuid::Uuid::new_v4();
        // The last bits are as random as the first, which carry no version.
        let place = format!("objects/{:02x}/{id}", id.as_bytes().first().copied().unwrap_or(0));
        let due = session.is_none().then(|| Timestamp::now() + HOLD);
        let (facts, name, session) = (self.0.facts.clone(), place.clone(), session.map(str::to_owned));
        self.wait(async move { facts.announce_object(&name, session.as_deref(), due).await })?;
        Ok(place)
    }

    /// Stores a whole object.
    fn put(&self, place: &str, bytes: Bytes) -> Result<(), Error> {
        let (inner, place) = (Arc::clone(&self.0), place.to_owned());
        self.wait(async move { inner.put(&place, bytes).await })
    }

    /// Bytes of an object, as many as there must be.
    fn get(&self, place: &str, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
        let (inner, place) = (Arc::clone(&self.0), place.to_owned());
        self.wait(async move { inner.get(&place, range).await })
    }

    /// Objects that will not count: they go soon, without anybody waiting. A part on its way must not arrive after the
    /// end.
    fn abandon(&self, places: Vec<String>, part: Option<mpsc::Receiver<Result<String, Error>>>) {
        let inner = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            if let Some(part) = part {
                let _however_it_went = tokio::task::spawn_blocking(move || part.recv()).await;
            }
            let swept = async {
                inner.facts.release_objects(places).await?;
                inner.sweep(inner.facts.now_for(HOLD)).await
            };
            if let Err(error) = swept.await {
                // They are on the list.
                tracing::warn!(%error, "removing abandoned objects");
            }
        });
    }

    /// Runs on the runtime's threads while this one waits.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.start(work).recv().map_err(|_| Error::Closed)?
    }

    /// The same, for waiting later.
    fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> mpsc::Receiver<Result<T, Error>> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.0.runtime.spawn(async move {
            let _nobody_waits_any_more = sender.send(work.await);
        });
        receiver
    }
}

impl Inner {
    fn path(&self, place: &str) -> Path {
        Path::from(format!("{}{place}", self.prefix))
    }

    async fn put(&self, place: &str, bytes: Bytes) -> Result<(), Error> {
        let stored = self.service.put(&self.path(place), PutPayload::from_bytes(bytes)).await;
        stored.map(drop).map_err(|error| failure::of("store", place, &error))
    }

    async fn get(&self, place: &str, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
        let wanted = range.end.saturating_sub(range.start);
        let bytes = self.service.get_range(&self.path(place), range).await;
        let bytes = bytes.map_err(|error| failure::of("read", place, &error))?;
        if bytes.len() as u64 != wanted {
            return Err(failure::short(place, wanted, bytes.len()));
        }
        Ok(bytes)
    }

    /// Removes an object; it may be gone already.
    async fn delete(&self, place: &str) -> Result<(), Error> {
        match self.service.delete(&self.path(place)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure::of("remove", place, &error)),
        }
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, Error> {
        let mut swept = 0;
        loop {
            let doomed = self.facts.doom_objects(now, BATCH).await?;
            let all = doomed.len();
            let mut gone = Vec::with_capacity(all);
            for object in doomed {
                match self.destroy(&object).await {
                    Ok(()) => gone.push(object.place),
                    Err(error) => tracing::warn!(%error, "removing an object; tried again later"),
                }
            }
            let removed = gone.len();
            swept += removed as u64;
            self.facts.forget_objects(gone).await?;
            if removed < all || all == 0 {
                return Ok(swept);
            }
        }
    }

    /// Removes an object however far it had come.
    async fn destroy(&self, object: &Doomed) -> Result<(), Error> {
        let path = self.path(&object.place);
        if let Some(multipart) = &object.multipart {
            match self.kind {
                // Blocks that no list names stay for a week, unless a blob of that name is put.
                Kind::Azure => self.put(&object.place, Bytes::new()).await?,
                _ => match self.service.abort_multipart(&path, multipart).await {
                    Ok(()) => {}
                    Err(error) if failure::is_gone(&error) => {}
                    Err(error) => return Err(failure::of("abort", &object.place, &error)),
                },
            }
        }
        self.delete(&object.place).await
    }
}

async fn sweep_for_ever(blobs: Weak<Inner>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(inner) = blobs.upgrade() else { return };
        if let Err(error) = inner.sweep(inner.facts.now_for(HOLD)).await {
            tracing::warn!(%error, "looking for objects to remove");
        }
    }
}
