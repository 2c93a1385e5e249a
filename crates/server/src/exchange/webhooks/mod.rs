//! Other systems that are told of what happens to images.
//!
//! ```text
//! log ──▶ happening ──▶ event ──▶ outbox, in one commit with how far the log was read ──▶ send, until it arrives
//! ```
//!
//! Events come from the records of the log, and every change has its record in its own commit: so nothing is told that
//! did not happen, nothing that happened is forgotten, and nobody who pushes waits. What other servers did stands in
//! the log as well; the one that seals it also tells of it.

mod event;
mod happening;
mod making;

use std::{path::PathBuf, sync::Arc, time::Duration};

use boltseal_api::webhooks::{EVENTS, Made, NewWebhook, Sent, Webhook};
use boltseal_audit::Record;
use boltseal_flow::pattern::fits;
use boltseal_identity::{Authority, secret::Secret};
use boltseal_model::Timestamp;
use boltseal_store::{Delivery, DeliveryState, Facts, NewDelivery};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::{
    Error, authority_file, check_ca,
    outbox::{
        Outbox, Way, Ways,
        post::{self, Road, Signed},
    },
    setting,
};
use crate::recorder::Recorder;
use event::Event;

/// The kind of the documents.
const KIND: &str = "registry.webhook";
/// Each costs a row an event.
const MAX_WEBHOOKS: usize = 50;
/// Characters of a name.
const MAX_NAME: usize = 40;
/// Characters of an address or a pattern.
const MAX_TEXT: usize = 500;
/// How often the log is read and the outbox looked at.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Tells others.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    recorder: Recorder,
    authority: Authority,
    /// Where certificate authorities are kept as files.
    folder: PathBuf,
    editing: tokio::sync::Mutex<()>,
    outbox: Outbox,
}

/// A webhook as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    webhook: Webhook,
    /// Sealed.
    secret: String,
}

impl Kept {
    /// Whether it is to be told of an event.
    fn wants(&self, event: &Event) -> bool {
        let Webhook { events, repositories, disabled, .. } = &self.webhook;
        let of_kind = events.is_empty() || events.iter().any(|word| word == event.word);
        let there = event.repository.as_deref().is_none_or(|name| fits(repositories, name));
        !disabled && of_kind && there
    }
}

impl Webhooks {
    pub(super) fn new(
        facts: &Facts,
        recorder: &Recorder,
        authority: &Authority,
        folder: PathBuf,
        outbox: &Outbox,
    ) -> Self {
        Self(Arc::new(Inner {
            facts: facts.clone(),
            recorder: recorder.clone(),
            authority: authority.clone(),
            folder,
            editing: tokio::sync::Mutex::new(()),
            outbox: outbox.clone(),
        }))
    }

    /// How each is told.
    pub(super) async fn ways(&self) -> Result<Ways, Error> {
        let way = |kept: Kept| (kept.webhook.name.clone(), self.way(kept).map_err(|wrong| wrong.to_string()));
        Ok(self.kept().await?.into_iter().map(way).collect())
    }

    fn way(&self, kept: Kept) -> Result<Way, Error> {
        let Kept { webhook, secret } = kept;
        let secret = setting::open(&self.0.authority, &secret, &context(&webhook.name))?;
        let ca = webhook.ca.as_deref().map(|pem| authority_file(&self.0.folder, &webhook.name, pem));
        let road = Road { allow_private: webhook.allow_private, ca: ca.transpose()? };
        Ok(Way::Signed(Signed { url: webhook.url, secret, road }))
    }

    /// All of them.
    pub(crate) async fn list(&self) -> Result<Vec<Webhook>, Error> {
        Ok(self.kept().await?.into_iter().map(|kept| kept.webhook).collect())
    }

    /// Adds one, or changes the one with its name.
    pub(crate) async fn add(&self, asked: NewWebhook, record: &Record) -> Result<Made, Error> {
        let NewWebhook { webhook, secret } = asked;
        check(&webhook)?;
        let _one_at_a_time = self.0.editing.lock().await;
        let all = self.kept().await?;
        let known = all.iter().find(|other| other.webhook.name == webhook.name);
        if known.is_none() && all.len() >= MAX_WEBHOOKS {
            return Err(Error::Asked(format!("there are {MAX_WEBHOOKS} webhooks, and no more can be")));
        }
        if let Some(given) = &secret
            && post::key(given).is_none()
        {
            return Err(Error::Asked("`secret` is `whsec_` and 24 to 64 bytes in base64".to_owned()));
        }
        let context = context(&webhook.name);
        let seal = |plain: &str| setting::seal(&self.0.authority, &Secret::new(plain.to_owned()), &context);
        let (sealed, shown) = match (secret, known) {
            (Some(given), _) => (seal(&given)?, None),
            (None, Some(known)) => (known.secret.clone(), None),
            (None, None) => {
                let made = post::make_secret()
                    .ok_or_else(|| Error::Asked("the system gives no random numbers".to_owned()))?;
                (seal(&made)?, Some(made))
            }
        };
        if all.is_empty() {
            // Whoever is the first to listen is told of what happens from now on.
            self.begin().await?;
        }
        let kept = Kept { webhook: webhook.clone(), secret: sealed };
        self.write(&webhook.name, Some(&kept), record).await?;
        self.0.outbox.wake(&webhook.name);
        Ok(Made { webhook, secret: shown })
    }

    /// Takes one away, and what waits for it.
    pub(crate) async fn remove(&self, name: &str, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.0.editing.lock().await;
        self.one(name).await?;
        self.write(name, None, record).await?;
        Ok(self.0.facts.forget_deliveries_of(name).await?)
    }

    /// Sends an event that means nothing.
    pub(crate) async fn ping(&self, name: &str, by: &str, now: Timestamp) -> Result<Sent, Error> {
        self.one(name).await?;
        let data = json!({ "webhook": name, "actor": by });
        let event = Event { word: "ping", repository: None, at: now, key: now.to_string(), data };
        let id = event.id(name);
        let body = event.body(&id, &self.source());
        let delivery =
            NewDelivery { id: id.clone(), webhook: name.to_owned(), event: "ping".to_owned(), body };
        self.0.outbox.wake(name);
        self.0.facts.put_delivery(delivery, now).await?;
        Ok(Sent { id })
    }

    /// What was sent to one, newest first.
    pub(crate) async fn deliveries(
        &self,
        name: &str,
        state: Option<DeliveryState>,
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        self.one(name).await?;
        Ok(self.0.facts.deliveries(name, state, limit).await?)
    }

    /// Sends one again.
    pub(crate) async fn redeliver(&self, name: &str, id: &str, now: Timestamp) -> Result<Sent, Error> {
        self.0.outbox.wake(name);
        if !self.0.facts.redeliver(name, id, now).await? {
            return Err(Error::missing("delivery", id));
        }
        Ok(Sent { id: id.to_owned() })
    }

    /// What events say where they come from.
    fn source(&self) -> String {
        format!("//{}", self.0.recorder.verifier().name())
    }

    async fn one(&self, name: &str) -> Result<Kept, Error> {
        let all = self.kept().await?;
        all.into_iter().find(|kept| kept.webhook.name == name).ok_or_else(|| Error::missing("webhook", name))
    }

    async fn kept(&self) -> Result<Vec<Kept>, Error> {
        setting::documents(&self.0.facts, KIND).await
    }

    async fn write(&self, name: &str, kept: Option<&Kept>, record: &Record) -> Result<(), Error> {
        setting::keep_one(&self.0.facts, KIND, name, kept, record).await
    }
}

/// Secrets open as those of their webhook only.
fn context(name: &str) -> String {
    format!("webhook {name}")
}

fn check(webhook: &Webhook) -> Result<(), Error> {
    let wrong = |why: String| Err(Error::Asked(why));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if webhook.name.is_empty() || webhook.name.len() > MAX_NAME || !webhook.name.chars().all(plain) {
        return wrong(format!("a name has 1 to {MAX_NAME} characters: lower-case letters, digits and `-`"));
    }
    if let Some(unknown) = webhook.events.iter().find(|word| EVENTS.iter().all(|(known, _)| known != word)) {
        let all: Vec<&str> = EVENTS.iter().map(|(word, _)| *word).collect();
        let unknown: String = unknown.chars().take(MAX_NAME).collect();
        return wrong(format!("no event is called `{unknown}`; there are {}", all.join(", ")));
    }
    if webhook.repositories.is_empty()
        || webhook.repositories.len() > MAX_TEXT
        || webhook.url.len() > MAX_TEXT
    {
        return wrong(format!("`url` and `repositories` have 1 to {MAX_TEXT} characters"));
    }
    if let Some(ca) = &webhook.ca {
        check_ca(ca)?;
    }
    let url =
        Url::parse(&webhook.url).map_err(|error| Error::Asked(format!("`url` is not usable: {error}")))?;
    match url.scheme() {
        "https" => {}
        "http" if webhook.allow_private => {}
        _ => return wrong("`url` must be https, unless private addresses are allowed".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("`url` must not have credentials in it: events are signed".to_owned());
    }
    Ok(())
}
