//! From the outbox to whoever is told: what is due is claimed, tried, and what came of it written down.
//!
//! [Webhooks](super::webhooks) and [notification rules](super::notices) put messages in, each under its name, in the
//! commit that says that it has been made; here they are sent until they arrive, or a day has passed. Whoever is killed
//! between an attempt and the note of it makes another server try again: the same message may arrive twice, under the
//! same id.

pub(super) mod mail;
pub(super) mod post;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use boltseal_model::Timestamp;
use boltseal_store::{Attempt, Delivery, Facts};

use super::Error;

/// Attempts at the same time.
const AT_ONCE: usize = 16;
/// How long an attempt may take before somebody else makes it: longer than all its deadlines.
const CLAIM: Duration = Duration::from_mins(2);
/// For a connection, and for any single read or write.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds for which an addressee is left alone after a failure; doubled with each further one.
const REST: i64 = 5;
/// Seconds for which it is left alone at most.
const MAX_REST: i64 = 300;
/// Failures after which the pause grows no more.
const MAX_FAILURES: u32 = 6;
/// How long deliveries that are over are kept for people to look at.
const KEPT: Duration = Duration::from_hours(24 * 14);
/// Seconds between two tidyings.
const TIDY: i64 = 3_600;
/// Seconds between attempts: the last counts for all further ones.
const PAUSES: [i64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];
/// Seconds after which a message is given up.
const LIFE: i64 = 86_400;
/// Characters of a reason that is kept.
const MAX_ERROR: usize = 300;

/// Sends.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    /// Addressees that do not answer: how often in a row, and until when they are left alone.
    resting: Mutex<BTreeMap<String, (u32, Timestamp)>>,
    /// Attempts that are under way.
    attempts: Arc<tokio::sync::Semaphore>,
}

/// How an addressee is told.
pub(super) enum Way {
    /// By POST, signed.
    Signed(post::Signed),
    /// By POST to an address that nobody else knows.
    Plain(post::Plain),
    /// By mail.
    Mail(mail::Mail),
}

/// What an attempt gave.
pub(super) enum Answer {
    /// With a status of HTTP, or a code of SMTP.
    Arrived(u64),
    /// With a status, if there was an answer; and why.
    Failed(Option<u64>, String),
    /// The same, and trying again is of no use.
    Unwanted(Option<u64>, String),
}

/// Addressees by their name in the outbox; what is wrong with those that cannot be told.
pub(super) type Ways = HashMap<String, Result<Way, String>>;

impl Outbox {
    pub(super) fn new(facts: &Facts) -> Self {
        Self(Arc::new(Inner {
            facts: facts.clone(),
            resting: Mutex::default(),
            attempts: Arc::new(tokio::sync::Semaphore::new(AT_ONCE)),
        }))
    }

    fn resting(&self) -> MutexGuard<'_, BTreeMap<String, (u32, Timestamp)>> {
        self.0.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever was left alone is tried again at once.
    pub(super) fn wake(&self, name: &str) {
        self.resting().remove(name);
    }

    /// Takes what is due, as much of it as can be sent at once.
    pub(super) async fn due(&self) -> Result<Vec<Delivery>, Error> {
        let free = self.0.attempts.available_permits() as u64;
        if free == 0 {
            return Ok(Vec::new());
        }
        let now = Timestamp::now();
        let resting: Vec<String> = self
            .resting()
            .iter()
            .filter(|(_, (_, until))| *until > now)
            .map(|(name, _)| name.clone())
            .collect();
        Ok(self.0.facts.claim_deliveries(now, now + CLAIM, &resting, free).await?)
    }

    /// Whether it is time to tidy.
    pub(super) fn is_untidy() -> bool {
        Timestamp::now().as_second() % TIDY == 0
    }

    /// Forgets what has been over for long, and whatever is for nobody that is known.
    pub(super) async fn tidy(&self, known: Ways) -> Result<(), Error> {
        let names = known.into_keys().collect();
        Ok(self.0.facts.forget_deliveries(Timestamp::now() - KEPT, names).await?)
    }

    /// Begins to send what was taken, and does not wait for the end.
    pub(super) fn send(&self, due: Vec<Delivery>, ways: Ways) {
        let mut of_each: HashMap<String, Arc<Result<Way, String>>> =
            ways.into_iter().map(|(name, way)| (name, Arc::new(way))).collect();
        for delivery in due {
            let Ok(permit) = Arc::clone(&self.0.attempts).try_acquire_owned() else { break };
            let gone = || Arc::new(Err("whoever was to be told is not any more".to_owned()));
            let way = Arc::clone(of_each.entry(delivery.webhook.clone()).or_insert_with(gone));
            let this = self.clone();
            tokio::spawn(async move {
                let _held_until_the_end = permit;
                let id = delivery.id.clone();
                let attempt = this.attempt(way, delivery).await;
                if let Err(error) = this.0.facts.attempted(&id, attempt, Timestamp::now()).await {
                    tracing::error!(%error, id, "what came of a message could not be written down");
                }
            });
        }
    }

    async fn attempt(&self, way: Arc<Result<Way, String>>, delivery: Delivery) -> Attempt {
        let (name, tried, created) = (delivery.webhook.clone(), delivery.attempts, delivery.created);
        let now = Timestamp::now();
        let answer = tokio::task::spawn_blocking(move || match &*way {
            Ok(Way::Signed(to)) => to.send(&delivery, now),
            Ok(Way::Plain(to)) => to.send(&delivery),
            Ok(Way::Mail(to)) => to.send(&delivery, now),
            Err(why) => Answer::Unwanted(None, why.clone()),
        });
        let answer = answer.await.unwrap_or_else(|wrong| Answer::Failed(None, wrong.to_string()));
        self.note(&name, &answer);
        let failed = |status, why: String, again| Attempt::Failed {
            status,
            error: why.chars().take(MAX_ERROR).collect(),
            again,
        };
        match answer {
            Answer::Arrived(status) => Attempt::Delivered { status },
            Answer::Failed(status, why) => failed(status, why, again(tried, created, now)),
            Answer::Unwanted(status, why) => failed(status, why, None),
        }
    }

    /// Leaves an addressee alone for a while that does not answer.
    fn note(&self, name: &str, answer: &Answer) {
        let mut resting = self.resting();
        if matches!(answer, Answer::Arrived(_)) {
            resting.remove(name);
            return;
        }
        let failures = resting.get(name).map_or(0, |(failures, _)| *failures).min(MAX_FAILURES);
        let pause = (REST << failures).min(MAX_REST);
        let until = Timestamp::from_second(Timestamp::now().as_second() + pause);
        resting.insert(name.to_owned(), (failures + 1, until.unwrap_or(Timestamp::MAX)));
    }
}

/// When a message that was tried so often before, and has just failed, is tried again; nothing once its time is over.
fn again(tried: u64, created: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let tried = usize::try_from(tried).unwrap_or(usize::MAX);
    let pause = PAUSES.get(tried).or(PAUSES.last()).copied().unwrap_or(LIFE);
    let next = now.as_second().saturating_add(pause);
    let end = created.as_second().saturating_add(LIFE);
    (next <= end).then(|| Timestamp::from_second(next).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_is_tried() {
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        for (attempts, now, expected) in [
            (0, 0, Some(5)),
            (1, 10, Some(40)),
            (8, 40_000, Some(68_800)),
            (99, 50_000, Some(78_800)),
            (99, 57_600, Some(86_400)),
            (99, 57_601, None),
            (0, 90_000, None),
        ] {
            assert_eq!(again(attempts, at(0), at(now)), expected.map(at), "{attempts} at {now}");
        }
    }
}
