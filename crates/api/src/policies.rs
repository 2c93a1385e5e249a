//! Policies that were put in force on a server, one after the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /api/v1/policy/versions`, answered with the [`Version`]: puts a policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    /// The policy, in YAML.
    pub text: String,
    /// Texts of the files that it names, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Its signature: a bundle of `boltseal policy sign`, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// Also where it is older than the one in force, which needs an action of its own.
    #[serde(default)]
    pub rollback: bool,
}

/// A policy that was put in force. `GET /api/v1/policy/versions` lists them, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number on this server, from 1.
    pub version: u64,
    /// As the policy calls itself.
    pub name: String,
    /// Of its text and the files that it names.
    pub digest: String,
    /// As its author counts, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Whose signature it has, by the file of their key, where the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// When it was signed, as its signature says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Who put it in force.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why it is older than what was in force before, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
}

/// `GET /api/v1/policy/versions/{version}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// What is known of it.
    #[serde(flatten)]
    pub version: Version,
    /// The policy, in YAML.
    pub text: String,
    /// Texts of the files that it names, by their names.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Its signature, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
}
