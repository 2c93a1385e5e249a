//! Who holds which role where.

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AssignmentId, Condition, PrincipalId, RoleId, ScopePattern};

/// A role, given to a principal at a scope. It is never changed: it is removed, and another one made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// What the audit log names as the reason of whatever it grants.
    pub id: AssignmentId,
    /// Who has it; a group stands for its members.
    pub principal: PrincipalId,
    /// What may be done.
    pub role: RoleId,
    /// Where, and everywhere below.
    pub scope: ScopePattern,
    /// For which repositories, and which of the actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub by: PrincipalId,
    /// From when on it grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Why, for people; may be empty.
    #[serde(default)]
    pub reason: String,
}

impl Assignment {
    /// Whether it has ended.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}
