//! Bodies: requests that stream to disk, responses that stream from it.

use std::{
    io::Read as _,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use boltseal_store::{Content, Error as StoreError, Upload, Writer};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::failure::{Code, Failure};

/// Pieces on their way to the disk. Each is what one read of a socket gave, at most some hundred kilobytes.
const QUEUE: usize = 4;
/// Bytes read from the disk at a time.
const PIECE: usize = 512 << 10;

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

/// Writes a body, hashing on a thread of its own while the next bytes come in. Gives the sink back.
pub(super) async fn drain<S: Sink>(mut body: Body, mut sink: S) -> Result<S, Failure> {
    if body.is_end_stream() {
        return Ok(sink);
    }
    let (sender, mut receiver) = mpsc::channel::<Bytes>(QUEUE);
    let work = tokio::task::spawn_blocking(move || {
        while let Some(bytes) = receiver.blocking_recv() {
            sink.write(&bytes)?;
        }
        Ok::<_, StoreError>(sink)
    });
    let mut broken = None;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let Ok(bytes) = frame.into_data() else { continue };
                if sender.send(bytes).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    drop(sender);
    let sink = work.await.map_err(Failure::fault)??;
    match broken {
        None => Ok(sink),
        Some(error) => Err(Failure::new(Code::BlobUploadInvalid, format!("the body broke off: {error}"))),
    }
}

/// A whole small body, or 413.
pub(super) async fn small(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let too_large = || {
        let message = format!("more than {limit} bytes");
        Failure::new(Code::SizeInvalid, message).status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match http_body_util::Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Failure::new(Code::SizeInvalid, format!("the body broke off: {error}"))),
    }
}

/// A part of a blob, read piece by piece on threads that may block, only as fast as the client takes it.
pub(super) struct ContentBody {
    left: u64,
    state: Reading,
}

enum Reading {
    Idle(Content),
    Busy(JoinHandle<std::io::Result<(Content, Vec<u8>)>>),
    Ended,
}

impl ContentBody {
    /// `length` bytes from `start`, which must be there.
    pub(super) fn new(mut content: Content, start: u64, length: u64) -> std::io::Result<Self> {
        if start > 0 {
            content.skip_to(start)?;
        }
        Ok(Self { left: length, state: Reading::Idle(content) })
    }
}

fn read(mut content: Content, left: u64) -> std::io::Result<(Content, Vec<u8>)> {
    let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
    let mut piece = Vec::with_capacity(wanted);
    (&mut content).take(wanted as u64).read_to_end(&mut piece)?;
    if piece.len() < wanted {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok((content, piece))
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
        let left = self.left;
        let mut work = match std::mem::replace(&mut self.state, Reading::Ended) {
            Reading::Idle(content) => tokio::task::spawn_blocking(move || read(content, left)),
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
