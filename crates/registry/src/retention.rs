//! Deleting by rules: as a job, every day and whenever somebody asks.
//!
//! What goes and why is decided by [`boltseal_flow::retention`] from what a repository has; here it is done, one
//! repository after the other, in the way in which people delete: locks hold, the trash keeps what it keeps, and each
//! image is a record in the log. A run that is interrupted goes on at the repository where it was.

use std::{collections::HashMap, sync::Arc, time::Duration};

use boltseal_api::retention::{NewRun, Rule};
use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome, Source, Subject, Why},
};
use boltseal_flow::retention::{Going, Image, covers, plan};
use boltseal_identity::{Action, Scope};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Error as StoreError, Job, KeptManifest, Progress};

use crate::{
    Registry,
    work::{Ended, Reporter, Running},
};

/// As in the facts.
pub(crate) const KIND: &str = "retention";
/// The kind of the documents that hold rules.
const RULES: &str = "registry.retention";
/// Repositories read at a time.
const PAGE: u64 = 500;
/// Manifests of one repository that are planned for: some hundred bytes each. Of larger ones nothing is deleted, and
/// that is said.
const MAX_MANIFESTS: u64 = 500_000;
/// Deletions between two looks at whether to go on.
const ROUND: usize = 50;
/// How often it is looked whether a run is due.
const LOOK: Duration = Duration::from_mins(10);
/// Seconds between two runs by themselves.
const EVERY: i64 = 86_400;
/// Jumps of the clock within this time do not make images older: longer than most rules reach back.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// What a run did so far.
#[derive(Default)]
struct Sum {
    repositories: u64,
    deleted: u64,
    refused: u64,
    too_large: u64,
}

/// The function of this kind of work.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        match registry.retain(&job, &reporter).await {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(error.to_string()),
        }
    })
}

impl Registry {
    /// Asks for a run every day where there are rules, and forgets pulls of long ago. For ever.
    pub(crate) async fn retain_daily(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.retain_if_due().await {
                tracing::error!(%error, "asking for images to be deleted by rules");
            }
        }
    }

    async fn retain_if_due(&self) -> Result<(), StoreError> {
        let (facts, now) = (&self.0.facts, Timestamp::now());
        let last = facts.jobs(Some(KIND), 1).await?.into_iter().next();
        let due = last.is_none_or(|job| now.as_second() - job.requested.as_second() >= EVERY);
        if !due {
            return Ok(());
        }
        facts.forget_old_pulls(now).await?;
        facts.look_at_clock().await?;
        let rules = self.rules(&NewRun::default()).await?;
        if rules.iter().any(|rule| rule.deletes() && !rule.disabled) {
            facts.request_job(KIND, "{}", "schedule").await?;
        }
        Ok(())
    }

    /// All rules; where only one is to delete, the others only keep.
    async fn rules(&self, asked: &NewRun) -> Result<Vec<Rule>, StoreError> {
        let documents = self.0.facts.documents_of(RULES).await?;
        let mut rules = Vec::with_capacity(documents.len());
        for document in documents {
            let body = document.body.unwrap_or_default();
            let read = serde_json::from_str::<Rule>(&body);
            let mut rule = read.map_err(|error| StoreError::Corrupt {
                what: "documents.registry.retention",
                detail: format!("{}: {error}", document.id),
            })?;
            rule.disabled |= asked.rule.as_ref().is_some_and(|only| *only != rule.name);
            rules.push(rule);
        }
        Ok(rules)
    }

    async fn retain(&self, job: &Job, reporter: &Reporter) -> Result<Ended, StoreError> {
        let facts = &self.0.facts;
        let asked: NewRun = serde_json::from_str(&job.spec).unwrap_or_default();
        let rules = self.rules(&asked).await?;
        let total = facts.totals().await?.repositories;
        let (mut sum, mut last) = (Sum::default(), job.resume.clone().unwrap_or_default());
        sum.repositories = job.done;
        loop {
            let page = facts.repositories(&last, PAGE).await?;
            if page.is_empty() {
                return Ok(Ended::Done(sum.sentence()));
            }
            for repository in page {
                let those: Vec<&Rule> = rules.iter().filter(|rule| covers(rule, &repository)).collect();
                let goes_on = self.retain_in(&repository, &those, job, reporter, &mut sum).await?;
                if !goes_on {
                    return Ok(Ended::Stopped(sum.sentence()));
                }
                sum.repositories += 1;
                let resume = Some(repository.clone());
                let message = Some(sum.sentence());
                let progress = Progress { done: sum.repositories, total, resume, message };
                // A look costs a transaction, so what was not touched is passed over.
                if !those.is_empty() && !reporter.report(progress).await {
                    return Ok(Ended::Stopped(sum.sentence()));
                }
                last = repository;
            }
        }
    }

    /// Deletes what goes of one repository. False once the job was told to stop.
    async fn retain_in(
        &self,
        repository: &str,
        rules: &[&Rule],
        job: &Job,
        reporter: &Reporter,
        sum: &mut Sum,
    ) -> Result<bool, StoreError> {
        if !rules.iter().any(|rule| rule.deletes() && !rule.disabled) {
            return Ok(true);
        }
        let there = self.0.facts.kept_manifests(repository, MAX_MANIFESTS).await?;
        if there.len() as u64 >= MAX_MANIFESTS {
            tracing::warn!(repository, "too many manifests for rules about deleting");
            sum.too_large += 1;
            return Ok(true);
        }
        let images: Vec<Image> = there.iter().map(image).collect();
        let by_digest: HashMap<&Digest, &KeptManifest> =
            there.iter().map(|kept| (&kept.digest, kept)).collect();
        let going = plan(&images, rules, self.0.facts.now_for(YEAR));
        let mut goes_on = true;
        for round in going.chunks(ROUND) {
            for one in round {
                let Some(kept) = by_digest.get(&one.digest) else { continue };
                self.remove(repository, kept, one, job, sum).await?;
            }
            goes_on = reporter.renew().await;
            if !goes_on {
                break;
            }
        }
        if !going.is_empty() {
            self.0.deleted();
        }
        Ok(goes_on)
    }

    async fn remove(
        &self,
        repository: &str,
        kept: &KeptManifest,
        going: &Going,
        job: &Job,
        sum: &mut Sum,
    ) -> Result<(), StoreError> {
        let facts = &self.0.facts;
        // Pushed, pulled or named since the plan was made: the next plan sees it.
        if !facts.is_as_kept(repository, kept).await? {
            return Ok(());
        }
        let scope = Scope::repository(self.name(), repository).map(|scope| scope.as_str().to_owned());
        let mut record = Record::new(Timestamp::now(), Activity::Delete, Action::ContentDelete.name())
            .actor(Actor::system())
            .source(Source::local())
            .subject(Subject::new(scope.unwrap_or_default()).digest(kept.digest.clone()))
            .outcome(Outcome::Success)
            .status(going.why.clone())
            .why(Why::rule(format!("retention {}", going.rule)))
            .detail("asked_by", job.by.clone());
        if !kept.tags.is_empty() {
            record = record.named(kept.tags.join(","));
        }
        let by = format!("retention {}", going.rule);
        let removed =
            facts.recording(vec![record.entry()]).remove_manifest_by(&by, repository, &kept.digest).await;
        match removed {
            Ok(removed) => {
                sum.deleted += u64::from(removed);
                // What somebody decided about it goes with it, as when people delete.
                if facts.quarantine(repository, &kept.digest).await?.is_some() {
                    facts.set_quarantine(repository, &kept.digest, None).await?;
                }
            }
            Err(StoreError::Refused(why)) => {
                tracing::debug!(repository, digest = %kept.digest, %why, "stays");
                sum.refused += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Sum {
    fn sentence(&self) -> String {
        let mut text = format!("{} deleted in {} repositories", self.deleted, self.repositories);
        if self.refused > 0 {
            text.extend([", ", &self.refused.to_string(), " stay because they are locked"]);
        }
        if self.too_large > 0 {
            text.extend([", ", &self.too_large.to_string(), " repositories too large to look at"]);
        }
        text
    }
}

fn image(kept: &KeptManifest) -> Image {
    Image {
        digest: kept.digest.clone(),
        tags: kept.tags.clone(),
        pushed: kept.pushed,
        pulled: kept.pulled,
        denied: kept.denied,
        subject: kept.subject.clone(),
        children: kept.children.clone(),
        locked: kept.locked,
    }
}
