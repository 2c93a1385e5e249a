//! Rules about who is told of what became newly vulnerable.
//!
//! ```text
//! changes ──▶ those that meet a rule now, and did not before ──▶ one message ──▶ outbox, in one commit with how far
//!             (news, made when nothing has changed for a while)                  the rule has read; sent until it arrives
//! ```
//!
//! The store numbers what changes about findings; each rule has read up to one of those numbers. A feed update that hits
//! ten thousand images is one message of a few lines with the count of the rest, not ten thousand: a message waits until
//! nothing has changed for [`Rule::settle`] seconds, half an hour at most, and another one until [`Rule::every`] seconds
//! after the last. Being killed at any moment loses nothing, and makes no second message of the same.
//!
//! What must not come out of here: the addresses of Slack and Teams, passwords, signing secrets. They are sealed in the
//! rule's document, and in the outbox there is only what is said.

mod check;
mod format;
mod making;
mod news;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use boltseal_api::{
    notifications::{Made, NewRule, Rule, RuleStatus, Target},
    webhooks::Sent,
};
use boltseal_audit::Record;
use boltseal_identity::{Authority, secret::Secret};
use boltseal_model::Timestamp;
use boltseal_store::{Delivery, DeliveryState, Facts, NewDelivery};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Error, authority_file,
    outbox::{
        Outbox, Way, Ways,
        mail::{Mail, usual_port},
        post::{self, Plain, Road, Signed},
    },
    setting,
};
use crate::recorder::Recorder;
use news::News;

/// The kind of the documents.
const KIND: &str = "registry.notification";
/// Each reads what changed by itself.
const MAX_RULES: usize = 50;
/// What stands before a rule's name in the outbox; no webhook is called so.
const PREFIX: &str = "rule:";

/// Tells people and programs.
#[derive(Clone, Debug)]
pub(crate) struct Notices(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    recorder: Recorder,
    authority: Authority,
    /// Where certificate authorities are kept as files.
    folder: PathBuf,
    editing: tokio::sync::Mutex<()>,
    outbox: Outbox,
    /// When it was last looked where the images are that each rule passed over.
    looked: Mutex<HashMap<String, Timestamp>>,
}

/// A rule as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    rule: Rule,
    /// Sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Notices {
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
            looked: Mutex::default(),
        }))
    }

    /// All of them, and how they do.
    pub(crate) async fn list(&self) -> Result<Vec<(RuleStatus, Option<Delivery>)>, Error> {
        let mut all = Vec::new();
        for Kept { rule, .. } in self.kept().await? {
            let told = self.0.facts.notified(&rule.name).await?.and_then(|(_, told)| told);
            let last = self.0.facts.deliveries(&addressee(&rule.name), None, 1).await?.pop();
            all.push((RuleStatus { rule, told, last: None }, last));
        }
        Ok(all)
    }

    /// Adds one, or changes the one with its name.
    pub(crate) async fn add(
        &self,
        asked: NewRule,
        record: impl FnOnce(&Rule) -> Record,
    ) -> Result<Made, Error> {
        let NewRule { mut rule, secret } = asked;
        check::rule(&rule)?;
        let _one_at_a_time = self.0.editing.lock().await;
        let all = self.kept().await?;
        let known = all.into_iter().partition::<Vec<_>, _>(|kept| kept.rule.name == rule.name);
        let (known, others) = (known.0.into_iter().next(), known.1);
        if known.is_none() && others.len() >= MAX_RULES {
            return Err(Error::Asked(format!("there are {MAX_RULES} rules, and no more can be")));
        }
        let (secret, shown) = self.secret(&mut rule, secret, known)?;
        let kept = Kept { rule: rule.clone(), secret };
        // Whoever begins to listen is told of what happens from now on.
        self.0.facts.begin_notifying(&rule.name).await?;
        self.write(&rule.name, Some(&kept), &record(&rule)).await?;
        self.0.outbox.wake(&addressee(&rule.name));
        // Conditions may be others now.
        self.0.looked.lock().unwrap_or_else(PoisonError::into_inner).remove(&rule.name);
        Ok(Made { rule, secret: shown })
    }

    /// What is kept as the secret of a rule, and what is shown of it.
    fn secret(
        &self,
        rule: &mut Rule,
        given: Option<Zeroizing<String>>,
        known: Option<Kept>,
    ) -> Result<(Option<String>, Option<Zeroizing<String>>), Error> {
        let context = context(&rule.name);
        let seal = |plain: &str| setting::seal(&self.0.authority, &Secret::new(plain.to_owned()), &context);
        if let Some(given) = given {
            check::secret(rule, &given)?;
            return Ok((Some(seal(&given)?), None));
        }
        // A secret stays with whom it was given for, and is not sent to anybody else.
        let known = known.filter(|known| check::same_place(&known.rule.to, &rule.to));
        if let Some(Kept { rule: before, secret: Some(secret) }) = known {
            check::keep_host(&mut rule.to, &before.to);
            return Ok((Some(secret), None));
        }
        match &rule.to {
            Target::Webhook { .. } => {
                let made = post::make_secret()
                    .ok_or_else(|| Error::Asked("the system gives no random numbers".to_owned()))?;
                Ok((Some(seal(&made)?), Some(made)))
            }
            Target::Slack { .. } | Target::Teams { .. } => {
                Err(Error::Asked("`secret` is missing: the address that messages are sent to".to_owned()))
            }
            Target::Email { username: Some(_), .. } => {
                Err(Error::Asked("`secret` is missing: the password of `username`".to_owned()))
            }
            Target::Email { username: None, .. } => Ok((None, None)),
        }
    }

    /// Takes one away, and what waits for it.
    pub(crate) async fn remove(&self, name: &str, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.0.editing.lock().await;
        self.one(name).await?;
        self.write(name, None, record).await?;
        self.0.facts.end_notifying(name).await?;
        Ok(self.0.facts.forget_deliveries_of(&addressee(name)).await?)
    }

    /// Sends a sample.
    pub(crate) async fn test(&self, name: &str, now: Timestamp) -> Result<Sent, Error> {
        let Kept { rule, .. } = self.one(name).await?;
        let id = message_id(name, &now.to_string());
        let body =
            format::body(&rule, &News::sample(), &format::Frame { id: &id, source: &self.source(), now });
        let delivery =
            NewDelivery { id: id.clone(), webhook: addressee(name), event: "test".to_owned(), body };
        self.0.outbox.wake(&addressee(name));
        self.0.facts.put_delivery(delivery, now).await?;
        Ok(Sent { id })
    }

    /// What was sent by one, newest first.
    pub(crate) async fn deliveries(
        &self,
        name: &str,
        state: Option<DeliveryState>,
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        self.one(name).await?;
        Ok(self.0.facts.deliveries(&addressee(name), state, limit).await?)
    }

    /// Sends one again.
    pub(crate) async fn redeliver(&self, name: &str, id: &str, now: Timestamp) -> Result<Sent, Error> {
        self.0.outbox.wake(&addressee(name));
        if !self.0.facts.redeliver(&addressee(name), id, now).await? {
            return Err(Error::missing("delivery", id));
        }
        Ok(Sent { id: id.to_owned() })
    }

    /// How each is told.
    pub(super) async fn ways(&self) -> Result<Ways, Error> {
        let way = |kept: Kept| {
            let name = addressee(&kept.rule.name);
            (name, self.way(kept).map_err(|wrong| wrong.to_string()))
        };
        Ok(self.kept().await?.into_iter().map(way).collect())
    }

    fn way(&self, kept: Kept) -> Result<Way, Error> {
        let Kept { rule, secret } = kept;
        let name = rule.name.as_str();
        let secret =
            secret.map(|sealed| setting::open(&self.0.authority, &sealed, &context(name))).transpose()?;
        let missing = || Error::Setting { name: context(name), why: "its secret is not there".to_owned() };
        let road = || {
            let reach = rule.to.reach();
            let ca = reach.ca.as_deref().map(|pem| authority_file(&self.0.folder, name, pem)).transpose()?;
            Ok::<_, Error>(Road { allow_private: reach.allow_private, ca })
        };
        Ok(match &rule.to {
            Target::Webhook { url, .. } => {
                let secret = secret.ok_or_else(missing)?;
                Way::Signed(Signed { url: url.clone(), secret, road: road()? })
            }
            Target::Slack { .. } | Target::Teams { .. } => {
                Way::Plain(Plain { url: secret.ok_or_else(missing)?, road: road()? })
            }
            Target::Email { host, port, tls, username, from, to, reach } => {
                let login = match username {
                    Some(name) => Some((name.clone(), secret.ok_or_else(missing)?)),
                    None => None,
                };
                Way::Mail(Mail {
                    host: host.clone(),
                    port: port.unwrap_or_else(|| usual_port(*tls)),
                    tls: *tls,
                    login,
                    from: check::mailbox(from)?,
                    to: to.iter().map(|to| check::mailbox(to)).collect::<Result<_, _>>()?,
                    allow_private: reach.allow_private,
                    ca: reach.ca.clone(),
                })
            }
        })
    }

    /// What messages say where they come from.
    fn source(&self) -> String {
        format!("//{}", self.0.recorder.verifier().name())
    }

    async fn one(&self, name: &str) -> Result<Kept, Error> {
        let all = self.kept().await?;
        let missing = || Error::missing("notification rule", name);
        all.into_iter().find(|kept| kept.rule.name == name).ok_or_else(missing)
    }

    async fn kept(&self) -> Result<Vec<Kept>, Error> {
        setting::documents(&self.0.facts, KIND).await
    }

    async fn write(&self, name: &str, kept: Option<&Kept>, record: &Record) -> Result<(), Error> {
        setting::keep_one(&self.0.facts, KIND, name, kept, record).await
    }
}

/// A rule's name in the outbox.
fn addressee(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Secrets open as those of their rule only.
fn context(name: &str) -> String {
    format!("notification rule {name}")
}

/// What a message is called: the same whenever it is made of the same again.
fn message_id(rule: &str, what: &str) -> String {
    let hash = boltseal_model::Digest::of(format!("{PREFIX}{rule}\n{what}").as_bytes());
    let hex: String = hash.to_string().chars().skip("sha256:".len()).take(32).collect();
    format!("msg_{hex}")
}
