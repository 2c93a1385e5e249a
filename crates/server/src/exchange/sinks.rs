//! Other systems that are sent every record: where each stands, and sending it what is next.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use boltseal_api::audit::{NewSink, Sink};
use boltseal_audit::{
    Record,
    export::{Format, Queue, Step},
};
use boltseal_identity::{Authority, secret::Secret};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Error, address, authority_file, deliver::Outlet, setting};
use crate::recorder::Recorder;

/// Where the list is kept.
const SINKS: &str = "audit.sinks";
/// Each costs a task and a connection.
const MAX_SINKS: usize = 16;
/// Characters of a name.
const MAX_NAME: usize = 40;
/// Records that may wait for a sink; of one that falls further behind the oldest are lost to it, and it is told.
const MAX_BEHIND: u64 = 1_000_000;
/// Records of one batch.
const BATCH: u64 = 500;
/// The longest pause after failures, seconds.
const MAX_PAUSE: i64 = 300;
/// How often sinks are looked after.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Sends.
#[derive(Clone, Debug)]
pub(crate) struct Sinks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    recorder: Recorder,
    authority: Authority,
    /// Where certificate authorities of sinks are kept as files.
    folder: PathBuf,
    standings: Mutex<BTreeMap<String, Standing>>,
    editing: tokio::sync::Mutex<()>,
    runs: AtomicU64,
}

/// How one sink stands.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// The number of the run that is under way. Whoever has another was overtaken by a change of the sink.
    running: Option<u64>,
    at: Option<Timestamp>,
    error: Option<String>,
    failures: u32,
    not_before: Option<Timestamp>,
}

/// A sink as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    url: String,
    format: String,
    /// Sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
}

impl Sinks {
    pub(super) fn new(facts: &Facts, recorder: &Recorder, authority: &Authority, folder: PathBuf) -> Self {
        Self(Arc::new(Inner {
            facts: facts.clone(),
            recorder: recorder.clone(),
            authority: authority.clone(),
            folder,
            standings: Mutex::default(),
            editing: tokio::sync::Mutex::new(()),
            runs: AtomicU64::new(0),
        }))
    }

    fn standings(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.0.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, and how each stands.
    pub(crate) async fn list(&self) -> Result<Vec<Sink>, Error> {
        let mut sinks = Vec::new();
        for kept in self.kept().await? {
            sinks.push(self.shown(kept).await?);
        }
        Ok(sinks)
    }

    async fn shown(&self, kept: Kept) -> Result<Sink, Error> {
        let queue = self.queue(&kept.name).await?;
        let size = self.0.recorder.size();
        let waiting = queue.waiting(size);
        let Standing { at, error, .. } = self.standings().get(&kept.name).cloned().unwrap_or_default();
        let Kept { name, url, format, .. } = kept;
        Ok(Sink { name, url, format, next: size.saturating_sub(waiting), waiting, at, error })
    }

    /// Adds one, or changes the one with its name.
    pub(crate) async fn add(&self, asked: NewSink, record: &Record) -> Result<Sink, Error> {
        let NewSink { name, url, format, authorization, ca, from } = asked;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            let wanted = "lower-case letters, digits and `-`";
            return Err(Error::Asked(format!("a sink's name has 1 to {MAX_NAME} characters: {wanted}")));
        }
        let url = check(&url, &format)?;
        if let Some(ca) = &ca {
            super::check_ca(ca)?;
        }
        let seal = |secret| setting::seal(&self.0.authority, &Secret::new(secret), &context(&name));
        let authorization = authorization.map(seal).transpose()?;
        let fresh = Kept { name: name.clone(), url, format, authorization, ca };
        let _one_at_a_time = self.0.editing.lock().await;
        let mut kept = self.kept().await?;
        let known = kept.iter().any(|other| other.name == name);
        kept.retain(|other| other.name != name);
        if kept.len() >= MAX_SINKS {
            return Err(Error::Asked(format!("there are {MAX_SINKS} sinks, and no more can be")));
        }
        // Where it begins is there before it is.
        if from.is_some() || !known {
            let from = from.unwrap_or_else(|| self.0.recorder.entered());
            self.0.facts.set(&position(&name), &Queue::new(from, MAX_BEHIND).to_string()).await?;
        }
        kept.push(fresh.clone());
        setting::keep(&self.0.facts, SINKS, &kept, record).await?;
        self.standings().insert(name, Standing::default());
        self.shown(fresh).await
    }

    /// Takes one away.
    pub(crate) async fn remove(&self, name: &str, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.0.editing.lock().await;
        let mut kept = self.kept().await?;
        let before = kept.len();
        kept.retain(|other| other.name != name);
        if kept.len() == before {
            return Err(Error::missing("sink", name));
        }
        setting::keep(&self.0.facts, SINKS, &kept, record).await?;
        self.standings().remove(name);
        Ok(())
    }

    /// Begins to send every sink what waits for it, unless that is under way. Comes back at once.
    pub(super) async fn round(&self) -> Result<(), Error> {
        let now = Timestamp::now();
        for kept in self.kept().await? {
            let mut standings = self.standings();
            let standing = standings.entry(kept.name.clone()).or_default();
            if standing.running.is_some() || standing.not_before.is_some_and(|moment| now < moment) {
                continue;
            }
            let run = self.0.runs.fetch_add(1, Ordering::Relaxed);
            standing.running = Some(run);
            drop(standings);
            let this = self.clone();
            tokio::spawn(async move {
                let outcome = this.drain(&kept, run).await;
                this.ended(&kept.name, run, outcome);
            });
        }
        Ok(())
    }

    /// Sends one sink what waits for it. True where there was something.
    async fn drain(&self, kept: &Kept, run: u64) -> Result<bool, String> {
        let failed = |wrong: Error| wrong.to_string();
        let outlet = Arc::new(self.outlet(kept).map_err(failed)?);
        let mut any = false;
        loop {
            let (size, archived) = (self.0.recorder.size(), self.0.recorder.archived());
            let mut queue = self.queue(&kept.name).await.map_err(failed)?;
            match queue.next(size, archived, BATCH) {
                Step::Idle => return Ok(any),
                Step::Ahead { next, size } => {
                    return Err(format!(
                        "it was sent {next} records, but the log has {size}: it was put back"
                    ));
                }
                Step::Gap { .. } => {
                    let why = if archived > 0 { "archived before they were sent" } else { "too far behind" };
                    let (gap, outlet) = (queue.gap(why), outlet.clone());
                    let origin = self.0.recorder.verifier().name().to_owned();
                    let tell = move || gap.map_or(Ok(()), |gap| outlet.tell(&origin, &gap, Timestamp::now()));
                    blocking(tell).await?;
                }
                Step::Send(range) => {
                    let (recorder, outlet) = (self.0.recorder.clone(), outlet.clone());
                    let send = move || {
                        let reader = recorder.reader().map_err(|wrong| wrong.to_string())?;
                        outlet.send(&reader, size, range)
                    };
                    let many = blocking(send).await?;
                    // Not more than went: the batch was cut to its bytes.
                    queue.next(size, archived, many);
                }
            }
            queue.sent();
            // Where it stands is only kept for a sink that is still there, and was not told to begin elsewhere.
            let _one_at_a_time = self.0.editing.lock().await;
            if self.standings().get(&kept.name).is_none_or(|standing| standing.running != Some(run)) {
                return Ok(any);
            }
            let set = self.0.facts.set(&position(&kept.name), &queue.to_string()).await;
            set.map_err(|wrong| wrong.to_string())?;
            any = true;
        }
    }

    fn ended(&self, name: &str, run: u64, outcome: Result<bool, String>) {
        let now = Timestamp::now();
        let mut standings = self.standings();
        let standing = standings.get_mut(name).filter(|standing| standing.running == Some(run));
        let Some(standing) = standing else { return };
        standing.running = None;
        match outcome {
            Ok(any) => {
                standing.at = if any { Some(now) } else { standing.at };
                (standing.error, standing.failures, standing.not_before) = (None, 0, None);
            }
            Err(why) => {
                let pause = (1_i64 << standing.failures.min(10)).min(MAX_PAUSE);
                standing.failures = standing.failures.saturating_add(1);
                standing.not_before = Timestamp::from_second(now.as_second().saturating_add(pause)).ok();
                tracing::warn!(sink = name, why, seconds = pause, "a sink took nothing; it is tried again");
                standing.error = Some(why);
            }
        }
    }

    async fn kept(&self) -> Result<Vec<Kept>, Error> {
        setting::list(&self.0.facts, SINKS).await
    }

    async fn queue(&self, name: &str) -> Result<Queue, Error> {
        let text = self.0.facts.setting(&position(name)).await?.unwrap_or_default();
        Queue::resume(&text, MAX_BEHIND)
            .map_err(|wrong| Error::Setting { name: position(name), why: wrong.to_string() })
    }

    fn outlet(&self, kept: &Kept) -> Result<Outlet, Error> {
        let open = |sealed: &String| setting::open(&self.0.authority, sealed, &context(&kept.name));
        let unusable = |why: String| Error::Setting { name: SINKS.to_owned(), why };
        Ok(Outlet {
            url: Url::parse(&kept.url).map_err(|wrong| unusable(wrong.to_string()))?,
            format: Format::named(&kept.format).ok_or_else(|| unusable(kept.format.clone()))?,
            authorization: kept.authorization.as_ref().map(open).transpose()?,
            ca: kept.ca.as_ref().map(|ca| authority_file(&self.0.folder, &kept.name, ca)).transpose()?,
        })
    }
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(act).await.map_err(|wrong| wrong.to_string())?
}

/// Where a sink stands in the log.
fn position(name: &str) -> String {
    format!("audit.sink.{name}")
}

/// Bound to a sink's sealed secret.
fn context(name: &str) -> String {
    format!("audit sink {name}")
}

/// The address of a sink, if records of this format can be sent there.
fn check(url: &str, format: &str) -> Result<String, Error> {
    let known = Format::ALL.map(Format::name).join(", ");
    let format = Format::named(format)
        .ok_or_else(|| Error::Asked(format!("format `{format}` is not known: use {known}")))?;
    if !url.starts_with("syslog://") && !url.starts_with("syslog+tls://") {
        return address(url);
    }
    if format != Format::Syslog {
        return Err(Error::Asked("over syslog, records are sent in the format `syslog`".to_owned()));
    }
    let parsed = Url::parse(url).map_err(|wrong| Error::Asked(wrong.to_string()))?;
    if parsed.host_str().is_none_or(str::is_empty) || !matches!(parsed.path(), "" | "/") {
        return Err(Error::Asked("a syslog address is syslog+tls://HOST:PORT".to_owned()));
    }
    Ok(url.trim_end_matches('/').to_owned())
}
