//! Who sent a request.

use std::sync::Arc;

use boltseal_model::Timestamp;

use crate::{
    Action, PrincipalId, PrincipalKind, Scope,
    registry_scope::{RegistryAction, RegistryScopes},
    token::{Kind, Method, TokenId},
};

/// What a request came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nothing.
    Nothing,
    /// Name and secret in the request itself.
    Basic,
    /// A token of this kind.
    Token(Kind),
}

/// Who sent a request, how they proved it, and what the proof narrows it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Never changes.
    pub id: PrincipalId,
    /// As the directory has it.
    pub name: Arc<str>,
    /// What kind of somebody.
    pub kind: PrincipalKind,
    /// How it was proved in the first place.
    pub method: Method,
    /// What this request came with.
    pub via: Via,
    /// The token it came with.
    pub token: Option<TokenId>,
    /// When that ends.
    pub expires: Option<Timestamp>,
    /// What the token covers in a registry.
    pub scopes: RegistryScopes,
}

impl Caller {
    /// Whoever sent nothing to tell them by.
    pub fn anonymous() -> Self {
        Self {
            id: PrincipalId::ANONYMOUS,
            name: "anonymous".into(),
            kind: PrincipalKind::Group,
            method: Method::Anonymous,
            via: Via::Nothing,
            token: None,
            expires: None,
            scopes: RegistryScopes::All,
        }
    }

    /// The server itself, in what it does unasked.
    pub fn system() -> Self {
        Self {
            id: PrincipalId::SYSTEM,
            name: "system".into(),
            kind: PrincipalKind::Workload,
            ..Self::anonymous()
        }
    }

    /// Whether nobody signed in.
    pub fn is_anonymous(&self) -> bool {
        self.id == PrincipalId::ANONYMOUS
    }

    /// Whether what the request came with reaches beyond a registry.
    pub const fn covers_control(&self) -> bool {
        matches!(self.scopes, RegistryScopes::All)
    }

    /// Whether what the request came with reaches as far as this: a registry token covers what it lists and no more.
    pub fn covers(&self, action: Action, scope: &Scope) -> bool {
        let RegistryScopes::Listed(_) = &self.scopes else { return true };
        let Some(repository) = scope.repository_name() else { return action == Action::CatalogRead };
        let has = |asked: RegistryAction| self.scopes.allow(repository, asked);
        match action {
            Action::ContentRead | Action::QuarantineRead => has(RegistryAction::Pull),
            Action::ContentWrite => has(RegistryAction::Push),
            Action::ContentDelete => has(RegistryAction::Delete),
            // Clients list tags with a token for pulling.
            Action::MetadataRead => has(RegistryAction::MetadataRead) || has(RegistryAction::Pull),
            Action::MetadataWrite => has(RegistryAction::MetadataWrite),
            // ACR's scanners ask for `pull,push` in order to release what they looked at.
            Action::QuarantineWrite => has(RegistryAction::MetadataWrite) || has(RegistryAction::Push),
            _ => false,
        }
    }
}
