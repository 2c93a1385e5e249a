//! How the webhooks of Kubernetes answer: `GET|PUT /api/v1/settings/admission`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the webhooks do, everywhere and in single namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionSetting {
    /// What becomes of an image whose verdict is not known here, and of a review that cannot be answered in time.
    pub unknown: OnUnknown,
    /// Whether refusals refuse.
    pub mode: Mode,
    /// The level of the Pod Security Standards that pods are held to: `privileged`, `baseline`, `restricted`.
    pub level: String,
    /// The version of Kubernetes whose standards they are: `v1.31`, `latest`.
    pub version: String,
    /// Names under which clusters know this registry, besides the one it knows itself: `registry.example.com`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
    /// How to ask for an exception; stands in every refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<String>,
    /// What of the answers is in the log.
    pub log: Logged,
    /// What is different in single namespaces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, NamespaceSetting>,
}

/// What is different in one namespace; what is not said holds as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceSetting {
    /// See [`AdmissionSetting::unknown`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<OnUnknown>,
    /// See [`AdmissionSetting::mode`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// See [`AdmissionSetting::level`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

/// What of the answers is in the log. Repeated ones are counted, and there is a limit of those that stand alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Logged {
    /// What was refused, or would have been.
    Refused,
    /// That, and how many were let in, by namespace.
    #[default]
    Counts,
    /// Every answer.
    All,
}

/// That somebody made a cluster ask this server, or no longer ask it: `POST /api/v1/clusters/{name}/webhook`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switched {
    /// What it does from now on.
    pub state: Switch,
    /// When it was switched.
    pub at: Timestamp,
    /// Who did it, by the name that the cluster's own configuration has for them.
    pub user: String,
    /// Why; must be there unless it was switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a cluster does before something runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It asks this server.
    On,
    /// It asks nobody, and says so.
    Off,
    /// Its configurations are gone.
    Removed,
}

/// What becomes of something that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It does not run.
    #[default]
    Deny,
    /// It runs, and whoever asked is told.
    Warn,
    /// It runs.
    Allow,
}

/// Whether refusals refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They warn.
    Warn,
}

impl Default for AdmissionSetting {
    /// Closed: what is not known does not run. Pods are left to the API server's own Pod Security admission, which
    /// namespaces ask for by label.
    fn default() -> Self {
        Self {
            unknown: OnUnknown::Deny,
            mode: Mode::Enforce,
            level: "privileged".to_owned(),
            version: "latest".to_owned(),
            registries: Vec::new(),
            exceptions: None,
            log: Logged::default(),
            namespaces: BTreeMap::new(),
        }
    }
}
