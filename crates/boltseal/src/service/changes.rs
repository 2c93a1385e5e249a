//! New feeds and new rules, while the service runs: noticed, taken over if they are good, and judged by.

use std::{path::PathBuf, sync::Arc, time::Duration};

use boltseal_flow::{
    endorsed::Endorsers,
    feeds::{Feeds, Stamp},
};
use boltseal_model::{SnapshotInfo, Timestamp};
use boltseal_registry::{FlowJudge, Registry};
use boltseal_scan::Snapshot;
use boltseal_server::{
    ActivePolicy, Recorder, approvals,
    policies::{AppliedError, Held, HeldError, applied, hold, newest_held, newest_version},
};
use boltseal_store::{Facts, Topic};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::exit::Failure;

use super::{
    Setup, log,
    policy_file::{Seen, all_seen, read},
};

/// How often the two files are looked at, so that what changes counts within a second. Two calls of stat(2) cost nothing.
const POLL: Duration = Duration::from_millis(500);

/// Watches the snapshot and the policy file.
#[derive(Debug)]
pub struct Changes {
    feeds: Feeds,
    seen_feeds: Option<Stamp>,
    policy: PathBuf,
    endorsers: Endorsers,
    seen_policy: Vec<Option<Seen>>,
    /// The file, as it was read, before anything was approved; or a newer one that another server read.
    read: ActivePolicy,
    /// The same for other servers.
    whole: Held,
    /// What another server has and cannot be used here, so that it is told once.
    unfit: Option<String>,
    /// Whether the file counts whatever is applied over the API.
    named: bool,
    /// What was applied last, as far as it could be read.
    applied: Option<ActivePolicy>,
}

/// What the dashboard is told.
#[derive(Debug)]
pub struct Told {
    /// The feeds in use.
    pub snapshot: watch::Sender<Option<Arc<SnapshotInfo>>>,
    /// The policy in use.
    pub policy: watch::Sender<Arc<ActivePolicy>>,
}

/// Where changes are seen, and written down.
#[derive(Debug)]
pub struct Watched {
    /// What people decided.
    pub facts: Facts,
    /// The log.
    pub recorder: Recorder,
}

impl Told {
    /// What is in use at the start.
    pub fn new(snapshot: Option<&Snapshot>, policy: ActivePolicy) -> Self {
        Self { snapshot: watch::Sender::new(info(snapshot)), policy: watch::Sender::new(Arc::new(policy)) }
    }
}

fn info(snapshot: Option<&Snapshot>) -> Option<Arc<SnapshotInfo>> {
    snapshot.map(|snapshot| Arc::new(snapshot.info().clone()))
}

impl Changes {
    /// Opens what there is. A policy that cannot be read stops the start; a snapshot that cannot does not: images
    /// are then refused as undecided until there is a good one.
    pub fn open(setup: &Setup) -> Result<(Self, Option<Arc<Snapshot>>), Failure> {
        let feeds = Feeds::at(&setup.data);
        let seen_feeds = feeds.stamp();
        let snapshot = feeds.open().unwrap_or_else(|error| {
            tracing::error!(%error, "feeds cannot be used");
            None
        });
        if snapshot.is_none() {
            tracing::warn!(
                "there is no vulnerability data: run `boltseal feeds update`, or `boltseal feeds import`"
            );
        }
        let endorsers = setup.endorsers.clone();
        let (policy, whole) = read(&setup.policy, &endorsers).map_err(Failure::usage)?;
        let this = Self {
            feeds,
            seen_feeds,
            seen_policy: all_seen(&setup.policy, &policy.policy),
            policy: setup.policy.clone(),
            endorsers,
            read: policy,
            whole,
            unfit: None,
            named: setup.policy_named,
            applied: None,
        };
        Ok((this, snapshot.map(Arc::new)))
    }

    /// The policy in force at the start. With `rollback` the file may be older than one that was; then also why it is.
    pub async fn begin(
        &mut self,
        facts: &Facts,
        rollback: bool,
    ) -> Result<(ActivePolicy, Option<String>), Failure> {
        let older = self.hold(facts, rollback).await.map_err(old)?;
        Ok((self.in_force(facts).await.map_err(unfit)?, older))
    }

    /// Holds the file against the newest one that was in force, where it has to be signed and counts.
    async fn hold(&self, facts: &Facts, rollback: bool) -> Result<Option<String>, HeldError> {
        if !self.counts_signed(facts).await? {
            return Ok(None);
        }
        hold(facts, &self.read, &self.whole, Timestamp::now(), rollback).await
    }

    /// Whether it is a file that counts, and has to be signed.
    async fn counts_signed(&self, facts: &Facts) -> Result<bool, HeldError> {
        Ok(self.endorsers.ask() && (self.named || newest_version(facts).await?.is_none()))
    }

    /// Takes over what another server read, where that counts; says whether it did.
    async fn policy_elsewhere(&mut self, facts: &Facts) -> bool {
        let found = match self.counts_signed(facts).await {
            Ok(true) => newest_held(facts, &self.endorsers, &self.read).await,
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Ok(None) => false,
            Ok(Some(newer)) => {
                tracing::warn!(
                    file = %self.policy.display(),
                    "the policy file is not what counts: another server has put another one in force, which is taken over"
                );
                (self.read, self.unfit) = (newer, None);
                self.looked();
                true
            }
            Err(error) => {
                let told = error.to_string();
                if self.unfit.as_ref() != Some(&told) {
                    tracing::error!(%error, "the policy stays as it was");
                    self.unfit = Some(told);
                }
                false
            }
        }
    }

    /// Whose changes are looked for: the file and its signature as they were seen, and what the policy in use names.
    fn looked(&mut self) {
        let mut seen = all_seen(&self.policy, &self.read.policy);
        // Of the two, what was seen before they were read counts.
        seen.splice(..2, self.seen_policy.iter().take(2).copied());
        self.seen_policy = seen;
    }

    /// The policy in force: what was applied last, else what was read; with what was approved by now.
    async fn in_force(&mut self, facts: &Facts) -> Result<ActivePolicy, AppliedError> {
        if !self.named && newest_version(facts).await? != self.applied.as_ref().and_then(|one| one.version) {
            self.applied = applied(facts, &self.endorsers).await?;
        }
        let base = self.applied.as_ref().unwrap_or(&self.read).clone();
        Ok(ActivePolicy { policy: base.policy.with_approvals(&approvals(facts).await?), ..base })
    }

    /// Takes over what changes, for ever. What is broken is left where it is, and what was good stays in use.
    pub async fn watch(&mut self, judge: &FlowJudge, registry: &Registry, told: &Told, by: &Watched) {
        let Watched { facts, recorder } = by;
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut following = facts.following();
        let mut look = tokio::time::interval(POLL);
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let files = tokio::select! {
                _ = asked => Some(true),
                _ = look.tick() => Some(false),
                topic = following.next() => match topic {
                    // Somebody approved an exception, or took that back, here or at another server.
                    Topic::Settings | Topic::Everything => None,
                    _ => continue,
                },
            };
            let (feeds, policy) = (told.snapshot.borrow().clone(), told.policy.borrow().clone());
            let fresh_feeds = files.is_some_and(|forced| self.feeds_changed(forced, judge, told));
            let here = match files {
                Some(forced) => self.policy_changed(forced, facts).await,
                None => false,
            };
            let read = self.policy_elsewhere(facts).await || here;
            let fresh_policy = (read || files.is_none()) && self.take_over(facts, judge, told).await;
            let mut records = Vec::new();
            if fresh_feeds && let Some(info) = told.snapshot.borrow().as_ref() {
                records.push(log::feeds(info, feeds.as_ref().map(|feeds| feeds.id.as_str())));
            }
            // What was applied or approved is recorded where it was.
            if fresh_policy && read && told.policy.borrow().version.is_none() {
                records.push(log::policy(&told.policy.borrow(), &policy));
            }
            for record in &records {
                if let Err(error) = recorder.note(record).await {
                    tracing::error!(%error, "a change could not be recorded");
                }
            }
            let why = match (fresh_feeds, fresh_policy) {
                (false, false) => continue,
                (true, false) => "new feeds",
                (false, true) => "new policy",
                (true, true) => "new feeds and policy",
            };
            if let Err(error) = registry.rejudge(why).await {
                tracing::error!(%error, "judging again after a change");
            }
        }
    }

    /// Judges by what is in force now from here on; says whether that is another policy.
    async fn take_over(&mut self, facts: &Facts, judge: &FlowJudge, told: &Told) -> bool {
        let active = match self.in_force(facts).await {
            Ok(active) => active,
            Err(error) => {
                tracing::error!(%error, "what was applied or approved cannot be used; the policy stays as it was");
                return false;
            }
        };
        if told.policy.borrow().policy.digest() == active.policy.digest() {
            return false;
        }
        tracing::info!(policy = active.policy.name(), digest = %active.policy.digest(), "policy in use");
        judge.use_policy(Arc::new(active.policy.clone()));
        told.policy.send_replace(Arc::new(active));
        true
    }

    fn feeds_changed(&mut self, forced: bool, judge: &FlowJudge, told: &Told) -> bool {
        let stamp = self.feeds.stamp();
        if stamp == self.seen_feeds && !forced {
            return false;
        }
        self.seen_feeds = stamp;
        match self.feeds.open() {
            Ok(Some(snapshot)) => {
                let fresh = info(Some(&snapshot));
                let same = told.snapshot.borrow().as_ref().map(|old| old.id.clone())
                    == fresh.as_ref().map(|new| new.id.clone());
                tracing::info!(
                    snapshot = snapshot.info().id,
                    feeds = snapshot.info().feeds.len(),
                    "feeds in use"
                );
                judge.use_snapshot(Some(Arc::new(snapshot)));
                told.snapshot.send_replace(fresh);
                !same
            }
            Ok(None) => false,
            Err(error) => {
                tracing::error!(%error, "the new feeds cannot be used; the old ones stay in use");
                false
            }
        }
    }

    /// Reads the policy again where its files changed; says whether it did.
    async fn policy_changed(&mut self, forced: bool, facts: &Facts) -> bool {
        let now = all_seen(&self.policy, &self.read.policy);
        if now == self.seen_policy && !forced {
            return false;
        }
        self.seen_policy = now;
        match read(&self.policy, &self.endorsers) {
            Ok((fresh, whole)) => {
                let before =
                    (std::mem::replace(&mut self.read, fresh), std::mem::replace(&mut self.whole, whole));
                // It may name other files than the one before.
                self.looked();
                if let Err(error) = self.hold(facts, false).await {
                    (self.read, self.whole) = before;
                    self.looked();
                    tracing::error!(%error, "the policy before stays in use; {AGAIN}");
                    return false;
                }
                if self.applied.is_some() {
                    tracing::warn!(
                        "the policy file is not what counts: one was applied. To go by the file, start with --policy"
                    );
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "the new policy cannot be used; the old one stays in use");
                false
            }
        }
    }
}

/// Why a server does not start with what was applied.
fn unfit(error: AppliedError) -> Failure {
    match error {
        AppliedError::Store(error) => Failure::fault(error),
        AppliedError::Unfit { .. } => Failure::usage(error)
            .next("name the keys of whoever signed it (--policy-signed-by), or start with --policy FILE"),
    }
}

/// What to do about a policy that is older than one that was in force.
const AGAIN: &str =
    "count `revision` up and sign it again (`boltseal policy sign`), or start once with --policy-rollback";

/// Why a server does not start with the policy in its file.
fn old(error: HeldError) -> Failure {
    match error {
        HeldError::Store(error) => Failure::fault(error),
        HeldError::Older { .. } => Failure::usage(error).next(AGAIN),
        HeldError::Busy | HeldError::Unfit { .. } => Failure::undecided(error),
    }
}
