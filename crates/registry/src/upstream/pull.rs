//! What a pull from a cache does first: fetch what is missing, and see whether a tag still stands for the same.

use std::{sync::Arc, time::Duration};

use axum::http::HeaderValue;
use boltseal_api::upstreams::asked_name;
use boltseal_image::manifest::Descriptor;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::Checked;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Bring, Known, Trouble, Wanted, fetch::Reference, place, reach::told, record};
use crate::{
    Inner,
    api::key,
    failure::{Code, Failure},
    gate::warning,
    route::Named,
};

/// How long a pull waits for what is not here. Most images are here by then; kubelet and people come back for others.
const HOLD: Duration = Duration::from_secs(20);
/// How long a pull of what is here waits to hear whether it is still the newest.
const GLANCE: Duration = Duration::from_secs(3);
/// RFC 7234, section 5.5.1.
const STALE: HeaderValue = HeaderValue::from_static("110 - \"Response is Stale\"");

/// What is served is what was here: the upstream could not say whether it is still so.
#[derive(Debug)]
pub(crate) struct Stale {
    why: String,
}

impl Stale {
    /// How the client is told.
    pub(crate) fn warnings(&self) -> [HeaderValue; 2] {
        [STALE, warning(&format!("stale: {}", self.why))]
    }
}

impl Inner {
    /// Sees to it that a manifest of a cache is here, as new as it has to be. Other repositories are left alone.
    pub(crate) async fn pull_through(
        self: &Arc<Self>,
        repository: &str,
        reference: &Named,
    ) -> Result<Option<Stale>, Failure> {
        let Some(known) = self.upstreams.of(repository).await? else { return Ok(None) };
        let held = self.held(repository, reference).await?.map(|held| held.digest.clone());
        match reference {
            _ if !known.setting.enabled => return Ok(None),
            Named::Digest(_) if held.is_some() => return Ok(None),
            Named::Tag(tag) if held.is_some() && self.is_fresh(&known, repository, tag).await? => {
                return Ok(None);
            }
            _ => {}
        }
        match self.ask(&known, repository, reference, held.as_ref()).await {
            Ok(()) => Ok(None),
            Err(Trouble::Missing(why)) => {
                if let (Named::Tag(tag), Some(held)) = (reference, &held) {
                    self.lose_tag(&known, repository, tag, held).await?;
                }
                Err(Trouble::Missing(why).answer(Wanted::Manifest))
            }
            Err(trouble) if held.is_some() => {
                tracing::warn!(repository, why = trouble.sentence(), "served from the cache, unchecked");
                Ok(Some(Stale { why: trouble.sentence().to_owned() }))
            }
            Err(trouble) => Err(trouble.answer(Wanted::Manifest)),
        }
    }

    /// Sees to it that a blob is here that a manifest of a cache points to.
    pub(crate) async fn pull_blob_through(
        self: &Arc<Self>,
        known: &Arc<Known>,
        repository: &str,
        digest: &Digest,
    ) -> Result<(), Failure> {
        if !known.setting.enabled || self.facts.pointing_to(repository, digest).await?.is_empty() {
            return Ok(());
        }
        let bring = self.bring(known, repository).await.map_err(|trouble| trouble.answer(Wanted::Blob))?;
        let from = bring.from.clone();
        let wanted = digest.clone();
        let size = spawn_blocking(move || from.head_blob(&wanted)).await.map_err(Failure::fault)?;
        let size = size.map_err(|error| Trouble::of(&error).answer(Wanted::Blob))?;
        let Some(size) = size else { return Ok(()) };
        let blob = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size,
            artifact_type: None,
            platform: None,
            urls: Vec::new(),
            annotations: std::collections::BTreeMap::default(),
        };
        bring.blob(&blob).await.map_err(|trouble| trouble.answer(Wanted::Blob))
    }

    /// Asks the upstream, together with everybody who asks the same at the moment.
    async fn ask(
        self: &Arc<Self>,
        known: &Arc<Known>,
        repository: &str,
        reference: &Named,
        held: Option<&Digest>,
    ) -> Result<(), Trouble> {
        if let Some(resting) = known.resting(held.is_none()) {
            return Err(resting);
        }
        let name = match reference {
            Named::Tag(tag) => tag.clone(),
            Named::Digest(digest) => digest.to_string(),
        };
        let work = {
            let (inner, known) = (Arc::clone(self), Arc::clone(known));
            let (repository, reference, held) = (repository.to_owned(), reference.clone(), held.cloned());
            move || async move {
                let done = Arc::clone(&inner).fetch(&known, &repository, reference, held).await;
                inner.note_asked(&known, done.as_ref().err()).await;
                done
            }
        };
        let flight = self.upstreams.flights.join(&format!("manifest {}", key(repository, &name)), work);
        let busy = || Trouble::Ours(busy(&known.setting.host));
        let patience = if held.is_some() { GLANCE } else { HOLD };
        match flight.ok_or_else(busy)?.within(patience).await {
            Some(landed) => landed,
            None if held.is_some() => {
                let why =
                    format!("{} takes its time; the newest state comes when it is here", known.setting.host);
                Err(Trouble::Away(why))
            }
            None => Err(Trouble::Ours(on_its_way(&known.setting.host, &name))),
        }
    }

    async fn fetch(
        self: Arc<Self>,
        known: &Known,
        repository: &str,
        reference: Named,
        held: Option<Digest>,
    ) -> Result<(), Trouble> {
        let bring = self.bring(known, repository).await?;
        let (fetched, tag) = match reference {
            Named::Digest(digest) => (bring.look(Reference::Digest(digest)).await?, None),
            Named::Tag(tag) => {
                // What is here already is not fetched to find out that it is.
                let now = match held {
                    Some(held) => {
                        let now = bring.head(Reference::Tag(tag.clone())).await?;
                        if now == held {
                            return self.note_fresh(repository, &tag).await;
                        }
                        Reference::Digest(now)
                    }
                    None => Reference::Tag(tag.clone()),
                };
                (bring.look(now).await?, Some(tag))
            }
        };
        bring.manifest(fetched, tag.iter().cloned().collect()).await?;
        match tag {
            Some(tag) => self.note_fresh(repository, &tag).await,
            None => Ok(()),
        }
    }

    /// A way from the upstream to a repository here, if its filters let it be.
    pub(super) async fn bring(self: &Arc<Self>, known: &Known, repository: &str) -> Result<Bring, Trouble> {
        let setting = &known.setting;
        let name = place::remote_name(setting, repository);
        let name = name.ok_or_else(|| {
            Trouble::Missing(format!("{repository} has no name that {} could have", setting.host))
        })?;
        if !place::allows(setting, &name) {
            let message =
                format!("{name} of {} may not be fetched, says upstream {}", setting.host, setting.name);
            return Err(Trouble::Ours(Failure::new(Code::Denied, message)));
        }
        let from = match known.made() {
            Some(remote) => remote,
            // Making one may ask which protocol is spoken there.
            None => known.make(self.authority.clone()).await?,
        };
        let from = from.repository(&name).map_err(|error| Trouble::of(&error))?;
        let why = format!("upstream {}", setting.name);
        let record = record(&self.config.name, repository, &setting.host, &why).detail("repository", name);
        Ok(Bring { inner: Arc::clone(self), from, into: repository.into(), record, tally: Arc::default() })
    }

    /// Whether a tag was compared with the upstream within its time.
    async fn is_fresh(&self, known: &Known, repository: &str, tag: &str) -> Result<bool, Failure> {
        let key = key(repository, tag);
        let at = match self.upstreams.fresh.get(key.as_str()) {
            Some(at) => Some(at),
            None => self.facts.upstream_check(repository, tag).await?.map(|checked| checked.at),
        };
        let Some(at) = at else { return Ok(false) };
        self.upstreams.fresh.insert(key.into(), at);
        Ok(is_within(at, known.setting.ttl))
    }

    /// Remembers how asking an upstream went, and tells people.
    pub(super) async fn note_asked(&self, known: &Known, trouble: Option<&Trouble>) {
        known.note(trouble);
        if !known.is_news(trouble) {
            return;
        }
        let checked = Checked { at: Timestamp::now(), body: trouble.and_then(told) };
        let name = asked_name(&known.setting);
        // No repository has no name, so this row is nobody else's.
        if let Err(error) = self.facts.note_upstream_check("", &name, checked).await {
            tracing::warn!(%error, name, "how it went could not be noted");
        }
    }

    async fn note_fresh(&self, repository: &str, tag: &str) -> Result<(), Trouble> {
        let at = Timestamp::now();
        self.facts.note_upstream_check(repository, tag, Checked { at, body: None }).await?;
        self.upstreams.fresh.insert(key(repository, tag).into(), at);
        Ok(())
    }

    /// The upstream has a tag no more. What it stood for stays, under its digest.
    async fn lose_tag(
        &self,
        known: &Known,
        repository: &str,
        tag: &str,
        held: &Digest,
    ) -> Result<(), Failure> {
        let why = format!("upstream {}", known.setting.name);
        let record = record(&self.config.name, repository, &known.setting.host, &why)
            .digest(held)
            .named(tag)
            .status(format!("the tag {tag} was removed, since {} has it no more", known.setting.host));
        let record = boltseal_audit::Record { activity: boltseal_audit::record::Activity::Delete, ..record };
        self.facts.recording(vec![record.entry()]).remove_tag(repository, tag).await?;
        self.deleted();
        Ok(())
    }
}

/// Whether `at` is no longer ago than `seconds`.
pub(super) fn is_within(at: Timestamp, seconds: u64) -> bool {
    let age = Timestamp::now().as_millisecond().saturating_sub(at.as_millisecond());
    u64::try_from(age).unwrap_or(0) < seconds.saturating_mul(1000)
}

fn on_its_way(host: &str, name: &str) -> Failure {
    let sentence = format!("unknown: it is being fetched from {host} and scanned; try again in a moment");
    let detail = json!({ "state": "pending", "reference": name, "reasons": [] });
    crate::gate::refusal(&sentence, detail)
}

fn busy(host: &str) -> Failure {
    let message = format!("too much is on its way from {host} and others: try again in a moment");
    Failure::new(Code::TooManyRequests, message).header(axum::http::header::RETRY_AFTER, "5")
}
