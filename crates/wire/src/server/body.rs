//! A request body that does not wait for ever for its next piece.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// Ends with an error when the client pauses too long.
pub(super) struct Patient {
    inner: Incoming,
    pause: Duration,
    /// Made when first waiting: most bodies are there at once.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(inner: Incoming, pause: Duration) -> Self {
        Self { inner, pause, deadline: None }
    }
}

/// The client stopped sending in the middle of a body.
#[derive(Debug, thiserror::Error)]
#[error("the client sent nothing for {} seconds in the middle of a request", .0.as_secs())]
struct Paused(Duration);

impl Body for Patient {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            this.deadline = None;
            return Poll::Ready(frame.map(|result| result.map_err(Into::into)));
        }
        let pause = this.pause;
        let deadline =
            this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + pause)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Paused(pause).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
