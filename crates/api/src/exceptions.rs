//! Exceptions of the policy that judges, and who approved them.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// One exception. `GET /api/v1/policy/exceptions` lists those of the policy in force, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its name in the policy.
    pub name: String,
    /// Of all that it says: what people approve. A changed one has another.
    pub digest: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it was granted.
    pub reason: String,
    /// What it pardons, in words.
    pub scope: String,
    /// Its last day.
    pub expires: Date,
    /// Whether that day is over.
    pub ended: bool,
    /// How many people must approve it before it counts.
    pub needed: usize,
    /// Who approved it, the first of them first.
    pub approvals: Vec<Approval>,
    /// Whether it counts: enough approved it, and it has not ended.
    pub counts: bool,
}

/// That somebody approved an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who, by the name they signed in with.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// `POST /api/v1/policy/exceptions/{name}/approvals`, answered with the [`Exception`]. Whoever is signed in approves; who
/// may approve may also take approvals back: `DELETE /api/v1/policy/exceptions/{name}/approvals/{who}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approve {
    /// Of what was looked at; where the exception says something else by now, nothing is approved.
    pub digest: String,
}
