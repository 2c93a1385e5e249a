//! The webhooks of Kubernetes: may this run, and which image exactly.
//!
//! `/admission/validate` answers from what is stored: the verdict that was made when the image was pushed, scanned again or
//! judged by another policy. Nothing is computed, fetched or waited for here, and there is a hard deadline: the one that the
//! API server gives, less half a second, so that it is always told why. What is not known by then is refused, or what the
//! setting says. `/admission/mutate` only puts the digest behind a tag, so that what was judged is what runs.
//!
//! What was refused is in the log, and how much was let in (`log`); so is who made a cluster ask, or no longer ask (`switch`).
//!
//! API servers send no credentials that managed clusters let one choose, so anybody who reaches the server may ask; an answer
//! tells whether an image that one can name may run, and why not. Bodies, reviews at a time and time are bounded.

mod judge;
mod log;
pub(crate) mod setting;
pub(crate) mod switch;

pub use log::AdmissionLog;
pub use setting::LastSetting;

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::{
    Extension,
    body::{Body, HttpBody as _},
    extract::State as From,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use boltseal_audit::record::Source;
use boltseal_orchestrator::admission::{Answer, MAX_BODY, Review};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use crate::{State, asking::Asking, failure::Failure};

/// Reviews at a time: with more, memory is what would give out.
const MAX_REVIEWS: usize = 64;
/// Long ones among them. Each takes some 20 MiB while it is looked at, and hardly any is long.
const MAX_LONG: usize = 4;
/// Bytes above which a review is long.
const SHORT: usize = 64 << 10;
/// What an API server waits where it does not say.
const PATIENCE: Duration = Duration::from_secs(10);
/// What it may ask for at most, by its own rules.
const MAX_PATIENCE: Duration = Duration::from_secs(30);
/// What is kept for the way back.
const RESERVE: Duration = Duration::from_millis(500);

static REVIEWS: Semaphore = Semaphore::const_new(MAX_REVIEWS);
static LONG: Semaphore = Semaphore::const_new(MAX_LONG);

/// A review while it is looked at.
struct Turn {
    review: Review,
    until: Instant,
    _turns: [Option<SemaphorePermit<'static>>; 2],
}

/// `POST /admission/validate?timeout=5s`
pub(crate) async fn validate(
    From(state): From<State>,
    Extension(source): Extension<Source>,
    asking: Asking,
    body: Body,
) -> Result<Response, Failure> {
    let Turn { review, until, _turns } = match turn(&asking, body).await {
        Ok(turn) => turn,
        Err(unread) => return refused(&state, unread).await,
    };
    let (answer, about) = match timeout_at(until, judge::judge(&state, &review)).await {
        Ok(judged) => judged,
        Err(_) => (judge::late(&state, &review), Vec::new()),
    };
    log::write(&state, source, &review, &answer, &about, setting::logged(&state));
    Ok(sent(&answer, &review.uid))
}

/// What cannot be read is refused by its id: a status of HTTP alone is no answer, and a cluster that was told to let things in
/// without one (`--failure-policy ignore`) would let in whatever is long enough.
async fn refused(state: &State, Unread { id, why }: Unread) -> Result<Response, Failure> {
    let Some(id) = id else { return Err(why) };
    tracing::warn!(review = id, %why, "a review could not be read, and is refused");
    let force = setting::in_force(state, None).await;
    Ok(sent(&judge::unread(&why, &force), &id))
}

/// `POST /admission/mutate?timeout=5s`
pub(crate) async fn mutate(
    From(state): From<State>,
    asking: Asking,
    body: Body,
) -> Result<Response, Failure> {
    let Turn { review, until, _turns } = turn(&asking, body).await.map_err(|unread| unread.why)?;
    // What was not pinned is judged by its tag, and refused there if that is not known.
    let answer = timeout_at(until, judge::pin(&state, &review)).await.unwrap_or_default();
    Ok(sent(&answer, &review.uid))
}

/// A body that is no review, and the id by which it can be refused.
struct Unread {
    id: Option<String>,
    why: Failure,
}

impl std::convert::From<Failure> for Unread {
    fn from(why: Failure) -> Self {
        Self { id: None, why }
    }
}

/// Reads a body once there is room for it. Without room in time there is no answer, and the API server does what it was told
/// to do then.
async fn turn(asking: &Asking, body: Body) -> Result<Turn, Unread> {
    let until = Instant::now() + deadline(asking);
    let bytes = timeout_at(until, whole(body)).await.map_err(|_| Failure::Busy)??;
    let id = Review::id(&bytes);
    let room = async |of: &'static Semaphore| match timeout_at(until, of.acquire()).await {
        Ok(Ok(turn)) => Ok(Some(turn)),
        Ok(Err(_)) | Err(_) => Err(Failure::Busy),
    };
    let is_long = bytes.len() > SHORT;
    let long = if is_long { room(&LONG).await? } else { None };
    let any = room(&REVIEWS).await?;
    let review = if is_long {
        tokio::task::spawn_blocking(move || Review::read(&bytes))
            .await
            .map_err(|wrong| Failure::Format(std::io::Error::other(wrong)))?
    } else {
        Review::read(&bytes)
    };
    let review = review.map_err(|wrong| Unread { id, why: Failure::Asked(wrong.to_string()) })?;
    Ok(Turn { review, until, _turns: [long, any] })
}

/// All bytes of a body; of one that is too long, the id that it begins with.
async fn whole(mut body: Body) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
        bytes.extend(frame.into_data().unwrap_or_default());
        if bytes.len() > MAX_BODY {
            return Err(Unread { id: Review::id(&bytes), why: Failure::TooLarge(MAX_BODY) });
        }
    }
    Ok(bytes)
}

fn deadline(asking: &Asking) -> Duration {
    let seconds = asking.text("timeout").trim_end_matches('s').parse().map(Duration::from_secs);
    let given = seconds.unwrap_or(PATIENCE).min(MAX_PATIENCE);
    given.saturating_sub(RESERVE).max(RESERVE)
}

fn sent(answer: &Answer, id: &str) -> Response {
    let mut response = answer.body(id).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
