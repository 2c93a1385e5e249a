//! Groups that are replaced by themselves, for a reason that stands in their file (`boltseal.rollout-on`).
//!
//! ```text
//! every hour: names of images ─registry─▶ another image? ─and a reason─▶ rollout of the same definition
//! ```
//!
//! What comes is what the names in the file mean by then, admitted like any other: an image that is not allowed is not rolled
//! out, and the old one serves on. So nothing happens until somebody has pushed an image that is better; a base alone that was
//! built again, or a finding alone, is what `boltseal outdated` and the server's notifications are for.
//!
//! What did not become ready is not tried again until its name means yet another image, or the agent is started anew.
//!
//! It must not know: how a group is replaced, how verdicts come about.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use boltseal_api::groups::{self as api, Strategy};
use boltseal_model::{Digest, Severity};
use boltseal_orchestrator::aci::Reason;

use super::{
    Engine, Error,
    engine::{Inner, lock},
    group::Group,
    rollout,
};

/// Images that a group was to be replaced by, and was not, by the group's name.
type Failed = BTreeMap<String, BTreeSet<Digest>>;

/// Why a group is replaced, and by which images.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    why: String,
    images: BTreeSet<Digest>,
}

/// Looks as often as this, for as long as the engine is there.
pub(super) async fn run(inner: Weak<Inner>, every: Duration) {
    let mut failed = Failed::new();
    loop {
        tokio::time::sleep(every).await;
        let Some(inner) = inner.upgrade() else { return };
        let engine = Engine::of(inner);
        for group in engine.with_reasons() {
            engine.renew(&group, &mut failed).await;
        }
    }
}

impl Engine {
    /// Groups that serve and have reasons to be replaced, all the time that they run.
    fn with_reasons(&self) -> Vec<Arc<Group>> {
        let wanted = |group: &&Arc<Group>| {
            !group.renewal.reasons.is_empty() && group.serves() && *group.kept_running.borrow()
        };
        lock(&self.0.groups).values().filter(wanted).cloned().collect()
    }

    async fn renew(&self, group: &Arc<Group>, failed: &mut Failed) {
        let (engine, of_group) = (self.clone(), Arc::clone(group));
        let handle = tokio::runtime::Handle::current();
        let looked = tokio::task::spawn_blocking(move || engine.due(&of_group, &handle)).await;
        let Ok(Some(due)) = looked else { return };
        if failed.get(&group.service) == Some(&due.images) {
            return;
        }
        let name = group.service.clone();
        match self.replace(group, due.why).await {
            Ok(None) => {
                failed.remove(&name);
            }
            Ok(Some(why)) => {
                tracing::warn!(group = name, why, "it was not replaced; the old one serves on");
                failed.insert(name, due.images);
            }
            Err(error) => {
                // Somebody rolls it out at this moment, or the image is not allowed: the latter may change.
                tracing::warn!(group = name, %error, "it was not replaced; the old one serves on");
            }
        }
    }

    /// Replaces a group by its own definition; gives why it was not.
    async fn replace(&self, group: &Arc<Group>, why: String) -> Result<Option<String>, Error> {
        let run = lock(&group.kept).run.clone();
        let strategy = if group.renewal.blue_green { Strategy::BlueGreen } else { Strategy::Rolling };
        let engine = self.clone();
        let name = group.service.clone();
        let written =
            tokio::task::spawn_blocking(move || engine.write("group.renew", &name, None, vec![("why", why)]));
        written.await.map_err(|_| Error::Stopping)??;
        let rolled = self.rollout(api::Rollout { run, strategy, ..api::Rollout::default() }).await?;
        Ok(rolled.failed)
    }

    /// Whether it is to be replaced now. Asks registries; for a thread that may wait.
    fn due(&self, group: &Arc<Group>, handle: &tokio::runtime::Handle) -> Option<Due> {
        let images = lock(&group.kept).images.clone();
        let aged: Vec<_> = images.iter().map(|image| self.aged(group, image, handle)).collect();
        let moved = aged.iter().filter_map(|one| Some((one.image.clone(), one.moved.clone()?)));
        let moved: Vec<(String, Digest)> = moved.collect();
        for why in aged.iter().flat_map(|one| &one.unknown) {
            tracing::warn!(group = group.name, why, "whether it has something newer is not wholly known");
        }
        if moved.is_empty() {
            return None;
        }
        let wanted = |reason| group.renewal.reasons.contains(&reason);
        let mut reasons = Vec::new();
        if wanted(Reason::Base) {
            let rebuilt = aged.iter().filter_map(|one| one.base.as_ref());
            reasons.extend(rebuilt.map(|base| format!("{} was built again", base.name)));
        }
        if wanted(Reason::Critical) {
            reasons.extend(self.critical(group, handle));
        }
        if reasons.is_empty() && !wanted(Reason::Image) {
            return None;
        }
        reasons.extend(moved.iter().map(|(name, digest)| format!("{name} is {digest} by now")));
        let images = moved.into_iter().map(|(_, digest)| digest).collect();
        Some(Due { why: reasons.join("; "), images })
    }

    /// What its containers have of critical vulnerabilities.
    fn critical(&self, group: &Group, handle: &tokio::runtime::Handle) -> Vec<String> {
        let own = format!("{}/", rollout::called(group));
        let found = self.findings(handle).containers.into_iter();
        let found = found.filter(|one| one.row.container.name.starts_with(&own));
        found
            .filter_map(|one| {
                let counted = one.row.findings?;
                let critical =
                    counted.into_iter().find(|one| one.severity == Severity::Critical && one.all > 0)?;
                let vulnerabilities = if critical.all == 1 { "vulnerability" } else { "vulnerabilities" };
                Some(format!("{} has {} critical {vulnerabilities}", one.row.container.name, critical.all))
            })
            .collect()
    }
}
