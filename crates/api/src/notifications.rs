//! Rules about who is told of what became newly vulnerable.
//!
//! | path | what |
//! |---|---|
//! | `GET`, `POST /api/v1/notifications`; `DELETE /api/v1/notifications/{name}` | [`RuleStatus`], [`NewRule`], [`Made`] |
//! | `POST /api/v1/notifications/{name}/test` | sends a sample: [`Sent`](crate::webhooks::Sent) |
//! | `GET /api/v1/notifications/{name}/deliveries?state=&limit=` | [`Delivery`](crate::webhooks::Delivery) |
//! | `POST /api/v1/notifications/{name}/deliveries/{id}/redeliver` | sends one again |
//!
//! A rule tells of a finding when it meets all conditions and did not before: when it is new, or when it has become so
//! bad or fixable; and when it meets them and has become known to be exploited.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::webhooks::Delivery;

/// Seconds without a change before a message is made, when nobody says otherwise: a feed update is one message.
pub const SETTLE: u64 = 30;
/// Least seconds between two messages, when nobody says otherwise.
pub const EVERY: u64 = 600;
/// Lines of a message, when nobody says otherwise.
pub const LINES: u32 = 20;

/// Who is told of what.
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of its own, or the switch")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What people call it: lower-case letters, digits and `-`.
    pub name: String,
    /// Only findings that are at least so severe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Only findings that are known to be exploited.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exploited: bool,
    /// Only findings with at least this EPSS score, in tenths: 0.1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// Only findings that have a fix.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fixable: bool,
    /// Only images in repositories that match, with `*` for any text.
    #[serde(default = "everything")]
    pub repositories: String,
    /// Only images that have a tag there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tagged: bool,
    /// Only images that were pulled from there within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_within_days: Option<u32>,
    /// Seconds without a change before a message is made.
    #[serde(default = "settle")]
    pub settle: u64,
    /// Least seconds between two messages.
    #[serde(default = "every")]
    pub every: u64,
    /// Lines of a message; what is beyond is counted.
    #[serde(default = "lines")]
    pub lines: u32,
    /// Address of the dashboard as readers reach it, for links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
    /// Who is told, and how.
    pub to: Target,
    /// Nobody is told for now. What happens meanwhile is not told later.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
}

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Target {
    /// A program: `CloudEvents` 1.0 in JSON, signed as those of [webhooks](crate::webhooks). The secret signs.
    Webhook {
        /// Where events are sent by POST.
        url: String,
        /// How it is reached.
        #[serde(flatten)]
        reach: Reach,
    },
    /// A Slack channel, or what takes the same messages. The secret is the address of its incoming webhook.
    Slack {
        /// Of that address, without the rest. Nobody has to give it.
        #[serde(default)]
        host: String,
        /// How it is reached.
        #[serde(flatten)]
        reach: Reach,
    },
    /// A Teams channel or chat: an Adaptive Card for a workflow. The secret is the address of the workflow's trigger.
    Teams {
        /// Of that address, without the rest. Nobody has to give it.
        #[serde(default)]
        host: String,
        /// How it is reached.
        #[serde(flatten)]
        reach: Reach,
    },
    /// People by mail. The secret is the password.
    Email {
        /// Of the mail server.
        host: String,
        /// 465 for `tls`, 587 for `starttls`, 25 for `none`, when nobody says otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Whether and when TLS begins.
        #[serde(default)]
        tls: Tls,
        /// Whom to sign in as there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Whom the mail is from: `boltseal@example.com`, or `Boltseal <boltseal@example.com>`.
        from: String,
        /// Whom it is to.
        to: Vec<String>,
        /// How it is reached.
        #[serde(flatten)]
        reach: Reach,
    },
}

/// How somebody is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Whether they may be at an address that is not of the Internet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_private: bool,
    /// Certificate authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// When TLS begins with a mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// With the connection.
    Tls,
    /// When the server has said that it can; one that cannot gets no mail.
    #[default]
    Starttls,
    /// Never. Nobody signs in then.
    None,
}

impl Target {
    /// The kind, in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Teams { .. } => "teams",
            Self::Email { .. } => "email",
        }
    }

    /// How they are reached.
    pub const fn reach(&self) -> &Reach {
        match self {
            Self::Webhook { reach, .. }
            | Self::Slack { reach, .. }
            | Self::Teams { reach, .. }
            | Self::Email { reach, .. } => reach,
        }
    }

    /// Who they are, without what is secret.
    pub fn who(&self) -> String {
        match self {
            Self::Webhook { url, .. } => url.clone(),
            Self::Slack { host, .. } | Self::Teams { host, .. } => host.clone(),
            Self::Email { to, .. } => to.join(", "),
        }
    }
}

/// `POST /api/v1/notifications`: adds a rule, or changes the one with its name.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewRule {
    /// What it shall be.
    #[serde(flatten)]
    pub rule: Rule,
    /// What its [`Target`] says. One that is known stays if none is given and the target is of the same kind and place; a
    /// new webhook gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Zeroizing<String>>,
}

/// What was made.
#[derive(Clone, Serialize, Deserialize)]
pub struct Made {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// The secret of a webhook, where it was made here; it is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Zeroizing<String>>,
}

/// A rule and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// When it last had something to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// The last thing it sent or tries to send, without its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Delivery>,
}

fn everything() -> String {
    "*".to_owned()
}

const fn settle() -> u64 {
    SETTLE
}

const fn every() -> u64 {
    EVERY
}

const fn lines() -> u32 {
    LINES
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
