//! From what changed to messages in the outbox.
//!
//! A rule may be about images in some places only: with a tag, pulled lately, in some repositories. Where they are is looked
//! at when a message is made. What it would have told of an image that is nowhere such is kept in mind, and told once the
//! image gets there, if it is still true.

use std::{collections::HashMap, sync::PoisonError, time::Duration};

use boltseal_api::notifications::Rule;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{CHANGES_KEPT, MAX_PASSED_OVER, NewDelivery, PassedOver};

use super::{
    Error, Kept, Notices, addressee, format, message_id,
    news::{Gathering, News, fires, here, is_somewhere},
};

/// Changes read in one go.
const BATCH: u64 = 1_000;
/// How long a message waits for silence at most: then it tells what there is.
const LONGEST: Duration = Duration::from_mins(30);
/// How often it is looked where images are that a rule passed over.
const LOOK_BACK: Duration = Duration::from_mins(1);
/// Images whose places are read in one go.
const LOOKED_FOR: usize = 500;
/// Seconds between two tidyings.
const TIDY: i64 = 600;

/// What came of a look.
#[derive(Default)]
struct Told {
    gathering: Gathering,
    passed: PassedOver,
}

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
        let newest = newest.max(position);
        if rule.disabled {
            if newest > position {
                let passed = PassedOver { forget: true, ..PassedOver::default() };
                facts.notify(&rule.name, (position, newest), None, passed, now).await?;
            }
            return Ok(());
        }
        if newest == position && !self.looks_back(rule, now) {
            return Ok(());
        }
        let first = facts.change_after(position).await?.map_or(at, |(_, at)| at);
        let silent = passed(at, now, Duration::from_secs(rule.settle)) || passed(first, now, LONGEST);
        if !silent || told.is_some_and(|told| !passed(told, now, Duration::from_secs(rule.every))) {
            return Ok(());
        }
        let Told { gathering, passed } = self.gather(rule, position, newest, now).await?;
        self.looked_back(rule, now);
        let news = gathering.news(rule.lines);
        if newest == position && news.is_none() && passed == PassedOver::default() {
            return Ok(());
        }
        let message = news.map(|news| self.message(rule, &news, (position, newest), &passed.settled, now));
        facts.notify(&rule.name, (position, newest), message, passed, now).await?;
        Ok(())
    }

    /// Whether it is time to look where the images are that a rule passed over.
    fn looks_back(&self, rule: &Rule, now: Timestamp) -> bool {
        let looked = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        is_somewhere(rule) && looked.get(&rule.name).is_none_or(|looked| passed(*looked, now, LOOK_BACK))
    }

    fn looked_back(&self, rule: &Rule, now: Timestamp) {
        self.0.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(rule.name.clone(), now);
    }

    /// What there is to tell of the changes `from..to`, and of those before in images that were passed over then.
    async fn gather(&self, rule: &Rule, from: u64, to: u64, now: Timestamp) -> Result<Told, Error> {
        let (facts, mut read) = (&self.0.facts, from);
        let mut told = self.catch_up(rule, from, now).await?;
        let mut more: HashMap<Digest, u64> = HashMap::new();
        loop {
            let batch = facts.changes_between(read, to, BATCH).await?;
            let Some(last) = batch.last() else { break };
            read = last.number;
            let firing: Vec<_> = batch.iter().filter(|change| fires(rule, change)).collect();
            let mut images: Vec<Digest> = firing.iter().map(|change| change.image.clone()).collect();
            images.dedup();
            let places = facts.places(&images).await?;
            for change in firing {
                let there = places.get(&change.image).map(|all| here(rule, all, now)).unwrap_or_default();
                if !there.is_empty() {
                    told.gathering.add(change, &there);
                } else if (more.len() as u64) < MAX_PASSED_OVER {
                    more.entry(change.image.clone()).or_insert(change.number);
                }
            }
        }
        if is_somewhere(rule) {
            told.passed.more = more.into_iter().collect();
        }
        Ok(told)
    }

    /// What was not told of images that were nowhere that the rule is about, and are there now.
    async fn catch_up(&self, rule: &Rule, to: u64, now: Timestamp) -> Result<Told, Error> {
        let (facts, mut told) = (&self.0.facts, Told::default());
        for some in facts.passed_over(&rule.name).await?.chunks(LOOKED_FOR) {
            let images: Vec<Digest> = some.iter().map(|(image, _)| image.clone()).collect();
            let places = facts.places(&images).await?;
            for (image, number) in some {
                // One that is in no repository any more has nothing to be told of.
                let all = places.get(image).map(Vec::as_slice).unwrap_or_default();
                let there = here(rule, all, now);
                if there.is_empty() && !all.is_empty() {
                    continue;
                }
                told.passed.settled.push(image.clone());
                if there.is_empty() {
                    continue;
                }
                let changes = facts.changes_of(image, number.saturating_sub(1), to, BATCH).await?;
                for change in changes.iter().filter(|change| fires(rule, change)) {
                    told.gathering.add(change, &there);
                }
            }
        }
        Ok(told)
    }

    fn message(
        &self,
        rule: &Rule,
        news: &News,
        (from, to): (u64, u64),
        settled: &[Digest],
        now: Timestamp,
    ) -> NewDelivery {
        let mut what = format!("{from} {to}");
        what.extend(settled.iter().map(|image| format!(" {image}")));
        let id = message_id(&rule.name, &what);
        let body = format::body(rule, news, &format::Frame { id: &id, source: &self.source(), now });
        NewDelivery { id, webhook: addressee(&rule.name), event: "news".to_owned(), body }
    }
}

/// Whether so long has passed since `then`. A time that has not come is one before the clock was set back.
fn passed(then: Timestamp, now: Timestamp, long: Duration) -> bool {
    then > now || now.duration_since(then).unsigned_abs() >= long
}
