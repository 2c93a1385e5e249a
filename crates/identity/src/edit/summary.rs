//! What the audit log says about an edit: before and after, without anything secret.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Credentials, Principal};

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
    /// How it was. Of credentials, there are only numbers and thumbprints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// How it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A fact as it may be told. One that cannot be written is told as nothing, and then the edit fails, too.
pub(super) fn told(fact: &impl Serialize) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

/// A principal with the outline of its credentials.
pub(super) fn told_principal(principal: &Principal) -> Value {
    // Taken out before anything is written, so that no hash of a secret is on the way at all.
    let mut told = told(&Principal { credentials: Credentials::default(), ..principal.clone() });
    if let Some(fields) = told.as_object_mut() {
        fields.insert("credentials".to_owned(), outline(&principal.credentials));
    }
    told
}

fn outline(credentials: &Credentials) -> Value {
    let secrets = credentials.secrets.iter();
    let certificates = credentials.certificates.iter();
    json!({
        "password": credentials.password.is_some(),
        "totp": credentials.totp.is_some(),
        "recovery": credentials.recovery.len(),
        "secrets": secrets.map(|one| json!({ "id": one.id(), "expires": one.expires() })).collect::<Vec<_>>(),
        "certificates": certificates.map(|one| hex::encode(one.thumbprint())).collect::<Vec<_>>(),
    })
}
