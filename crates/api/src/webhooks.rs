//! Other systems that are told of what happens to images.
//!
//! | path | what |
//! |---|---|
//! | `GET`, `POST /api/v1/webhooks`; `DELETE /api/v1/webhooks/{name}` | [`Webhook`], [`NewWebhook`], [`Made`] |
//! | `POST /api/v1/webhooks/{name}/ping` | sends an event of the kind `ping`: [`Sent`] |
//! | `GET /api/v1/webhooks/{name}/deliveries?state=&limit=` | [`Delivery`] |
//! | `POST /api/v1/webhooks/{name}/deliveries/{id}/redeliver` | sends one again |
//!
//! An event is a `CloudEvents` 1.0 event in JSON, of the type `boltseal.registry.EVENT`, signed as Standard Webhooks has
//! it: `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What can be told, in the words of [`Webhook::events`].
pub const EVENTS: [(&str, &str); 7] = [
    ("push", "something was pushed, and may be pulled"),
    ("quarantine", "an image was pushed, and may not be pulled yet, or somebody held it back"),
    ("delete", "a manifest or a tag was deleted"),
    ("verdict", "an image was judged, and not as before"),
    ("import", "images were imported from another registry"),
    ("mirror", "a mirror came to its end"),
    ("quota", "nine tenths of a quota are used"),
];

/// Another system that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// What people call it: lower-case letters, digits and `-`.
    pub name: String,
    /// Where events are sent by POST.
    pub url: String,
    /// Which events; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// The repositories that it is about, with `*` for any text.
    #[serde(default = "everything")]
    pub repositories: String,
    /// Whether it may be at an address that is not of the Internet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_private: bool,
    /// Certificate authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// It is told nothing for now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
}

/// `POST /api/v1/webhooks`: adds one, or changes the one with its name.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewWebhook {
    /// What it shall be.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What events are signed with: `whsec_` and 24 to 64 bytes in base64. One that is known stays if none is given; a
    /// new webhook gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Zeroizing<String>>,
}

/// What was made.
#[derive(Clone, Serialize, Deserialize)]
pub struct Made {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// Its secret, where it was made here; it is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Zeroizing<String>>,
}

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its id, which is also `webhook-id`.
    pub id: String,
}

/// An event and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Unique; the same in every attempt.
    pub id: String,
    /// One of [`EVENTS`], or `ping`.
    pub event: String,
    /// `waiting`, `delivered`, or `dead`: it did not arrive within a day.
    pub state: String,
    /// When it was written.
    pub created: Timestamp,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u64,
    /// HTTP status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it arrived, or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What is sent.
    pub body: serde_json::Value,
}

fn everything() -> String {
    "*".to_owned()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
