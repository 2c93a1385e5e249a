//! A connection that ends when the other side stops taking what we send, and that ends gently.
//!
//! A server that answers before it has read the whole request and then closes makes the kernel reset the connection, and
//! the answer may be lost on the way. So the writing half is closed first, and what still comes is thrown away for a
//! while (RFC 9112, section 9.6).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// Bytes thrown away at a time.
const THROWN: usize = 16 << 10;

/// Watches the writing half; reading has its own limits above.
pub(super) struct Stall<S> {
    inner: S,
    pause: Duration,
    linger: Duration,
    /// Of the write that waits, or of throwing away what still comes.
    deadline: Option<Pin<Box<Sleep>>>,
    closed: bool,
}

impl<S> Stall<S> {
    pub(super) const fn new(inner: S, pause: Duration, linger: Duration) -> Self {
        Self { inner, pause, linger, deadline: None, closed: false }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.deadline = None;
            return progress;
        }
        let pause = self.pause;
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + pause)));
        if deadline.as_mut().poll(context).is_ready() {
            let message = format!("the client took nothing for {} seconds", pause.as_secs());
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> Stall<S> {
    /// Ready when the other side has closed too, or has had its time.
    fn poll_throw_away(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger;
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + linger)));
        if deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [std::mem::MaybeUninit::uninit(); THROWN];
        loop {
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judge(context, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.judge(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.inner).poll_flush(context);
        self.judge(context, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            let progress = Pin::new(&mut self.inner).poll_shutdown(context);
            ready!(self.judge(context, progress))?;
            self.closed = true;
            self.deadline = None;
        }
        self.poll_throw_away(context).map(Ok)
    }
}
