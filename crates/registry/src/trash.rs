//! Deleted images go for good when their time in the trash is over.

use std::time::Duration;

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome, Source, Subject, Why},
};
use boltseal_identity::{Action, Scope};
use boltseal_model::Timestamp;
use boltseal_store::Trashed;

use crate::{Error, Registry};

/// How often somebody looks. What is over stays so much longer at most.
const LOOK: Duration = Duration::from_mins(10);
/// Deleted images read in one go.
const BATCH: u64 = 100;

impl Registry {
    /// Empties the trash of what is over, for ever. Several servers may: each deletion is found once.
    pub(crate) async fn empty_trash(self) {
        loop {
            if let Err(error) = self.purge_over().await {
                tracing::error!(%error, "emptying the trash");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn purge_over(&self) -> Result<(), Error> {
        let facts = &self.0.facts;
        facts.look_at_clock().await?;
        let days = u64::from(facts.trash_days().await?);
        let now = facts.now_for(Duration::from_secs(days.saturating_mul(86_400)));
        facts.forget_removed_tags(now).await?;
        loop {
            let over = facts.trash_over(now, BATCH).await?;
            if over.is_empty() {
                return Ok(());
            }
            for trashed in over {
                let facts = facts.recording(vec![self.purged(&trashed, now).entry()]);
                facts.purge(vec![(trashed.repository, trashed.digest)], now).await?;
            }
        }
    }

    fn purged(&self, trashed: &Trashed, now: Timestamp) -> Record {
        let scope = Scope::repository(self.name(), &trashed.repository).unwrap_or_else(|_| Scope::root());
        Record::new(now, Activity::Delete, Action::ContentDelete.name())
            .actor(Actor::system())
            .source(Source::local())
            .subject(Subject::new(scope.as_str()).digest(trashed.digest.clone()))
            .outcome(Outcome::Success)
            .why(Why::rule("the time in the trash was over"))
            .status(format!("deleted for good; it went into the trash at {}", trashed.deleted))
    }
}
