//! What a token allows: Docker token authentication specification, "scope".

use std::fmt;

use boltseal_model::Reference;

/// What is done to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Pull,
    Push,
    Delete,
}

impl Action {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// Everything, or what a token lists.
#[derive(Clone, Debug)]
pub(crate) enum Scopes {
    /// The principal came with its secret.
    All,
    /// The principal came with a token.
    Listed(Vec<Scope>),
}

/// `repository:team/app:pull,push`, `registry:catalog:*`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    kind: String,
    name: String,
    actions: Vec<String>,
}

/// More than a client ever asks for at once (two for a mount); bounds a token's length.
const MAX_SCOPES: usize = 32;

impl Scopes {
    /// Whether they cover an action on a repository.
    pub(crate) fn allow(&self, repository: &str, action: Action) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => {
                list.iter().any(|s| s.kind == "repository" && s.name == repository && s.has(action.word()))
            }
        }
    }

    /// Whether they cover listing all repositories.
    pub(crate) fn allow_catalog(&self) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => {
                list.iter().any(|s| s.kind == "registry" && s.name == "catalog" && s.has("*"))
            }
        }
    }

    /// Whether a token was asked for expressly in order to push here: so a push is going on.
    pub(crate) fn pushing(&self, repository: &str) -> bool {
        matches!(self, Self::Listed(_)) && self.allow(repository, Action::Push)
    }
}

impl Scope {
    /// Reads scopes as clients write them: several parameters, or one with spaces. What is malformed is not granted.
    pub(crate) fn parse_all<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Self> {
        texts.flat_map(|text| text.split(' ')).filter_map(Self::parse).take(MAX_SCOPES).collect()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        // A class in brackets, `repository(plugin)`, was for display only.
        let kind = kind.split_once('(').map_or(kind, |(kind, _)| kind);
        let known = match kind {
            "repository" => Reference::is_repository(name),
            "registry" => name == "catalog",
            _ => false,
        };
        let actions = actions.split(',').filter(|a| ["pull", "push", "delete", "*"].contains(a));
        let actions: Vec<String> = actions.map(str::to_owned).take(4).collect();
        (known && !actions.is_empty()).then(|| Self { kind: kind.to_owned(), name: name.to_owned(), actions })
    }

    fn has(&self, action: &str) -> bool {
        self.actions.iter().any(|own| own == action || own == "*")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_what_is_written_and_nothing_else() {
        let asked = [
            "repository:a/b:pull,push repository:c:pull",
            "registry:catalog:*",
            "nonsense",
            "repository:A:pull",
        ];
        let scopes = Scopes::Listed(Scope::parse_all(asked.into_iter()));
        assert!(
            scopes.allow("a/b", Action::Push) && scopes.allow("c", Action::Pull) && scopes.allow_catalog()
        );
        assert!(
            !scopes.allow("c", Action::Push)
                && !scopes.allow("a", Action::Pull)
                && !scopes.allow("A", Action::Pull)
        );
        assert!(!scopes.allow("a/b", Action::Delete));
        let star = Scopes::Listed(Scope::parse_all(["repository:x:*"].into_iter()));
        assert!(star.allow("x", Action::Delete) && star.pushing("x") && !Scopes::All.pushing("x"));
    }
}
