//! Carrying blobs, several at a time.

use std::{
    io::{self, Read},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use super::{Progress, Store};
use crate::{
    manifest::Descriptor,
    remote::{Error, Mounted},
};

/// Blobs on their way at once, whatever is asked for: more would only make a registry angry.
const MAX_PARALLEL: usize = 16;

/// From where, to where, and who hears of it.
pub(super) struct Route<'c> {
    pub from: &'c Store,
    pub to: &'c Store,
    pub progress: &'c dyn Progress,
}

/// What became of some blobs.
#[derive(Default)]
pub(super) struct Carried {
    pub sent: u64,
    pub mounted: u64,
    pub there: u64,
    pub bytes: u64,
}

enum Way {
    Sent,
    Mounted,
    There,
    /// A foreign layer that only its own addresses have.
    Elsewhere,
}

/// Carries all of them; after the first that failed, no further one is begun.
pub(super) fn all(route: &Route<'_>, each: &[&Descriptor], parallel: usize) -> Result<Carried, Error> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let outcome = Mutex::new((Carried::default(), None));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(blob) = each.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let way = route.one(blob);
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match way {
                Ok(Way::Sent) => {
                    outcome.0.sent += 1;
                    outcome.0.bytes += blob.size;
                }
                Ok(Way::Mounted) => outcome.0.mounted += 1,
                Ok(Way::There) => outcome.0.there += 1,
                Ok(Way::Elsewhere) => {}
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    outcome.1.get_or_insert(error);
                }
            }
        }
    };
    let workers = parallel.clamp(1, MAX_PARALLEL).min(each.len());
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
        (carried, None) => Ok(carried),
        (_, Some(error)) => Err(error),
    }
}

impl Route<'_> {
    fn one(&self, blob: &Descriptor) -> Result<Way, Error> {
        let way = self.way(blob)?;
        if !matches!(way, Way::Sent) {
            self.progress.advance(blob.size);
        }
        Ok(way)
    }

    fn way(&self, blob: &Descriptor) -> Result<Way, Error> {
        if self.to.has_blob(&blob.digest)? {
            return Ok(Way::There);
        }
        let told = AtomicU64::new(0);
        let mut source = || self.source(blob, &told);
        let sent = match (self.to, self.from) {
            (Store::Repository(to), Store::Repository(from)) if to.remote().is_same(from.remote()) => {
                match to.mount(&blob.digest, from.name())? {
                    Mounted::Yes => return Ok(Way::Mounted),
                    Mounted::No(upload) => upload.send(&blob.digest, blob.size, &mut source),
                }
            }
            (Store::Repository(to), _) => to.put_blob_from(&blob.digest, blob.size, &mut source),
            (Store::Layout(to), _) => to.put_blob(&blob.digest, blob.size, &mut source),
        };
        match sent {
            Err(error) if is_foreign(blob) && error.is_not_found() => Ok(Way::Elsewhere),
            other => other.map(|()| Way::Sent),
        }
    }

    fn source<'s>(
        &'s self,
        blob: &Descriptor,
        told: &'s AtomicU64,
    ) -> Result<Box<dyn Read + Send + 's>, Error> {
        let inner = self.from.blob(&blob.digest, blob.size)?;
        Ok(Box::new(Counted { inner, at: 0, told, progress: self.progress }))
    }
}

/// Layers that nobody may hand on (image specification, "Non-Distributable Layers").
fn is_foreign(blob: &Descriptor) -> bool {
    !blob.urls.is_empty()
        && (blob.media_type.contains("foreign") || blob.media_type.contains("nondistributable"))
}

/// Tells how far reading is; what is read a second time is not told again.
struct Counted<'r> {
    inner: Box<dyn Read + Send + 'r>,
    at: u64,
    told: &'r AtomicU64,
    progress: &'r dyn Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.at += read as u64;
        let before = self.told.fetch_max(self.at, Ordering::Relaxed);
        if self.at > before {
            self.progress.advance(self.at - before);
        }
        Ok(read)
    }
}
