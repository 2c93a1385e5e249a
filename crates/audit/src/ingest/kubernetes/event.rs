//! An audit.k8s.io/v1 `Event`, as far as a record wants it. Request and response bodies are passed over unread.

use std::collections::BTreeMap;

use boltseal_model::Timestamp;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default, rename = "auditID")]
    pub(super) audit_id: String,
    #[serde(default)]
    pub(super) stage: String,
    #[serde(default, rename = "requestURI")]
    pub(super) request_uri: String,
    #[serde(default)]
    pub(super) verb: String,
    #[serde(default)]
    pub(super) user: User,
    pub(super) impersonated_user: Option<User>,
    #[serde(default, rename = "sourceIPs", deserialize_with = "list")]
    pub(super) source_ips: Vec<String>,
    #[serde(default)]
    pub(super) user_agent: String,
    pub(super) object_ref: Option<ObjectReference>,
    pub(super) response_status: Option<ResponseStatus>,
    pub(super) request_received_timestamp: Option<Timestamp>,
    pub(super) stage_timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "map")]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub(super) username: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default, deserialize_with = "list")]
    pub(super) groups: Vec<String>,
    #[serde(default, deserialize_with = "map")]
    pub(super) extra: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectReference {
    #[serde(default)]
    pub(super) resource: String,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) api_group: String,
    #[serde(default)]
    pub(super) subresource: String,
}

#[derive(Deserialize)]
pub(super) struct ResponseStatus {
    #[serde(default)]
    pub(super) code: u32,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) message: String,
}

impl Event {
    /// What the authorizer noted: its `decision` or `reason`.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(&format!("authorization.k8s.io/{name}")).map(String::as_str)
    }
}

/// Go writes an empty list as `null`.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn map<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
