//! What the audit log says about an edit: before and after, without anything secret.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Principal, federated::Federated};

/// What was edited, and how it was and is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// What was done, such as `principal.create`.
    pub verb: &'static str,
    /// The kind of what was edited, such as `principal`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// How it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// How it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A fact as it may be told. A fact that cannot be written is told as nothing, and the edit fails elsewhere.
pub(super) fn told(fact: &impl Serialize) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

/// A principal without its credentials.
pub(super) fn told_principal(principal: &Principal) -> Value {
    let mut told = told(principal);
    if let Some(fields) = told.as_object_mut() {
        fields.remove("credentials");
    }
    told
}

/// A federation, which has nothing secret.
pub(super) fn told_federation(federated: &Federated) -> Value {
    serde_json::from_str(&federated.body).unwrap_or_else(|_| json!({ "principal": federated.principal }))
}
