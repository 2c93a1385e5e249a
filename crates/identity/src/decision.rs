//! The answer to "may they?", with its reason.

use std::sync::{Arc, LazyLock};

use crate::{Action, AssignmentId, Role, RoleId, ScopePattern};

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
        SMALLEST.get(action as usize).copied().flatten()
    }
}

static SMALLEST: LazyLock<Vec<Option<Nearest>>> = LazyLock::new(|| {
    let smallest = |action: &Action| {
        granting(*action)
            .min_by_key(|role| role.permitted().len())
            .map(|role| Nearest { role: role.id, name: &role.name })
    };
    Action::ALL.iter().map(smallest).collect()
});

/// Built-in roles that grant an action without further conditions; break-glass is not given, it is opened.
pub(crate) fn granting(action: Action) -> impl Iterator<Item = &'static Role> {
    Role::built_in()
        .iter()
        .filter(move |role| role.id != RoleId::BREAK_GLASS && role.condition.is_none())
        .filter(move |role| role.permitted().contains(action))
        .map(AsRef::as_ref)
}
