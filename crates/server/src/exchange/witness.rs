//! We as a witness: other servers' logs, which we state to have seen only grow (C2SP tlog-witness).

use boltseal_api::audit::WitnessedLog;
use boltseal_audit::{
    Record,
    log::{AddCheckpoint, Cosigner, Refusal, RequestError, Seen, SignedCheckpoint, Verifier},
    record::{Activity, Outcome, Severity, Subject},
};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use tokio::sync::Mutex;

use super::{Error, setting};

/// The keys of the logs, as a list.
const LOGS: &str = "audit.witnessed-logs";
/// Logs that are watched. Each costs a row.
const MAX_LOGS: usize = 64;

/// Cosigns.
#[derive(Debug)]
pub(crate) struct Witness {
    facts: Facts,
    cosigner: Cosigner,
    /// One decision after another: each is made from what the last one left.
    deciding: Mutex<()>,
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The protocol says no.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// Something here is wrong.
    #[error(transparent)]
    Fault(#[from] Error),
}

impl Witness {
    pub(super) fn new(facts: &Facts, cosigner: Cosigner) -> Self {
        Self { facts: facts.clone(), cosigner, deciding: Mutex::new(()) }
    }

    /// What others check our cosignatures with.
    pub(crate) fn key(&self) -> &Verifier {
        self.cosigner.verifier()
    }

    /// Decides about a request. The answer is the line with our signature; what was seen is on disk by then.
    pub(crate) async fn add(&self, body: &[u8], now: Timestamp) -> Result<String, Refused> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.checkpoint().origin.clone();
        let _one_at_a_time = self.deciding.lock().await;
        let log = self.logs().await?.into_iter().find(|log| log.name() == origin);
        let last = match &log {
            Some(log) => self.last(log).await?,
            None => None,
        };
        let seen = last.map(|last| Seen { size: last.checkpoint().size, root: last.checkpoint().root });
        let cosigned = match request.decide(log.as_ref(), seen.as_ref(), &self.cosigner, now) {
            Ok(cosigned) => cosigned,
            Err(refusal) => {
                if let Refusal::Inconsistent(why) = &refusal {
                    self.alert(&origin, &why.to_string(), now).await?;
                }
                return Err(refusal.into());
            }
        };
        let line = cosigned.signature.to_string();
        let kept = request.checkpoint.cosigned(line.as_bytes(), std::slice::from_ref(self.key()));
        let kept = kept.map_err(Error::from)?;
        self.facts.set(&seen_as(&origin), &kept.to_string()).await.map_err(Error::from)?;
        Ok(line)
    }

    /// The last checkpoint that was cosigned of a log; `None` inside where there was none yet. A log that is not
    /// watched is missing.
    pub(crate) async fn latest(&self, origin: &str) -> Result<Option<SignedCheckpoint>, Error> {
        let log = self.logs().await?.into_iter().find(|log| log.name() == origin);
        self.last(&log.ok_or_else(|| Error::missing("log", origin))?).await
    }

    /// The logs that are watched.
    pub(crate) async fn watched(&self) -> Result<Vec<WitnessedLog>, Error> {
        let mut watched = Vec::new();
        for log in self.logs().await? {
            let size = self.last(&log).await?.map_or(0, |last| last.checkpoint().size);
            watched.push(WitnessedLog { origin: log.name().to_owned(), key: log.to_string(), size });
        }
        Ok(watched)
    }

    /// Watches a log from now on; another key for the same log takes the place of the first.
    pub(crate) async fn watch(&self, log: &Verifier, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.deciding.lock().await;
        let mut logs = self.logs().await?;
        logs.retain(|other| other.name() != log.name());
        if logs.len() >= MAX_LOGS {
            return Err(Error::Asked(format!("{MAX_LOGS} logs are watched, and no more can be")));
        }
        logs.push(log.clone());
        self.keep(&logs, record).await
    }

    /// Watches a log no longer, and forgets what was seen of it.
    pub(crate) async fn forget(&self, origin: &str, record: &Record) -> Result<(), Error> {
        let _one_at_a_time = self.deciding.lock().await;
        let mut logs = self.logs().await?;
        let before = logs.len();
        logs.retain(|log| log.name() != origin);
        if logs.len() == before {
            return Err(Error::missing("log", origin));
        }
        // In this order: a log that is watched is never without what was seen of it.
        self.keep(&logs, record).await?;
        Ok(self.facts.set(&seen_as(origin), "").await?)
    }

    async fn keep(&self, logs: &[Verifier], record: &Record) -> Result<(), Error> {
        let keys: Vec<String> = logs.iter().map(ToString::to_string).collect();
        setting::keep(&self.facts, LOGS, &keys, record).await
    }

    async fn logs(&self) -> Result<Vec<Verifier>, Error> {
        let keys: Vec<String> = setting::list(&self.facts, LOGS).await?;
        Ok(keys.iter().map(|key| key.parse()).collect::<Result<_, _>>()?)
    }

    async fn last(&self, log: &Verifier) -> Result<Option<SignedCheckpoint>, Error> {
        let text = self.facts.setting(&seen_as(log.name())).await?.filter(|text| !text.is_empty());
        Ok(text.map(|text| SignedCheckpoint::open(text.as_bytes(), log)).transpose()?)
    }

    /// Its key signed two histories: somebody has to look.
    async fn alert(&self, origin: &str, why: &str, now: Timestamp) -> Result<(), Error> {
        tracing::error!(origin, why, "a log that is watched here was changed or put back");
        let record = Record::new(now, Activity::Other, "Boltseal/audit/checkpoints/write")
            .subject(Subject::new("/audit/witnessed").name(origin))
            .outcome(Outcome::Failure)
            .status(format!("the log {origin} does not continue what was seen of it: {why}"))
            .severity(Severity::Critical)
            .alert();
        Ok(self.facts.append(vec![record.entry()]).await?)
    }
}

/// Where the last checkpoint of a log is kept.
fn seen_as(origin: &str) -> String {
    format!("audit.seen.{origin}")
}
