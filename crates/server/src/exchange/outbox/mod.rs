//! From the outbox to the other systems.

use std::{collections::HashMap, time::Duration};

use boltseal_model::Timestamp;
use boltseal_store::{Attempt, Delivery};

use super::{Error, Kept, Webhooks, context, send};
use crate::exchange::{authority_file, setting};

/// Attempts at the same time.
pub(super) const AT_ONCE: usize = 16;
/// How long an attempt may take before somebody else makes it: longer than all its deadlines.
const CLAIM: Duration = Duration::from_mins(2);
/// Seconds for which a webhook is left alone after a failure; doubled with each further one.
const REST: i64 = 5;
/// Seconds for which it is left alone at most.
const MAX_REST: i64 = 300;
/// Failures after which the pause grows no more.
const MAX_FAILURES: u32 = 6;
/// How long deliveries that are over are kept for people to look at.
const KEPT: Duration = Duration::from_hours(24 * 14);
/// Seconds between two tidyings.
const TIDY: i64 = 3_600;

impl Webhooks {
    /// Begins to send what is due, and does not wait for the end.
    pub(super) async fn send(&self) -> Result<(), Error> {
        let free = self.0.attempts.available_permits() as u64;
        if free == 0 {
            return Ok(());
        }
        let now = Timestamp::now();
        let resting: Vec<String> = self
            .resting()
            .iter()
            .filter(|(_, (_, until))| *until > now)
            .map(|(name, _)| name.clone())
            .collect();
        let due = self.0.facts.claim_deliveries(now, now + CLAIM, &resting, free).await?;
        if due.is_empty() {
            if now.as_second() % TIDY == 0 {
                let names = self.kept().await?.into_iter().map(|kept| kept.webhook.name).collect();
                self.0.facts.forget_deliveries(now - KEPT, names).await?;
            }
            return Ok(());
        }
        let kept: HashMap<String, Kept> =
            self.kept().await?.into_iter().map(|kept| (kept.webhook.name.clone(), kept)).collect();
        for delivery in due {
            let Ok(permit) = std::sync::Arc::clone(&self.0.attempts).try_acquire_owned() else { break };
            let (this, kept) = (self.clone(), kept.get(&delivery.webhook).cloned());
            tokio::spawn(async move {
                let _held_until_the_end = permit;
                let id = delivery.id.clone();
                let attempt = this.attempt(kept, delivery).await;
                if let Err(error) = this.0.facts.attempted(&id, attempt, Timestamp::now()).await {
                    tracing::error!(%error, id, "what came of a webhook's event could not be written down");
                }
            });
        }
        Ok(())
    }

    async fn attempt(&self, kept: Option<Kept>, delivery: Delivery) -> Attempt {
        let over = |error: String| Attempt::Failed { status: None, error, again: None };
        let Some(kept) = kept else { return over("the webhook is gone".to_owned()) };
        let name = kept.webhook.name.clone();
        let target = match self.target(kept) {
            Ok(target) => target,
            Err(wrong) => return over(wrong.to_string()),
        };
        let now = Timestamp::now();
        let attempt = tokio::task::spawn_blocking(move || send::attempt(&target, &delivery, now)).await;
        let attempt = attempt.unwrap_or_else(|wrong| over(wrong.to_string()));
        self.note(&name, &attempt);
        attempt
    }

    /// Leaves a webhook alone for a while that does not answer.
    fn note(&self, name: &str, attempt: &Attempt) {
        let mut resting = self.resting();
        if matches!(attempt, Attempt::Delivered { .. }) {
            resting.remove(name);
            return;
        }
        let failures = resting.get(name).map_or(0, |(failures, _)| *failures).min(MAX_FAILURES);
        let pause = (REST << failures).min(MAX_REST);
        let until = Timestamp::from_second(Timestamp::now().as_second() + pause);
        resting.insert(name.to_owned(), (failures + 1, until.unwrap_or(Timestamp::MAX)));
    }

    fn target(&self, kept: Kept) -> Result<send::Target, Error> {
        let Kept { webhook, secret } = kept;
        let secret = setting::open(&self.0.authority, &secret, &context(&webhook.name))?;
        let ca = webhook.ca.as_deref().map(|pem| authority_file(&self.0.folder, &webhook.name, pem));
        Ok(send::Target {
            url: webhook.url,
            secret,
            allow_private: webhook.allow_private,
            ca: ca.transpose()?,
        })
    }
}
