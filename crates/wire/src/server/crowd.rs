//! Who is connected, and who has to go when there are too many.
//!
//! Opening connections and sending nothing costs a client nothing. So when all places are taken, the connection that has
//! waited longest for its next request makes room. One in the middle of a request is never cut for that.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// A connection keeps its place at least this long, so that its first request can arrive.
const GRACE: Duration = Duration::from_millis(500);
/// How often it is looked at whether somebody can make room, while nobody leaves.
const LOOK: Duration = Duration::from_millis(50);

/// All connections of a listener.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By the order in which they began to wait.
    seats: BTreeMap<u64, (Instant, Arc<Notify>)>,
    next: u64,
}

impl Crowd {
    /// A crowd of at most `places`.
    pub(super) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places: Arc::new(Semaphore::new(places)), waiting: Mutex::default() })
    }

    /// A place for one more. `None` when there will never be one.
    pub(super) async fn enter(self: &Arc<Self>) -> Option<Seat> {
        loop {
            let free = Arc::clone(&self.places).acquire_owned();
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(Seat::new(self, place));
            }
            self.dismiss_one();
            if let Ok(place) = timeout(LOOK, free).await {
                return Some(Seat::new(self, place.ok()?));
            }
        }
    }

    /// Tells the connection that has waited longest to go, if it has waited for long enough.
    fn dismiss_one(&self) {
        let mut waiting = self.waiting();
        if let Some(longest) = waiting.seats.first_entry()
            && longest.get().0.elapsed() >= GRACE
        {
            longest.remove().1.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    turn: Mutex<Option<u64>>,
    leave: Arc<Notify>,
    _place: OwnedSemaphorePermit,
}

impl Seat {
    fn new(crowd: &Arc<Crowd>, place: OwnedSemaphorePermit) -> Self {
        let seat =
            Self { crowd: Arc::clone(crowd), turn: Mutex::default(), leave: Arc::default(), _place: place };
        seat.waits();
        seat
    }

    /// From now on it waits for its client.
    pub(super) fn waits(&self) {
        let mut waiting = self.crowd.waiting();
        let turn = waiting.next;
        waiting.next += 1;
        waiting.seats.insert(turn, (Instant::now(), Arc::clone(&self.leave)));
        let before = self.turn.lock().unwrap_or_else(PoisonError::into_inner).replace(turn);
        if let Some(before) = before {
            waiting.seats.remove(&before);
        }
    }

    /// From now on it is in a request.
    pub(super) fn works(&self) {
        let mut waiting = self.crowd.waiting();
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(turn) = turn {
            waiting.seats.remove(&turn);
        }
    }

    /// Returns when it has to make room.
    pub(super) async fn dismissed(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.works();
    }
}

/// The body of a response; when it is gone, its connection waits again.
pub(super) struct Answered {
    inner: Body,
    seat: Arc<Seat>,
}

impl Answered {
    pub(super) const fn new(inner: Body, seat: Arc<Seat>) -> Self {
        Self { inner, seat }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.seat.waits();
    }
}
