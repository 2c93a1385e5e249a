//! What the binary hands in.

use std::sync::Arc;

use boltseal_model::{SnapshotInfo, Timestamp};
use boltseal_policy::Policy;
use boltseal_store::Facts;
use tokio::sync::watch;

use crate::{
    Access, Exchange, Recorder,
    admission::{AdmissionLog, LastSetting},
    policies::PolicySource,
    session::LastUse,
};

/// Everything the dashboard and the API read. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// Images, findings, verdicts.
    pub facts: Facts,
    /// The feeds in use; `None` until some are imported.
    pub snapshot: watch::Receiver<Option<Arc<SnapshotInfo>>>,
    /// The policy in use.
    pub policy: watch::Receiver<Arc<ActivePolicy>>,
    /// How the policy is chosen, and whose signatures it needs.
    pub policies: Arc<PolicySource>,
    /// Who may come in, what they may do, and changes of that.
    pub access: Access,
    /// The log of what was done.
    pub recorder: Recorder,
    /// What the log gives to other systems and takes from them.
    pub exchange: Exchange,
    /// When each session was used last.
    pub last_use: Arc<LastUse>,
    /// How the webhooks of Kubernetes answer, as it was read last.
    pub admission: Arc<LastSetting>,
    /// What API servers were answered lately.
    pub admission_log: Arc<AdmissionLog>,
    /// What this installation is called.
    pub site: Arc<Site>,
    /// The clock, so that tests can hold it still.
    pub now: fn() -> Timestamp,
}

/// The policy that judges, and the text it was read from.
#[derive(Clone, Debug)]
pub struct ActivePolicy {
    /// Ready to judge with.
    pub policy: Policy,
    /// As its author wrote it.
    pub text: String,
    /// Its number, where it was applied over the API; without one it is from a file, or built in.
    pub version: Option<u64>,
    /// When it was signed, where it had to be.
    pub signed_at: Option<Timestamp>,
}

impl ActivePolicy {
    /// One that nobody applied and nobody had to sign.
    pub const fn of_file(policy: Policy, text: String) -> Self {
        Self { policy, text, version: None, signed_at: None }
    }
}

/// What this installation is called, as seen by the people who use it.
#[derive(Clone, Debug)]
pub struct Site {
    /// Of the binary.
    pub version: String,
    /// What to write before a repository name to push and pull: `127.0.0.1:5000`.
    pub registry: String,
    /// Whether people reach it over TLS. Without it cookies lose `Secure` and `__Host-`: loopback previews only.
    pub tls: bool,
}
