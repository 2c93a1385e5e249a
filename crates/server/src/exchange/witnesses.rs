//! Others as our witnesses: they are shown every checkpoint after a while, and asked at the start what they have seen.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use boltseal_api::audit::{self as api, NewWitness, WitnessSetting};
use boltseal_audit::{
    Record,
    log::{KeyKind, Reader, Rollback, SignedCheckpoint, Verifier},
    record::{Activity, Outcome, Severity, Subject, Why},
};
use boltseal_identity::{Authority, secret::Secret};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{
    Error, address,
    ask::{Peer, Problem},
    authority_file, check_ca, setting,
};
use crate::recorder::{self, Place, Recorder};

/// Where the list is kept.
const WITNESSES: &str = "audit.witnesses";
/// More witnesses say no more.
const MAX_WITNESSES: usize = 8;
/// The longest pause after failures, seconds.
const MAX_PAUSE: i64 = 300;
/// The pause after the first failure, seconds; it doubles.
const PAUSE: i64 = 10;

/// How often witnesses are shown what is new. A record is sealed within a second; that somebody else vouches for it
/// takes so long.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// Has our checkpoints cosigned.
#[derive(Debug)]
pub(crate) struct Witnesses {
    facts: Facts,
    recorder: Recorder,
    authority: Authority,
    /// Where certificate authorities of witnesses are kept as files.
    folder: PathBuf,
    standings: Mutex<BTreeMap<String, Standing>>,
    editing: tokio::sync::Mutex<()>,
}

/// How one witness stands.
#[derive(Clone, Debug, Default)]
struct Standing {
    size: u64,
    at: Option<Timestamp>,
    error: Option<String>,
    /// Whether what it has seen was compared with our log since the start.
    compared: bool,
    failures: u32,
    not_before: Option<Timestamp>,
}

/// A witness as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    url: String,
    key: String,
    /// Sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    /// What it has seen of a state that somebody put back, and that is accepted: size and root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<String>,
}

impl Witnesses {
    pub(super) fn new(facts: &Facts, recorder: &Recorder, authority: &Authority, folder: PathBuf) -> Self {
        Self {
            facts: facts.clone(),
            recorder: recorder.clone(),
            authority: authority.clone(),
            folder,
            standings: Mutex::default(),
            editing: tokio::sync::Mutex::new(()),
        }
    }

    fn standings(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How each stands.
    pub(crate) fn standing(&self) -> Vec<api::Witness> {
        let of = |(name, standing): (&String, &Standing)| {
            let Standing { size, at, error, .. } = standing.clone();
            api::Witness { name: name.clone(), size, at, error }
        };
        self.standings().iter().map(of).collect()
    }

    /// Those that are configured.
    pub(crate) async fn list(&self) -> Result<Vec<WitnessSetting>, Error> {
        let shown =
            |kept: Kept| WitnessSetting { name: name(&kept.key).to_owned(), url: kept.url, key: kept.key };
        Ok(self.kept().await?.into_iter().map(shown).collect())
    }

    /// Adds one, in the place of one with the same name.
    pub(crate) async fn add(&self, asked: NewWitness, record: &Record) -> Result<WitnessSetting, Error> {
        let NewWitness { url, key, authorization, ca } = asked;
        let url = address(&url)?;
        let verifier: Verifier = key.parse()?;
        if verifier.kind() != KeyKind::Cosignature {
            let wrong = "a witness cosigns with a key of type 0x04; this is a log's own";
            return Err(Error::Asked(wrong.to_owned()));
        }
        if let Some(ca) = &ca {
            check_ca(ca)?;
        }
        let authorization = authorization
            .map(|secret| setting::seal(&self.authority, &Secret::new(secret), &context(verifier.name())))
            .transpose()?;
        let _one_at_a_time = self.editing.lock().await;
        let mut kept = self.kept().await?;
        kept.retain(|other| name(&other.key) != verifier.name());
        if kept.len() >= MAX_WITNESSES {
            return Err(Error::Asked(format!("there are {MAX_WITNESSES} witnesses, and no more can be")));
        }
        kept.push(Kept { url: url.clone(), key: key.clone(), authorization, ca, accepted: None });
        setting::keep(&self.facts, WITNESSES, &kept, record).await?;
        self.standings().insert(verifier.name().to_owned(), Standing::default());
        Ok(WitnessSetting { name: verifier.name().to_owned(), url, key })
    }

    /// Takes one away.
    pub(crate) async fn remove(&self, gone: &str, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.editing.lock().await;
        let mut kept = self.kept().await?;
        let before = kept.len();
        kept.retain(|other| name(&other.key) != gone);
        if kept.len() == before {
            return Err(Error::missing("witness", gone));
        }
        setting::keep(&self.facts, WITNESSES, &kept, record).await?;
        self.standings().remove(gone);
        Ok(())
    }

    /// At the start: whoever can be reached is asked what it has seen of our log. If that is not its beginning, the log
    /// was put back or rewritten, and must not be gone on with, unless somebody accepts it for a reason.
    pub(super) async fn check(&self, accept: Option<&str>) -> Result<(), Error> {
        let mut kept = self.kept().await?;
        let mut asking = JoinSet::new();
        for (place, kept) in kept.iter().enumerate() {
            let (peer, recorder) = (self.peer(kept)?, self.recorder.clone());
            asking
                .spawn_blocking(move || (place, reader(&recorder).and_then(|reader| peer.compare(&reader))));
        }
        let mut records = Vec::new();
        while let Some(Ok((place, found))) = asking.join_next().await {
            let Some(kept) = kept.get_mut(place) else { continue };
            let name = name(&kept.key).to_owned();
            match found.map_err(|problem| tolerated(kept, problem)) {
                Ok(size) => {
                    let standing = Standing { size, compared: true, ..Standing::default() };
                    self.standings().insert(name, standing);
                }
                Err(Problem::Refused(why)) => {
                    tracing::warn!(
                        witness = name,
                        why,
                        "a witness cannot be asked what it has seen of the log"
                    );
                    self.failed(&name, why, Timestamp::now());
                }
                Err(Problem::Rollback { seen, source }) => {
                    let Some(reason) = accept else {
                        let anchor = PathBuf::from(format!("{name} at {}", kept.url));
                        return Err(recorder::Error::Rollback { anchor, source }.into());
                    };
                    kept.accepted = Some(seen);
                    records.push(accepted(&name, &source, reason));
                }
            }
        }
        for record in records {
            setting::keep(&self.facts, WITNESSES, &kept, &record).await?;
        }
        Ok(())
    }

    /// Shows everybody the newest checkpoint who has not cosigned it, and publishes it with what they sign.
    pub(super) async fn round(&self) -> Result<(), Error> {
        let checkpoint = self.recorder.state().borrow().checkpoint.clone();
        let (size, now) = (checkpoint.checkpoint().size, Timestamp::now());
        let mut asking = JoinSet::new();
        for kept in self.kept().await? {
            let name = name(&kept.key).to_owned();
            let standing = self.standings().get(&name).cloned().unwrap_or_default();
            let done = standing.size == size && standing.at.is_some();
            if done || standing.not_before.is_some_and(|moment| now < moment) {
                continue;
            }
            let (peer, recorder, checkpoint) = (self.peer(&kept)?, self.recorder.clone(), checkpoint.clone());
            asking.spawn_blocking(move || {
                let ask = || {
                    let reader = reader(&recorder)?;
                    let old = if standing.compared { standing.size } else { peer.compare(&reader)? };
                    peer.cosign(&reader, &checkpoint, old)
                };
                let answer = ask().map_err(|problem| tolerated(&kept, problem));
                (name, peer.key, answer)
            });
        }
        let mut cosigned = None;
        while let Some(Ok((name, key, answer))) = asking.join_next().await {
            match answer {
                Ok(lines) => {
                    let so_far: SignedCheckpoint = cosigned.take().unwrap_or_else(|| checkpoint.clone());
                    cosigned = Some(so_far.cosigned(&lines, &[key])?);
                    let standing = Standing { size, at: Some(now), compared: true, ..Standing::default() };
                    self.standings().insert(name, standing);
                }
                Err(Problem::Refused(why)) => self.failed(&name, why, now),
                Err(Problem::Rollback { source, .. }) => {
                    let why = source.to_string();
                    self.recorder.close(&format!("the witness {name} has seen another log than this: {why}"));
                    self.failed(&name, why, now);
                }
            }
        }
        if let Some(cosigned) = cosigned {
            self.recorder.blocking("publishing a checkpoint", move |this| this.publish(&cosigned)).await?;
        }
        Ok(())
    }

    /// Forgets how long to leave those alone that failed.
    pub(super) fn soon(&self) {
        for standing in self.standings().values_mut() {
            standing.not_before = None;
        }
    }

    fn failed(&self, name: &str, why: String, now: Timestamp) {
        let mut standings = self.standings();
        let standing = standings.entry(name.to_owned()).or_default();
        let pause = PAUSE.saturating_mul(1_i64 << standing.failures.min(10)).min(MAX_PAUSE);
        standing.failures = standing.failures.saturating_add(1);
        standing.not_before = Timestamp::from_second(now.as_second().saturating_add(pause)).ok();
        standing.error = Some(why);
    }

    async fn kept(&self) -> Result<Vec<Kept>, Error> {
        setting::list(&self.facts, WITNESSES).await
    }

    fn peer(&self, kept: &Kept) -> Result<Peer, Error> {
        let key: Verifier = kept.key.parse()?;
        let open = |sealed: &String| setting::open(&self.authority, sealed, &context(key.name()));
        let authorization = kept.authorization.as_ref().map(open).transpose()?;
        let ca = kept.ca.as_ref().map(|ca| authority_file(&self.folder, key.name(), ca)).transpose()?;
        Ok(Peer { url: kept.url.clone(), authorization, ca, key })
    }
}

fn reader(recorder: &Recorder) -> Result<Reader<Place>, Problem> {
    recorder.reader().map_err(|wrong| Problem::Refused(wrong.to_string()))
}

/// What was accepted once is no rollback any more; the witness does not go on all the same.
fn tolerated(kept: &Kept, problem: Problem) -> Problem {
    match problem {
        Problem::Rollback { seen, .. } if kept.accepted.as_ref() == Some(&seen) => {
            let why =
                "it has seen the state before the restore that was accepted: have it forget this log there";
            Problem::Refused(why.to_owned())
        }
        other => other,
    }
}

/// The record of going on with another log than a witness has seen: it alerts.
fn accepted(name: &str, source: &Rollback, reason: &str) -> Record {
    Record::new(Timestamp::now(), Activity::Other, "Boltseal/audit/restore/action")
        .subject(Subject::new("/audit").name(name))
        .outcome(Outcome::Success)
        .status(format!("the log goes on although the witness {name} has seen another: {source}"))
        .why(Why::rule(reason))
        .severity(Severity::Critical)
        .alert()
}

/// The name in a verifier key.
fn name(key: &str) -> &str {
    key.split('+').next().unwrap_or(key)
}

/// Bound to a witness's sealed secret.
fn context(name: &str) -> String {
    format!("audit witness {name}")
}
