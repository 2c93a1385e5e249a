//! What a registry token allows: "scope" of the Docker token specification, with the actions that ACR adds.
//!
//! `repository:team/app:pull,push`, `repository:team/app:metadata_read`, `registry:catalog:*`

use std::fmt;

use boltseal_model::Reference;

/// More than a client ever asks for at once (two for a mount); bounds a token's length.
pub const MAX_SCOPES: usize = 32;

/// What is done to a repository. The words are those of ACR's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RegistryAction {
    /// Read manifests and blobs.
    Pull,
    /// Write manifests, blobs and tags.
    Push,
    /// Delete manifests, blobs and tags.
    Delete,
    /// List tags and read what is known about an image.
    MetadataRead,
    /// Change what is known about an image.
    MetadataWrite,
}

impl RegistryAction {
    /// Every action, in the order in which they are written.
    pub const ALL: [Self; 5] =
        [Self::Pull, Self::Push, Self::Delete, Self::MetadataRead, Self::MetadataWrite];

    /// As it stands in a scope.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::MetadataRead => "metadata_read",
            Self::MetadataWrite => "metadata_write",
        }
    }

    /// The Azure data action that a principal needs at the repository to get it.
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Pull => "Microsoft.ContainerRegistry/registries/repositories/content/read",
            Self::Push => "Microsoft.ContainerRegistry/registries/repositories/content/write",
            Self::Delete => "Microsoft.ContainerRegistry/registries/repositories/content/delete",
            Self::MetadataRead => "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            Self::MetadataWrite => "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The Azure data action that a principal needs at the registry to list its repositories.
pub const CATALOG_NEEDS: &str = "Microsoft.ContainerRegistry/registries/catalog/read";

/// A set of [`RegistryAction`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(u8);

impl Actions {
    /// All of them, written `*`.
    pub const ALL: Self = Self(0b1_1111);

    /// Reads `pull,push`; `*` stands for all. Words that mean nothing here are left out.
    pub fn parse(text: &str) -> Self {
        text.split(',').fold(Self::default(), |set, word| {
            if word == "*" {
                return Self::ALL;
            }
            let known = RegistryAction::ALL.into_iter().find(|action| action.word() == word);
            known.map_or(set, |action| set.with(action))
        })
    }

    /// The set as one byte, for a token.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The reverse of [`Actions::bits`].
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Whether `action` is in it.
    pub const fn has(self, action: RegistryAction) -> bool {
        self.0 & action.bit() != 0
    }

    /// With `action` in it.
    #[must_use]
    pub const fn with(self, action: RegistryAction) -> Self {
        Self(self.0 | action.bit())
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it, in the order in which it is written.
    pub fn iter(self) -> impl Iterator<Item = RegistryAction> {
        RegistryAction::ALL.into_iter().filter(move |action| self.has(*action))
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, action) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}", action.word())?;
        }
        Ok(())
    }
}

/// One entry of what a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryScope {
    /// `registry:catalog:*`: list the repositories.
    Catalog,
    /// `repository:NAME:ACTIONS`
    Repository {
        /// By the OCI grammar.
        name: String,
        /// At least one.
        actions: Actions,
    },
}

impl RegistryScope {
    /// Reads one scope; `None` where it is malformed, or asks for nothing that is known here.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        // A class in brackets, `repository(plugin)`, was for display only.
        let kind = kind.split_once('(').map_or(kind, |(kind, _)| kind);
        match kind {
            "registry" if name == "catalog" => {
                actions.split(',').any(|action| action == "*").then_some(Self::Catalog)
            }
            "repository" => Self::repository(name, Actions::parse(actions)),
            _ => None,
        }
    }

    /// A scope for one repository; `None` where the name is none, or `actions` is empty.
    pub fn repository(name: &str, actions: Actions) -> Option<Self> {
        let genuine = Reference::is_repository(name) && !actions.is_empty();
        genuine.then(|| Self::Repository { name: name.to_owned(), actions })
    }

    /// Reads scopes as clients write them: several parameters, or one with spaces. What is malformed is not granted;
    /// what names a repository again joins its first entry. No more than [`MAX_SCOPES`].
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        // The bound is on what is read, too: a scope parameter may be as long as a request.
        let words = texts.into_iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty());
        for scope in words.take(MAX_SCOPES).filter_map(Self::parse) {
            if !scopes.iter_mut().any(|known| known.join(&scope)) {
                scopes.push(scope);
            }
        }
        scopes
    }

    /// Takes in what `other` says about the same thing.
    fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Catalog, Self::Catalog) => true,
            (Self::Repository { name, actions }, Self::Repository { name: same, actions: more })
                if name == same =>
            {
                *actions = actions.union(*more);
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for RegistryScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog => f.write_str("registry:catalog:*"),
            Self::Repository { name, actions } => write!(f, "repository:{name}:{actions}"),
        }
    }
}

/// What a token allows in a registry. It only ever narrows what its principal may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryScopes {
    /// Whatever its principal may do.
    All,
    /// Only this, as far as its principal may do it.
    Listed(Vec<RegistryScope>),
}

impl RegistryScopes {
    /// Whether they cover an action on a repository.
    pub fn allow(&self, repository: &str, action: RegistryAction) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => list.iter().any(|scope| {
                matches!(scope, RegistryScope::Repository { name, actions }
                    if name == repository && actions.has(action))
            }),
        }
    }

    /// Whether they cover listing all repositories.
    pub fn allow_catalog(&self) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => list.contains(&RegistryScope::Catalog),
        }
    }

    /// Whether a token was asked for expressly in order to push here: so a push is going on.
    pub fn pushing(&self, repository: &str) -> bool {
        matches!(self, Self::Listed(_)) && self.allow(repository, RegistryAction::Push)
    }
}
