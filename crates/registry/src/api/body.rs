//! Bodies: requests that stream to disk, responses that stream from it.
//!
//! Nothing here holds a thread while it waits for a client, and what all bodies together have in memory is bounded: the
//! more of them there are, the smaller are their pieces.

use std::{
    io::Read as _,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{StatusCode, header},
};
use boltseal_model::Digest;
use boltseal_store::{Blobs, Content, Error as StoreError, Upload, Writer};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::JoinHandle,
    time::timeout,
};

use super::blocking;
use crate::failure::{Code, Failure};

/// Bytes that all bodies of one direction may have in memory, as long as there are fewer than a thousand.
const TOGETHER: usize = 24 << 20;
/// Bytes that a body has in memory, at most and at least: larger pieces are not faster, smaller ones cost more calls.
const PIECE: usize = 512 << 10;
const SMALLEST_PIECE: usize = 16 << 10;
/// Blobs up to this length are read at once, with opening them.
const SMALL_BLOB: u64 = 64 << 10;

/// Documents up to this length are read at once; longer ones ask for room first. Real manifests are far below it.
const SMALL_DOCUMENT: usize = 64 << 10;
/// KiB that longer documents have together: taking one in takes several times its length.
const ROOM: u32 = 8 << 10;
static LARGE: Semaphore = Semaphore::const_new(ROOM as usize);
/// Documents that wait for room, each with what came of it so far.
static WAITING: Semaphore = Semaphore::const_new(128);
/// How long one waits for room, and how long it may take to arrive, since others wait for its room.
const LARGE_TIME: Duration = Duration::from_mins(1);

static ARRIVING: Share = Share(AtomicUsize::new(0));
static LEAVING: Share = Share(AtomicUsize::new(0));

/// How many bodies divide [`TOGETHER`] between them.
struct Share(AtomicUsize);

/// One of them.
struct Place(&'static Share);

impl Share {
    fn enter(&'static self) -> Place {
        self.0.fetch_add(1, Ordering::Relaxed);
        Place(self)
    }
}

impl Place {
    /// Bytes it may have in memory now.
    fn piece(&self) -> usize {
        (TOGETHER / self.0.0.load(Ordering::Relaxed).max(1)).clamp(SMALLEST_PIECE, PIECE)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where a request's bytes go.
pub(super) trait Sink: Send + 'static {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
}

impl Sink for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Self::write(self, bytes)
    }
}

impl Sink for Upload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Self::write(self, bytes)
    }
}

type Written<S> = Result<S, StoreError>;

/// Writes a body, hashing on a thread of its own while the next bytes come in. Gives the sink back.
pub(super) async fn drain<S: Sink>(mut body: Body, sink: S) -> Result<S, Failure> {
    let place = ARRIVING.enter();
    let (mut idle, mut writing) = (Some(sink), None::<JoinHandle<Written<S>>>);
    let (mut gathered, mut size) = (Vec::<Bytes>::new(), 0);
    let (mut more, mut broken) = (!body.is_end_stream(), None);
    loop {
        if let Some(mut sink) = idle.take_if(|_| !gathered.is_empty()) {
            let pieces = std::mem::take(&mut gathered);
            size = 0;
            writing = Some(tokio::task::spawn_blocking(move || {
                pieces.iter().try_for_each(|bytes| sink.write(bytes)).map(|()| sink)
            }));
        }
        tokio::select! {
            written = written(&mut writing), if writing.is_some() => {
                writing = None;
                idle = Some(written?);
            }
            frame = body.frame(), if more && size < place.piece() => match frame {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        size += bytes.len();
                        gathered.push(bytes);
                    }
                }
                Some(Err(error)) => (more, broken) = (false, Some(error)),
                None => more = false,
            },
            else => break,
        }
    }
    match (idle, broken) {
        (Some(sink), None) => Ok(sink),
        (_, Some(error)) => {
            Err(Failure::new(Code::BlobUploadInvalid, format!("the body broke off: {error}")))
        }
        (None, None) => Err(Failure::fault("a body that was neither written nor broken")),
    }
}

async fn written<S>(writing: &mut Option<JoinHandle<Written<S>>>) -> Result<S, Failure> {
    match writing {
        Some(work) => Ok(work.await.map_err(Failure::fault)??),
        None => std::future::pending().await,
    }
}

/// A whole document, or 413; with the room of a long one, to be kept as long as the bytes are.
pub(super) async fn document(
    mut body: Body,
    limit: usize,
) -> Result<(Bytes, Option<SemaphorePermit<'static>>), Failure> {
    let too_large = || {
        let message = format!("more than {limit} bytes");
        Failure::new(Code::SizeInvalid, message).status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    if !gather(&mut body, &mut bytes, SMALL_DOCUMENT).await? {
        return Ok((bytes.into(), None));
    }
    let most = body.size_hint().upper().and_then(|left| usize::try_from(left).ok()).unwrap_or(limit);
    let room = room(bytes.len().saturating_add(most).min(limit)).await?;
    match timeout(LARGE_TIME, gather(&mut body, &mut bytes, limit)).await {
        Ok(Ok(false)) => Ok((bytes.into(), Some(room))),
        Ok(Ok(true)) => Err(too_large()),
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            let message = format!("the body took longer than {} seconds", LARGE_TIME.as_secs());
            Err(Failure::new(Code::SizeInvalid, message).status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

/// Room for a long document, in its turn.
async fn room(bytes: usize) -> Result<SemaphorePermit<'static>, Failure> {
    let busy = || {
        let message = "many long manifests come at the same time: send this one again in a few seconds";
        Failure::new(Code::TooManyRequests, message).header(header::RETRY_AFTER, "5")
    };
    let _place = WAITING.try_acquire().map_err(|_| busy())?;
    let wanted = u32::try_from(bytes.div_ceil(1024)).unwrap_or(ROOM).min(ROOM);
    let room = timeout(LARGE_TIME, LARGE.acquire_many(wanted)).await.map_err(|_| busy())?;
    room.map_err(Failure::fault)
}

/// Adds what comes, up to `limit` bytes and the piece that passes it. Gives whether it was passed.
async fn gather(body: &mut Body, bytes: &mut Vec<u8>, limit: usize) -> Result<bool, Failure> {
    while bytes.len() <= limit {
        match body.frame().await {
            Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Some(Err(error)) => {
                return Err(Failure::new(Code::SizeInvalid, format!("the body broke off: {error}")));
            }
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// `length` bytes of a blob from `start`, which must be there.
pub(super) async fn part(blobs: Blobs, digest: Digest, start: u64, length: u64) -> Result<Body, Failure> {
    let place = (length > SMALL_BLOB).then(|| LEAVING.enter());
    let piece = place.as_ref().map_or(PIECE, Place::piece);
    // The first piece comes before the answer, so that a storage that does not answer can still be said.
    let opened = move || {
        let (mut content, _) = blobs.read(&digest)?;
        let read = if start > 0 { content.skip_to(start) } else { Ok(()) };
        Ok(read.and_then(|()| read_some(content, length, piece)))
    };
    let (content, bytes) = blocking(opened).await?.map_err(Failure::unavailable)?;
    Ok(match place {
        None => bytes.into(),
        Some(place) => Body::new(ContentBody { left: length, state: Reading::Ready(content, bytes), place }),
    })
}

/// A part of a blob, read piece by piece on threads that may block, only as fast as the client takes it.
struct ContentBody {
    left: u64,
    state: Reading,
    place: Place,
}

enum Reading {
    /// With the first piece.
    Ready(Content, Vec<u8>),
    Idle(Content),
    Busy(JoinHandle<std::io::Result<(Content, Vec<u8>)>>),
    Ended,
}

fn read_some(mut content: Content, left: u64, piece: usize) -> std::io::Result<(Content, Vec<u8>)> {
    let wanted = usize::try_from(left).unwrap_or(piece).min(piece);
    let mut bytes = Vec::with_capacity(wanted);
    (&mut content).take(wanted as u64).read_to_end(&mut bytes)?;
    if bytes.len() < wanted {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok((content, bytes))
}

impl HttpBody for ContentBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let (left, piece) = (self.left, self.place.piece());
        let mut work = match std::mem::replace(&mut self.state, Reading::Ended) {
            Reading::Ready(content, first) => {
                self.left -= first.len() as u64;
                self.state = Reading::Idle(content);
                return Poll::Ready(Some(Ok(Frame::data(first.into()))));
            }
            Reading::Idle(blob) => tokio::task::spawn_blocking(move || read_some(blob, left, piece)),
            Reading::Busy(work) => work,
            Reading::Ended => return Poll::Ready(None),
        };
        let Poll::Ready(done) = Pin::new(&mut work).poll(cx) else {
            self.state = Reading::Busy(work);
            return Poll::Pending;
        };
        // On an error the state stays ended.
        Poll::Ready(Some(done.map_err(std::io::Error::other).flatten().map(|(content, piece)| {
            self.left -= piece.len() as u64;
            self.state = Reading::Idle(content);
            Frame::data(piece.into())
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
