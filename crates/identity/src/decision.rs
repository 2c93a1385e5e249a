//! The answer to "may they?", with its reason.

use std::sync::{Arc, LazyLock};

use crate::{Action, Actions, AssignmentId, Role, RoleId, ScopePattern};

/// Whether a principal may do something, and why or what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Granted {
        /// The assignment that lets it, or the scope map.
        assignment: AssignmentId,
        /// The name of the role, or of the scope map.
        role: Arc<str>,
        /// Where the assignment is.
        scope: ScopePattern,
        /// The group that has the assignment, if it is not the principal's own.
        through: Option<Arc<str>>,
    },
    /// It may not.
    Missing {
        /// What was asked for.
        action: Action,
        /// Where.
        scope: ScopePattern,
        /// The smallest role that would do.
        nearest: Option<Nearest>,
    },
}

/// A built-in role that would grant what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its number.
    pub role: RoleId,
    /// Its name.
    pub name: &'static str,
}

impl Decision {
    /// Whether it is a yes.
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }

    pub(crate) fn missing(action: Action, scope: &ScopePattern) -> Self {
        Self::Missing { action, scope: scope.clone(), nearest: Nearest::to(action) }
    }
}

impl Nearest {
    /// The built-in role with the fewest actions among those that grant `action`.
    pub fn to(action: Action) -> Option<Self> {
        granting(action).next()
    }
}

/// What built-in roles grant that are given without further conditions, those that grant least first. Break-glass is
/// not given, it is opened.
static GIVEN: LazyLock<Vec<(Actions, Nearest)>> = LazyLock::new(|| {
    let given =
        Role::built_in().iter().filter(|role| role.id != RoleId::BREAK_GLASS && role.condition.is_none());
    let mut given: Vec<_> =
        given.map(|role| (role.permitted(), Nearest { role: role.id, name: &role.name })).collect();
    given.sort_by_key(|(actions, _)| actions.len());
    given
});

/// Built-in roles that grant an action, the smallest first.
pub(crate) fn granting(action: Action) -> impl Iterator<Item = Nearest> {
    GIVEN.iter().filter(move |(actions, _)| actions.contains(action)).map(|(_, nearest)| *nearest)
}
