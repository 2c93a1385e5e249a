//! The gate: whether what is stored may be pulled, by the verdict that is stored with it, unless somebody with the role
//! for it decided otherwise.
//!
//! Nothing is computed here. A pull reads cached answers; only an image that is still being scanned is waited for,
//! shortly, and by a bounded number of requests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{HeaderValue, header};
use boltseal_model::{Decision, Digest, Quarantine, QuarantineState, Ruling, Standing, Timestamp, Verdict};
use boltseal_store::{Facts, Judgement, Kind, StoredManifest};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::{
    cache::Cache,
    failure::{Code, Failure},
    quarantine,
};

/// How long a pull waits for a judgement: most scans take less, and no client gives up earlier.
const PATIENCE: Duration = Duration::from_secs(3);
/// Requests that may wait at the same time; more are answered at once.
const WAITERS: usize = 256;
/// Verdicts in memory. A thousand bytes each at most: some megabytes.
const VERDICTS: u64 = 10_000;
/// Manifests of which is known whether somebody decided about them; most are a few bytes that say that nobody did.
const DECISIONS: u64 = 100_000;
/// Reasons in an answer. The dashboard has all of them.
const MAX_REASONS: usize = 20;
/// What every refusal begins with.
const REFUSED: &str = "image refused: ";
/// OCI distribution specification, "Warnings": at most 4096 bytes in all.
const MAX_WARNING: usize = 1000;

/// What the gate says about an image, ready to be answered.
#[derive(Debug)]
pub(crate) enum Passage {
    /// It may be pulled.
    Pass { warning: Option<HeaderValue>, expires: Option<Timestamp> },
    /// It may not, for this reason.
    Refuse { why: String, verdict: Option<Verdict>, error: Option<String> },
}

/// Reads verdicts and waits for those that are being made.
pub(crate) struct Gate {
    facts: Facts,
    rulings: Cache<Passage>,
    /// By repository and digest.
    decisions: Cache<Option<Quarantine>>,
    judged: Notify,
    waiters: Semaphore,
}

impl Gate {
    pub(crate) fn new(facts: Facts) -> Self {
        let rulings = Cache::new(VERDICTS, |_, _| 1).over(&facts);
        let decisions = Cache::new(DECISIONS, |_, _| 1).over(&facts);
        Self { facts, rulings, decisions, judged: Notify::new(), waiters: Semaphore::new(WAITERS) }
    }

    /// The judgements of these images were written down.
    pub(crate) fn judged<'a>(&self, images: impl Iterator<Item = &'a Digest>) {
        for image in images {
            self.rulings.forget(&image.to_string());
        }
        self.judged.notify_waiters();
    }

    /// Everything that was remembered may have changed.
    pub(crate) fn forget_all(&self) {
        self.rulings.forget_all();
        self.decisions.forget_all();
        self.judged.notify_waiters();
    }

    /// Somebody decided about this manifest.
    pub(crate) fn decided(&self, repository: &str, manifest: &Digest) {
        self.decisions.forget(&key(repository, &manifest.to_string()));
    }

    /// What somebody decided about a manifest of a repository, if anybody did.
    pub(crate) async fn decision(
        &self,
        repository: &str,
        manifest: &Digest,
    ) -> Result<Option<Quarantine>, Failure> {
        let load = async {
            let text = self.facts.quarantine(repository, manifest).await?;
            // What cannot be read holds the image: nobody knows what was decided.
            let read = |text: String| serde_json::from_str::<Quarantine>(&text).map_err(Failure::fault);
            Ok::<_, Failure>(Some(text.map(read).transpose()?))
        };
        let found = self.decisions.get_or(&key(repository, &manifest.to_string()), load).await?;
        Ok(found.and_then(|decision| (*decision).clone()))
    }

    /// What the verdict says, if there is one by now.
    pub(crate) async fn ruling(&self, image: &Digest) -> Result<Option<Arc<Passage>>, Failure> {
        self.current(&image.to_string(), image).await
    }

    /// Lets a manifest pass, with a warning perhaps, or says why not. Images need a verdict, and one that is under way is
    /// waited for; anything else passes unless somebody decided otherwise.
    pub(crate) async fn pass(
        &self,
        repository: &str,
        manifest: &Digest,
        kind: Kind,
    ) -> Result<Option<HeaderValue>, Failure> {
        let decision = self.decision(repository, manifest).await?;
        match decision {
            Some(decision) if decision.state == QuarantineState::Failed => {
                Err(quarantine::against(&decision, manifest))
            }
            _ if kind != Kind::Image => Ok(None),
            Some(decision) => match self.ruling(manifest).await?.map(|ruling| answer(&ruling, manifest)) {
                Some(Ok(warning)) => Ok(warning),
                Some(Err(against)) => {
                    Ok(Some(quarantine::released(&decision, against.message().trim_start_matches(REFUSED))))
                }
                None => Ok(None),
            },
            None => self.judged_well(manifest).await,
        }
    }

    async fn judged_well(&self, image: &Digest) -> Result<Option<HeaderValue>, Failure> {
        let key = image.to_string();
        if let Some(ruling) = self.current(&key, image).await? {
            return answer(&ruling, image);
        }
        let Ok(_waiter) = self.waiters.try_acquire() else { return Err(pending(image)) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Listening begins before looking, so that a judgement in between is not missed.
            let mut judged = std::pin::pin!(self.judged.notified());
            judged.as_mut().enable();
            if let Some(ruling) = self.current(&key, image).await? {
                return answer(&ruling, image);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, judged).await.is_err() {
                return Err(pending(image));
            }
        }
    }

    /// Whether a blob may be pulled that only these manifests of a repository point to. Waits as a pull does if told
    /// to; otherwise a judgement that is under way is a no.
    pub(crate) async fn pass_blob(
        &self,
        repository: &str,
        holders: &[(Digest, Kind)],
        wait: bool,
    ) -> Result<(), Failure> {
        let mut refused = None;
        let mut undecided = None;
        for (manifest, kind) in holders {
            match self.decision(repository, manifest).await? {
                Some(decision) if decision.state == QuarantineState::Failed => {
                    refused = Some(quarantine::against(&decision, manifest));
                    continue;
                }
                Some(_) => return Ok(()),
                None if *kind != Kind::Image => return Ok(()),
                None => {}
            }
            match self.ruling(manifest).await?.as_deref() {
                Some(Passage::Pass { .. }) => return Ok(()),
                Some(ruling) => refused = answer(ruling, manifest).err().or(refused),
                None => undecided = Some(manifest),
            }
        }
        match (undecided, refused) {
            (Some(image), _) if wait => self.judged_well(image).await.map(drop),
            (Some(image), _) => Err(pending(image)),
            (None, Some(failure)) => Err(failure),
            (None, None) => Ok(()),
        }
    }

    /// The ruling, unless the image is waiting to be judged or its verdict has run out.
    async fn current(&self, key: &str, image: &Digest) -> Result<Option<Arc<Passage>>, Failure> {
        let load = async { Ok::<_, Failure>(self.facts.judgement(image).await?.and_then(ruling)) };
        let found = self.rulings.get_or(key, load).await?;
        Ok(found.filter(|ruling| match &**ruling {
            Passage::Pass { expires: Some(expires), .. } => *expires > Timestamp::now(),
            _ => true,
        }))
    }
}

impl Passage {
    /// What was found, for people.
    pub(crate) fn sentence(&self) -> &str {
        match self {
            Self::Pass { .. } => "allow",
            Self::Refuse { why, .. } => why,
        }
    }
}

/// What was judged counts, in the words of all gates; what is being judged is no answer yet. When a verdict ends is looked
/// at when it is used, since answers are remembered.
fn ruling(judgement: Judgement) -> Option<Passage> {
    let error = judgement.error.clone();
    let standing = judgement.standing();
    let ruling = Ruling::of(&standing, Timestamp::MIN);
    match standing {
        Standing::Pending | Standing::Outdated => None,
        Standing::Judged(verdict) if ruling.passes() => {
            let warning = (ruling.decision == Decision::Warn).then(|| warning(&ruling.why));
            Some(Passage::Pass { warning, expires: verdict.expires })
        }
        Standing::Judged(verdict) => {
            Some(Passage::Refuse { why: ruling.why, verdict: Some(verdict), error: None })
        }
        Standing::Failed(_) => Some(Passage::Refuse { why: ruling.why, verdict: None, error }),
    }
}

fn answer(ruling: &Passage, image: &Digest) -> Result<Option<HeaderValue>, Failure> {
    match ruling {
        Passage::Pass { warning, .. } => Ok(warning.clone()),
        Passage::Refuse { why, verdict: Some(verdict), .. } => {
            let reasons: Vec<_> = verdict.reasons.iter().take(MAX_REASONS).collect();
            let detail = json!({
                "policy": verdict.policy,
                "state": verdict.decision.word(),
                "digest": image,
                "reasons": reasons,
            });
            Err(refusal(why, detail))
        }
        Passage::Refuse { why, verdict: None, error } => {
            let error = error.as_deref().unwrap_or("it has no verdict");
            let detail = json!({
                "policy": null, "state": "failed", "digest": image, "reasons": [], "error": error,
            });
            Err(refusal(why, detail))
        }
    }
}

fn pending(image: &Digest) -> Failure {
    let detail = json!({ "policy": null, "state": "pending", "digest": image, "reasons": [] });
    refusal(&Ruling::of(&Standing::Pending, Timestamp::MIN).why, detail)
}

/// 403, not 404 or 405 or 429: clients would hide the reason, try another method, or try for ever.
pub(crate) fn refusal(sentence: &str, detail: serde_json::Value) -> Failure {
    let message = format!("{REFUSED}{sentence}");
    let warning = warning(&message);
    Failure::new(Code::Denied, message)
        .detail(detail)
        .header(header::WARNING, warning.to_str().unwrap_or_default())
}

/// RFC 7234, section 5.5, as the distribution specification narrows it: `299 - "text"`.
pub(crate) fn warning(sentence: &str) -> HeaderValue {
    let mut text = String::from("299 - \"");
    for sign in sentence.chars().take(MAX_WARNING) {
        match sign {
            '"' | '\\' => text.extend(['\\', sign]),
            ' '..='~' => text.push(sign),
            '\n' | '\t' => text.push(' '),
            _ => text.push('?'),
        }
    }
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("299 - \"refused\""))
}

/// The key under which what concerns a manifest of a repository is remembered.
fn key(repository: &str, manifest: &str) -> String {
    [repository, "@", manifest].concat()
}

/// What of a manifest decides about the blobs it points to.
pub(crate) fn holders(manifests: Vec<StoredManifest>) -> Vec<(Digest, Kind)> {
    manifests.into_iter().map(|manifest| (manifest.digest, manifest.kind)).collect()
}
