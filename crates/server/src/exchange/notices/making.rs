//! From what changed to messages in the outbox.

use std::time::Duration;

use boltseal_api::notifications::Rule;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{CHANGES_KEPT, NewDelivery};

use super::{
    Error, Kept, Notices, addressee, format, message_id,
    news::{Gathering, News, fires, here},
};

/// Changes read in one go.
const BATCH: u64 = 1_000;
/// How long a message waits for silence at most: then it tells what there is.
const LONGEST: Duration = Duration::from_mins(30);
/// Seconds between two tidyings.
const TIDY: i64 = 600;

impl Notices {
    /// Makes messages of what became news, for each rule whose time has come; and forgets what is old.
    pub(in super::super) async fn make(&self) -> Result<(), Error> {
        let (facts, now) = (&self.0.facts, Timestamp::now());
        if now.as_second() % TIDY == 0 {
            while facts.forget_changes(facts.before(CHANGES_KEPT)).await? {}
        }
        let kept = self.kept().await?;
        if kept.is_empty() {
            return Ok(());
        }
        let Some((newest, at)) = facts.newest_change().await? else { return Ok(()) };
        let mut outcome = Ok(());
        for Kept { rule, .. } in kept {
            // One that cannot be made keeps no other waiting.
            if let Err(error) = self.make_of(&rule, newest, at, now).await {
                tracing::error!(%error, rule = rule.name, "no message could be made");
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn make_of(&self, rule: &Rule, newest: u64, at: Timestamp, now: Timestamp) -> Result<(), Error> {
        let facts = &self.0.facts;
        let Some((position, told)) = facts.notified(&rule.name).await? else {
            return Ok(facts.begin_notifying(&rule.name).await?);
        };
        if newest <= position {
            return Ok(());
        }
        if rule.disabled {
            facts.notify(&rule.name, (position, newest), None, now).await?;
            return Ok(());
        }
        let first = facts.change_after(position).await?.map_or(at, |(_, at)| at);
        let silent = passed(at, now, Duration::from_secs(rule.settle)) || passed(first, now, LONGEST);
        if !silent || told.is_some_and(|told| !passed(told, now, Duration::from_secs(rule.every))) {
            return Ok(());
        }
        let news = self.gather(rule, position, newest, now).await?;
        let message = news.map(|news| self.message(rule, &news, (position, newest), now));
        facts.notify(&rule.name, (position, newest), message, now).await?;
        Ok(())
    }

    async fn gather(&self, rule: &Rule, from: u64, to: u64, now: Timestamp) -> Result<Option<News>, Error> {
        let (facts, mut gathering, mut read) = (&self.0.facts, Gathering::default(), from);
        loop {
            let batch = facts.changes_between(read, to, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(gathering.news(rule.lines)) };
            read = last.number;
            let firing: Vec<_> = batch.iter().filter(|change| fires(rule, change)).collect();
            let mut images: Vec<Digest> = firing.iter().map(|change| change.image.clone()).collect();
            images.dedup();
            let places = facts.places(&images).await?;
            for change in firing {
                let there = places.get(&change.image).map(|all| here(rule, all, now)).unwrap_or_default();
                if !there.is_empty() {
                    gathering.add(change, &there);
                }
            }
        }
    }

    fn message(&self, rule: &Rule, news: &News, (from, to): (u64, u64), now: Timestamp) -> NewDelivery {
        let id = message_id(&rule.name, &format!("{from} {to}"));
        let body = format::body(rule, news, &format::Frame { id: &id, source: &self.source(), now });
        NewDelivery { id, webhook: addressee(&rule.name), event: "news".to_owned(), body }
    }
}

/// Whether so long has passed since `then`. A time that has not come is one before the clock was set back.
fn passed(then: Timestamp, now: Timestamp, long: Duration) -> bool {
    then > now || now.duration_since(then).unsigned_abs() >= long
}
