//! What a registry token may do: a list of repositories and actions, as in Azure Container Registry.

use boltseal_model::Reference;
use serde::{Deserialize, Serialize};

use crate::{Action, Actions, AssignmentId, Scope, ScopePattern, role::is_line};

/// Entries of one scope map: Azure allows 500 repositories.
pub const MAX_SCOPE_MAP_ENTRIES: usize = 2500;

const ACTIONS: &[(&str, Action)] = &[
    ("content/read", Action::ContentRead),
    ("content/write", Action::ContentWrite),
    ("content/delete", Action::ContentDelete),
    ("metadata/read", Action::MetadataRead),
    ("metadata/write", Action::MetadataWrite),
    ("metadata/delete", Action::MetadataDelete),
];

/// A named list of rights on repositories, for principals of the kind token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeMap {
    /// What the audit log names as the reason of whatever it grants.
    pub id: AssignmentId,
    /// 1 to 64 letters, digits and `-`.
    pub name: String,
    /// For people; may be empty.
    #[serde(default)]
    pub description: String,
    /// Of which registry the repositories are.
    pub registry: String,
    /// In Azure's words: `repositories/samples/hello-world/content/read`. A repository is exactly the one it names;
    /// `repositories/samples/*/content/read` is everything below `samples/`, `repositories/*/…` everything.
    pub actions: Vec<String>,
}

/// Why something is not a scope map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeMapError {
    /// The name or the description.
    #[error(
        "a scope map is called by 1 to 64 letters, digits and `-`, and described by at most 256 characters"
    )]
    Name,
    /// The registry.
    #[error("scope map `{map}`: `{registry}` is not the name of a registry")]
    Registry {
        /// The scope map.
        map: String,
        /// The name, shortened.
        registry: String,
    },
    /// An entry.
    #[error(
        "scope map `{map}`: `{entry}` is not of the form repositories/NAME/ACTION, where `*` may be the last segment \
         of NAME and ACTION is one of content/read, content/write, content/delete, metadata/read, metadata/write, \
         metadata/delete"
    )]
    Entry {
        /// The scope map.
        map: String,
        /// The entry, shortened.
        entry: String,
    },
    /// Too many entries.
    #[error("scope map `{map}` has {found} entries, more than the {MAX_SCOPE_MAP_ENTRIES} allowed")]
    TooMany {
        /// The scope map.
        map: String,
        /// How many.
        found: usize,
    },
}

/// An entry, understood.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub scope: ScopePattern,
    /// Whether it is this repository only, and not those below it.
    pub exact: bool,
    pub actions: Actions,
}

impl ScopeMap {
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, ScopeMapError> {
        let is_name = |text: &str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !is_name(&self.name) || !is_line(&self.description, 256) {
            return Err(ScopeMapError::Name);
        }
        let map = || self.name.clone();
        if Scope::registry(&self.registry).is_err() || self.registry.contains('/') {
            return Err(ScopeMapError::Registry { map: map(), registry: shown(&self.registry) });
        }
        if self.actions.len() > MAX_SCOPE_MAP_ENTRIES {
            return Err(ScopeMapError::TooMany { map: map(), found: self.actions.len() });
        }
        let read = |text: &String| {
            self.entry(text).ok_or_else(|| ScopeMapError::Entry { map: map(), entry: shown(text) })
        };
        self.actions.iter().map(read).collect()
    }

    fn entry(&self, text: &str) -> Option<Entry> {
        let rest = text.strip_prefix("repositories/")?;
        let (name, action) = ACTIONS
            .iter()
            .find_map(|(word, action)| Some((rest.strip_suffix(word)?.strip_suffix('/')?, *action)))?;
        let fixed = if name == "*" { "" } else { name.strip_suffix("/*").unwrap_or(name) };
        if name != "*" && !Reference::is_repository(fixed) {
            return None;
        }
        let scope = format!("/registries/{}/repositories/{name}", self.registry).parse().ok()?;
        Some(Entry { scope, exact: fixed == name, actions: [action].into_iter().collect() })
    }
}

/// Messages go to terminals, and the text may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        for (entry, expected) in [
            ("repositories/app/content/read", Some(("/registries/main/repositories/app", true))),
            ("repositories/team/app/metadata/write", Some(("/registries/main/repositories/team/app", true))),
            ("repositories/team/*/content/read", Some(("/registries/main/repositories/team/*", false))),
            ("repositories/*/content/read", Some(("/registries/main/repositories/*", false))),
            ("repositories/t*/content/read", None),
            ("repositories/*/app/content/read", None),
            ("repositories//content/read", None),
            ("repositories/content/read", None),
            ("repositories/app/content/pull", None),
            ("gateway/x/config/read", None),
        ] {
            let map = ScopeMap {
                id: AssignmentId::BREAK_GLASS,
                name: "ci".to_owned(),
                description: String::new(),
                registry: "main".to_owned(),
                actions: vec![entry.to_owned()],
            };
            let found = map.entries().ok().and_then(|entries| entries.into_iter().next());
            let found = found.as_ref().map(|entry| (entry.scope.as_str(), entry.exact));
            assert_eq!(found, expected, "{entry}");
        }
    }
}
