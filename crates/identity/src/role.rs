//! Roles: named sets of actions, in the words of Azure's role definitions.

mod azure;
mod built_in;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Actions, Condition, Plane, RoleId, ScopePattern,
    action::{Pattern, malformed},
};

pub use azure::{Imported, MAX_DEFINITION};

/// Entries of one role: Azure's largest built-in role has fewer, and each is matched with every action.
pub const MAX_ENTRIES: usize = 512;
/// Scopes at which a custom role may be given.
pub const MAX_ASSIGNABLE: usize = 128;
/// Characters of a role's name.
pub const MAX_ROLE_NAME: usize = 128;
/// Characters of a role's description.
pub const MAX_DESCRIPTION: usize = 2048;

/// A set of actions with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Azure's own number for Azure's roles.
    pub id: RoleId,
    /// Unique, whatever the case.
    pub name: String,
    /// For people; may be empty.
    #[serde(default)]
    pub description: String,
    /// Whether it is the same everywhere and cannot be edited. Never true of a stored role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
    /// Control actions; `*` stands for any run of characters.
    #[serde(default)]
    pub actions: Vec<String>,
    /// What to take out of `actions`. It forbids nothing that another role grants.
    #[serde(default)]
    pub not_actions: Vec<String>,
    /// Data actions.
    #[serde(default)]
    pub data_actions: Vec<String>,
    /// What to take out of `data_actions`.
    #[serde(default)]
    pub not_data_actions: Vec<String>,
    /// Where it may be given.
    #[serde(default = "everywhere")]
    pub assignable_scopes: Vec<ScopePattern>,
    /// What must hold wherever it is given; only built-in roles have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// Why something is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// More text than any definition needs.
    #[error("the definition has {found} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Bytes of the text.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON.
    #[error("the definition is not JSON: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A field that is missing, or not what Azure puts there.
    #[error("role `{role}`: `{field}` {problem}")]
    Field {
        /// The role's name, if it got that far.
        role: String,
        /// As Azure calls it.
        field: &'static str,
        /// What is wrong, and what is wanted.
        problem: String,
    },
    /// Several blocks of permissions, whose exclusions cannot be kept apart.
    #[error("role `{role}` has {found} blocks of permissions: make one role of each")]
    Blocks {
        /// The role's name.
        role: String,
        /// How many.
        found: usize,
    },
    /// A condition inside a custom role.
    #[error("role `{role}` has a condition: put it on the assignments")]
    Conditional {
        /// The role's name.
        role: String,
    },
}

fn everywhere() -> Vec<ScopePattern> {
    vec![ScopePattern::root()]
}

impl Role {
    /// A custom role without any action, to be given anywhere.
    pub fn new(id: RoleId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: String::new(),
            built_in: false,
            actions: Vec::new(),
            not_actions: Vec::new(),
            data_actions: Vec::new(),
            not_data_actions: Vec::new(),
            assignable_scopes: everywhere(),
            condition: None,
        }
    }

    /// The roles that are the same everywhere: 24 of Azure's and three of ours.
    pub fn built_in() -> &'static [Arc<Self>] {
        built_in::all()
    }

    /// Reads exports of Azure's: what `az role definition list` prints, what `az role definition create` takes, and
    /// what the resource manager has. `fresh` gives a number to a role that has none.
    ///
    /// Names of actions that mean nothing here are kept, and told in [`Imported::notes`].
    pub fn import(json: &str, fresh: impl FnMut() -> RoleId) -> Result<Imported, RoleError> {
        azure::import(json, fresh)
    }

    /// All actions that it grants.
    ///
    /// Old names such as `…/registries/pull/read` in `actions` grant the data actions they stand for, if they are
    /// written out and no entry of `not_actions` fits them.
    pub fn permitted(&self) -> Actions {
        let of = |entries: &[String], plane| {
            entries.iter().map(|entry| Pattern(entry).actions(plane)).fold(Actions::NONE, Actions::union)
        };
        let control = of(&self.actions, Plane::Control).without(of(&self.not_actions, Plane::Control));
        let excluded = |name: &str| self.not_actions.iter().any(|entry| Pattern(entry).fits(name));
        let old = self.actions.iter().filter(|entry| !excluded(entry)).map(|entry| Pattern(entry).legacy());
        let data = of(&self.data_actions, Plane::Data).union(old.fold(Actions::NONE, Actions::union));
        control.union(data.without(of(&self.not_data_actions, Plane::Data)))
    }

    /// Entries that stand for nothing known here: mistakes, or actions of other services.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let control = self.actions.iter().chain(&self.not_actions).map(|entry| (entry, Plane::Control));
        let data = self.data_actions.iter().chain(&self.not_data_actions).map(|entry| (entry, Plane::Data));
        control
            .chain(data)
            .filter(|(entry, plane)| {
                let pattern = Pattern(entry);
                pattern.actions(*plane).is_empty() && (*plane == Plane::Data || pattern.legacy().is_empty())
            })
            .map(|(entry, _)| entry.as_str())
    }

    /// What is compared: case does not matter.
    pub(crate) fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// Whether it makes sense as a custom role.
    pub(crate) fn check(&self) -> Result<(), RoleError> {
        let wrong = |field, problem: &str| {
            let role = self.name.chars().filter(|c| !c.is_control()).take(MAX_ROLE_NAME).collect();
            Err(RoleError::Field { role, field, problem: problem.to_owned() })
        };
        if self.name.trim() != self.name || !is_line(&self.name, MAX_ROLE_NAME) || self.name.is_empty() {
            return wrong("roleName", "has 1 to 128 characters, none of them control characters");
        }
        if !is_line(&self.description, MAX_DESCRIPTION) {
            return wrong("description", "has at most 2048 characters, none of them control characters");
        }
        if self.built_in {
            return wrong("roleType", "is BuiltInRole, which only Azure's and our own roles are");
        }
        if self.condition.is_some() {
            return Err(RoleError::Conditional { role: self.name.clone() });
        }
        let lists = [
            ("actions", &self.actions),
            ("notActions", &self.not_actions),
            ("dataActions", &self.data_actions),
            ("notDataActions", &self.not_data_actions),
        ];
        for (field, entries) in lists {
            if entries.len() > MAX_ENTRIES {
                return wrong(field, "has at most 512 entries");
            }
            if let Some((entry, problem)) = entries.iter().find_map(|entry| Some((entry, malformed(entry)?)))
            {
                let entry: String = entry.chars().filter(|c| !c.is_control()).take(120).collect();
                return wrong(field, &format!("has the entry `{entry}`: {problem}"));
            }
        }
        if self.assignable_scopes.is_empty() || self.assignable_scopes.len() > MAX_ASSIGNABLE {
            return wrong("assignableScopes", "has 1 to 128 scopes; `/` is everywhere");
        }
        Ok(())
    }
}

/// Whether a text is one bounded line.
pub(crate) fn is_line(text: &str, limit: usize) -> bool {
    text.chars().count() <= limit && !text.chars().any(char::is_control)
}
