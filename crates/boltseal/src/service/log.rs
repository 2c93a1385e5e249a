//! The log of what is done, as the service keeps it: opening it, and what the service itself records.

use std::path::Path;

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome, Severity, Source, Subject, Why},
};
use boltseal_model::{SnapshotInfo, Timestamp};
use boltseal_scan::Snapshot;
use boltseal_server::{ActivePolicy, Recorder, recorder};
use boltseal_store::Facts;
use tokio::{sync::oneshot, task::JoinHandle};

use super::Setup;
use crate::exit::Failure;

/// Opens the log and holds it against what is known of it. The name of a new one comes from the certificate's names.
pub async fn open(setup: &Setup, keys: &Path, facts: &Facts) -> Result<Recorder, Failure> {
    let host = setup.names.first().map_or("boltseal.local", String::as_str);
    let config = recorder::Config {
        data: setup.data.clone(),
        keys: keys.to_owned(),
        origin: format!("{host}/audit"),
        anchors: setup.log.anchors.clone(),
        accept_restored: setup.log.accept_restored.clone(),
    };
    Recorder::open(config, facts).await.map_err(Failure::fault)
}

/// The task that seals what is recorded.
#[derive(Debug)]
pub struct Sealing {
    enough: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Sealing {
    /// Seals until told to end.
    pub fn start(recorder: &Recorder) -> Self {
        let (enough, no_more) = oneshot::channel();
        let recorder = recorder.clone();
        let task = tokio::spawn(async move {
            let told = async { drop(no_more.await) };
            recorder.run(told).await;
        });
        Self { enough, task }
    }

    /// Records the stop and seals what is left. Everything that was recorded is durable whether this ends or not.
    pub async fn end(self, recorder: &Recorder) {
        if let Err(error) = recorder.note(&stopped()).await {
            tracing::error!(%error, "the stop could not be recorded");
        }
        drop(self.enough);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sealing ended unexpectedly");
        }
    }
}

/// The start of the service, with what it judges by; `older` says why its policy is older than one that was in force.
pub fn started(
    setup: &Setup,
    policy: &ActivePolicy,
    older: Option<&str>,
    snapshot: Option<&Snapshot>,
) -> Record {
    let mut record = own(Activity::Start, "Boltseal/start/action", "/")
        .detail("version", env!("CARGO_PKG_VERSION"))
        .detail("listen", setup.listen.to_string())
        .detail("registry_listen", setup.registry_listen.to_string())
        .detail("policy", policy.policy.digest().to_string());
    if let Some(why) = older {
        record = record
            .severity(Severity::High)
            .status(format!("an older policy file was put in force: {why}"))
            .detail("policy_rollback", why.to_owned());
    }
    match snapshot {
        Some(snapshot) => record.detail("snapshot", snapshot.info().id.clone()),
        None => record,
    }
}

/// Its end.
fn stopped() -> Record {
    own(Activity::Stop, "Boltseal/stop/action", "/").why(Why::rule("a signal"))
}

/// Other feeds are in use.
pub fn feeds(info: &SnapshotInfo, before: Option<&str>) -> Record {
    let record = own(Activity::Update, "Boltseal/feeds/write", "/feeds")
        .named(info.id.clone())
        .detail("feeds", info.feeds.len());
    match before {
        Some(before) => record.detail("before", before),
        None => record,
    }
}

/// Another policy is in use.
pub fn policy(active: &ActivePolicy, before: &ActivePolicy) -> Record {
    own(Activity::Update, "Boltseal/policies/write", "/policies")
        .named(active.policy.name())
        .digest(active.policy.digest())
        .detail("before", before.policy.digest().to_string())
        .detail("text", active.text.clone())
}

/// A file on the server's own disk was changed by whoever may; the operating system knows who that was.
fn own(activity: Activity, action: &str, scope: &str) -> Record {
    Record::new(Timestamp::now(), activity, action)
        .actor(Actor::system())
        .source(Source::local())
        .subject(Subject::new(scope))
        .outcome(Outcome::Success)
        .why(Why::rule("a change of the server's own files"))
}
