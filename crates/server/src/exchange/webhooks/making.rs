//! From the log to the outbox.

use boltseal_api::{upstreams::kinds, webhooks::Webhook};
use boltseal_audit::Record;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{JobState, NewDelivery, Outgoing, QuotaRow, State};
use serde_json::{Value, json};

use super::{Error, Event, Kept, Webhooks, happening::Happening};

/// Entries read in one go.
const BATCH: u64 = 500;
/// Jobs that ended longer ago than this, seconds, are not told of.
const LATELY: i64 = 600;
/// Jobs looked at.
const JOBS: u64 = 50;
/// How much of a quota is near its end: nine tenths.
const NEAR: (u64, u64) = (9, 10);
/// Seconds of a day.
const DAY: i64 = 86_400;

impl Webhooks {
    /// Lets the next reading begin at what happens from now on.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        let (facts, entered) = (&self.0.facts, self.0.recorder.entered());
        let known = facts.webhook_position().await?;
        facts.put_outgoing(known, entered, Outgoing::default(), Timestamp::now()).await?;
        Ok(())
    }

    /// Writes events of what is new.
    pub(in super::super) async fn make(&self) -> Result<(), Error> {
        let kept = self.kept().await?;
        if kept.iter().all(|one| one.webhook.disabled) {
            return Ok(());
        }
        while self.make_some(&kept).await? {}
        self.make_of_jobs(&kept).await?;
        self.make_of_quotas(&kept).await
    }

    /// True when there may be more.
    async fn make_some(&self, kept: &[Kept]) -> Result<bool, Error> {
        let (facts, recorder) = (&self.0.facts, &self.0.recorder);
        let (size, archived, now) = (recorder.size(), recorder.archived(), Timestamp::now());
        let Some(from) = facts.webhook_position().await? else {
            facts.put_outgoing(None, size, Outgoing::default(), now).await?;
            return Ok(false);
        };
        // A log that was put back is read on from its end.
        let first = from.max(archived).min(size);
        let to = size.min(first.saturating_add(BATCH));
        if to == from {
            return Ok(false);
        }
        let mut outgoing = Outgoing::default();
        for (index, record) in self.records(first, to, size).await? {
            if let Some(happening) = Happening::of(&record) {
                for event in self.events(index, &record, happening, &mut outgoing).await? {
                    address(&event, kept, &self.source(), &mut outgoing.deliveries);
                }
            }
        }
        Ok(facts.put_outgoing(Some(from), to, outgoing, now).await? && to < size)
    }

    async fn records(&self, from: u64, to: u64, size: u64) -> Result<Vec<(u64, Record)>, Error> {
        let recorder = self.0.recorder.clone();
        let read = move || {
            let reader = recorder.reader()?;
            let mut records = Vec::new();
            for bundle in reader.entries(from..to, size) {
                let bundle = bundle.map_err(crate::recorder::Error::Log)?;
                // What this version cannot read it does not know how to tell of either.
                let parsed = |(index, entry): (u64, &[u8])| Some((index, Record::parse(entry).ok()?));
                records.extend(bundle.iter().filter_map(parsed));
            }
            Ok::<_, crate::recorder::Error>(records)
        };
        let read = tokio::task::spawn_blocking(read).await;
        Ok(read.map_err(|wrong| Error::Asked(wrong.to_string()))??)
    }

    /// What is told of one record.
    async fn events(
        &self,
        index: u64,
        record: &Record,
        happening: Happening,
        outgoing: &mut Outgoing,
    ) -> Result<Vec<Event>, Error> {
        let actor = record.actor.name.as_str();
        let make = |word, repository: &str, mut data: Value| {
            if let Some(object) = data.as_object_mut() {
                object.insert("repository".to_owned(), repository.into());
            }
            let key = format!("{index} {repository}");
            Event { word, repository: Some(repository.to_owned()), at: record.time, key, data }
        };
        let mut events = Vec::new();
        match happening {
            Happening::Pushed { repository, digest, tags, kind } => {
                let data = json!({ "digest": digest, "tags": tags, "kind": kind, "actor": actor });
                // Only images are judged.
                if kind != "image" || self.passes(&repository, &digest).await? {
                    events.push(make("push", &repository, data));
                } else {
                    events.push(make("quarantine", &repository, data));
                    outgoing.held.retain(|(held, of, _)| *held != repository || *of != digest);
                    outgoing.held.push((repository, digest, actor.to_owned()));
                }
            }
            Happening::Deleted { repository, digest, tags } => {
                let mut data = json!({ "tags": tags, "actor": actor });
                if let (Some(object), Some(digest)) = (data.as_object_mut(), &digest) {
                    object.insert("digest".to_owned(), digest.to_string().into());
                }
                events.push(make("delete", &repository, data));
                outgoing.released.extend(digest.map(|digest| (repository, digest)));
            }
            Happening::Judged { digest, before, after } => {
                for (repository, tags) in self.0.facts.places_of(&digest).await? {
                    let data = json!({
                        "digest": digest, "tags": tags, "before": before, "verdict": after,
                        "sentence": record.status,
                    });
                    events.push(make("verdict", &repository, data));
                }
                for (repository, pusher) in self.held(&digest, outgoing).await? {
                    if self.passes(&repository, &digest).await? {
                        events.push(make(
                            "push",
                            &repository,
                            self.pushed(&repository, &digest, &pusher).await?,
                        ));
                        release(outgoing, repository, &digest);
                    }
                }
            }
            Happening::Decided { repository, digest } => {
                let passes = self.passes(&repository, &digest).await?;
                let held = self.held(&digest, outgoing).await?;
                let pusher = held.into_iter().find(|(held, _)| *held == repository).map(|(_, pusher)| pusher);
                let data = self.pushed(&repository, &digest, pusher.as_deref().unwrap_or(actor)).await?;
                if !passes {
                    events.push(make("quarantine", &repository, data));
                } else if pusher.is_some() {
                    events.push(make("push", &repository, data));
                    release(outgoing, repository, &digest);
                }
            }
        }
        Ok(events)
    }

    /// Where pushes of an image are held, and who pushed; those of this very batch included.
    async fn held(&self, digest: &Digest, outgoing: &Outgoing) -> Result<Vec<(String, String)>, Error> {
        let mut held = self.0.facts.held_pushes(digest).await?;
        held.retain(|(repository, _)| !outgoing.released.contains(&(repository.clone(), digest.clone())));
        for (repository, of, pusher) in &outgoing.held {
            if of == digest && held.iter().all(|(known, _)| known != repository) {
                held.push((repository.clone(), pusher.clone()));
            }
        }
        Ok(held)
    }

    async fn pushed(&self, repository: &str, digest: &Digest, actor: &str) -> Result<Value, Error> {
        let places = self.0.facts.places_of(digest).await?;
        let tags = places.into_iter().find(|(place, _)| place == repository).map(|(_, tags)| tags);
        Ok(json!({ "digest": digest, "tags": tags.unwrap_or_default(), "kind": "image", "actor": actor }))
    }

    /// Whether an image may be pulled, as the gate has it.
    async fn passes(&self, repository: &str, digest: &Digest) -> Result<bool, Error> {
        let facts = &self.0.facts;
        if let Some(body) = facts.quarantine(repository, digest).await? {
            let decided: Value = serde_json::from_str(&body).unwrap_or_default();
            match decided.get("state").and_then(Value::as_str) {
                Some("Passed") => return Ok(true),
                Some("Failed") => return Ok(false),
                _ => {}
            }
        }
        let judgement = facts.judgement(digest).await?.filter(|judgement| judgement.state == State::Judged);
        let verdict = judgement.and_then(|judgement| judgement.verdict);
        Ok(verdict.is_some_and(|verdict| verdict.decision.passes()))
    }

    /// Imports and mirrors that ended. Their events are called the same every time, so that looking twice does no harm.
    async fn make_of_jobs(&self, kept: &[Kept]) -> Result<(), Error> {
        let now = Timestamp::now();
        for (kind, word) in [(kinds::IMPORT_JOB, "import"), (kinds::MIRROR_JOB, "mirror")] {
            if !kept.iter().any(|one| listens(&one.webhook, word)) {
                continue;
            }
            for job in self.0.facts.jobs(Some(kind), JOBS).await? {
                let lately = job.ended.filter(|ended| now.as_second() - ended.as_second() < LATELY);
                let Some(at) = lately.filter(|_| job.state != JobState::Stopped) else { continue };
                let data = json!({
                    "job": job.id, "outcome": job.state.word(), "message": job.message, "actor": job.by,
                });
                let event = Event { word, repository: None, at, key: job.id.clone(), data };
                self.write_now(&event, kept, now).await?;
            }
        }
        Ok(())
    }

    /// Quotas that are nearly used up: told once a day.
    async fn make_of_quotas(&self, kept: &[Kept]) -> Result<(), Error> {
        if !kept.iter().any(|one| listens(&one.webhook, "quota")) {
            return Ok(());
        }
        let now = Timestamp::now();
        for row in self.0.facts.quotas().await?.into_iter().filter(is_near) {
            let QuotaRow { quota, used, .. } = row;
            let data = json!({
                "scope": quota.scope,
                "bytes": { "used": used.bytes, "limit": quota.bytes },
                "repositories": { "used": used.repositories, "limit": quota.repositories },
                "tags": { "used": used.tags, "limit": quota.tags },
            });
            let key = format!("{} {}", quota.scope, now.as_second() / DAY);
            let event = Event { word: "quota", repository: None, at: now, key, data };
            self.write_now(&event, kept, now).await?;
        }
        Ok(())
    }

    /// Writes an event that no entry made, unless it is written already.
    async fn write_now(&self, event: &Event, kept: &[Kept], now: Timestamp) -> Result<(), Error> {
        let mut deliveries = Vec::new();
        address(event, kept, &self.source(), &mut deliveries);
        for delivery in deliveries {
            if !self.0.facts.has_delivery(&delivery.id).await? {
                self.0.facts.put_delivery(delivery, now).await?;
            }
        }
        Ok(())
    }
}

/// One delivery for each webhook that wants to know.
fn address(event: &Event, kept: &[Kept], source: &str, deliveries: &mut Vec<NewDelivery>) {
    for one in kept.iter().filter(|one| one.wants(event)) {
        let webhook = one.webhook.name.clone();
        let id = event.id(&webhook);
        let body = event.body(&id, source);
        deliveries.push(NewDelivery { id, webhook, event: event.word.to_owned(), body });
    }
}

fn release(outgoing: &mut Outgoing, repository: String, digest: &Digest) {
    outgoing.held.retain(|(held, of, _)| *held != repository || of != digest);
    outgoing.released.push((repository, digest.clone()));
}

fn listens(webhook: &Webhook, word: &str) -> bool {
    !webhook.disabled && (webhook.events.is_empty() || webhook.events.iter().any(|known| known == word))
}

fn is_near(row: &QuotaRow) -> bool {
    let (part, whole) = NEAR;
    let near = |used: u64, limit: Option<u64>| {
        limit.is_some_and(|limit| used.saturating_mul(whole) >= limit.saturating_mul(part))
    };
    let QuotaRow { quota, used, .. } = row;
    near(used.bytes, quota.bytes)
        || near(used.repositories, quota.repositories)
        || near(used.tags, quota.tags)
}
