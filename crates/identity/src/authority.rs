//! Who may come in and what they may do, as of now: what all roles of the server share.
//!
//! A [`Directory`] is a value; the authority holds the one that counts, and what is not in it: the keys of tokens,
//! tokens that were ended before their time, and the patience with those who guess. A directory is replaced whole by
//! whoever has stored its change; requests that run keep the one they began with.
//!
//! ```
//! use boltseal_identity::{Authority, Directory, RootKey};
//! let keys = boltseal_identity::Keys::new(&RootKey::generate()?, None)?;
//! let authority = Authority::new(Directory::empty()?, keys, "boltseal", Default::default());
//! let now = boltseal_model::Timestamp::UNIX_EPOCH;
//! assert!(authority.secret("admin", "guess", None, [127, 0, 0, 1].into(), now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod caller;
mod gate;
mod sign_in;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use boltseal_model::Timestamp;

use crate::{
    Action, Decision, Directory, PrincipalId, Scope,
    delay::Delays,
    expiring::Full,
    registry_scope::{Actions, RegistryAction, RegistryScope, RegistryScopes},
    seal::Keys,
    token::{Claims, Grant, Issued, Kind, Revoked, TokenError, TokenId},
    totp::Step,
};

pub use caller::{Caller, Via};
use gate::Gate;
pub use sign_in::{Proved, Refused};

/// Users whose last one-time password is remembered; beyond it the steps of some are forgotten early.
const MAX_STEPS: usize = 10_000;

/// Answers for all roles who somebody is and what they may do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Inner>);

struct Inner {
    directory: RwLock<Arc<Directory>>,
    keys: Keys,
    audience: String,
    revoked: RwLock<Revoked>,
    delays: Mutex<Delays>,
    /// The last step of each user's one-time passwords, so that none is used twice.
    steps: Mutex<HashMap<PrincipalId, Step>>,
    /// Passwords hashed at the same time.
    hashing: Gate,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl Authority {
    /// `audience` is what the server calls itself in its tokens; `revoked` are those ended before their time.
    pub fn new(directory: Directory, keys: Keys, audience: &str, revoked: Revoked) -> Self {
        Self(Arc::new(Inner {
            directory: RwLock::new(Arc::new(directory)),
            keys,
            audience: audience.to_owned(),
            revoked: RwLock::new(revoked),
            delays: Mutex::new(Delays::new()),
            steps: Mutex::new(HashMap::new()),
            hashing: Gate::new(),
        }))
    }

    /// The directory that counts.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.0.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another one counts from now on: its documents are stored.
    pub fn replace(&self, directory: Directory) {
        *self.0.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }

    /// The keys that seal tokens and seeds.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// What the server calls itself in its tokens.
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// Whether the caller may do it there, and why. A token never allows more than its principal may do.
    pub fn decide(&self, caller: &Caller, action: Action, scope: &Scope, now: Timestamp) -> Decision {
        let directory = self.directory();
        let decision = directory.decide(caller.id, action, scope, now);
        if decision.is_granted() && !caller.covers(action, scope) {
            return Decision::missing(action, &scope.clone().into());
        }
        decision
    }

    /// What of the scopes that a client asks a token for it may have: the Docker token specification has the rest left
    /// out in silence, so that nobody learns what there is.
    pub fn grant(
        &self,
        caller: &Caller,
        asked: Vec<RegistryScope>,
        registry: &str,
        now: Timestamp,
    ) -> Vec<RegistryScope> {
        let may = |action: Action, scope: &Scope| self.decide(caller, action, scope, now).is_granted();
        asked
            .into_iter()
            .filter_map(|scope| match scope {
                // Lists show what may be read, so whoever signed in may ask for one.
                RegistryScope::Catalog => Some(RegistryScope::Catalog),
                RegistryScope::Repository { name, actions } => {
                    let at = Scope::repository(registry, &name).ok()?;
                    let granted = actions
                        .iter()
                        .filter(|action| {
                            // Whoever may release images may change that much of what is said about them.
                            let releases = *action == RegistryAction::MetadataWrite;
                            may(action.action(), &at) || releases && may(Action::QuarantineWrite, &at)
                        })
                        .fold(Actions::default(), Actions::with);
                    RegistryScope::repository(&name, granted)
                }
            })
            .collect()
    }

    /// Makes a token for a caller, good for `seconds`.
    pub fn issue(
        &self,
        caller: &Caller,
        kind: Kind,
        scopes: RegistryScopes,
        seconds: i64,
        now: Timestamp,
    ) -> Result<Issued, TokenError> {
        self.issue_for(&self.0.audience, caller, kind, scopes, seconds, now)
    }

    /// The same for another audience: a vault, a resource that Azure's clients name.
    pub fn issue_for(
        &self,
        audience: &str,
        caller: &Caller,
        kind: Kind,
        scopes: RegistryScopes,
        seconds: i64,
        now: Timestamp,
    ) -> Result<Issued, TokenError> {
        let epoch = self.directory().principal(caller.id).map_or(0, |principal| principal.epoch);
        let (principal, audience) = (caller.id.0, audience.to_owned());
        let grant = Grant { kind, principal, epoch, method: caller.method, audience, scopes };
        self.0.keys.issue(grant, seconds, now)
    }

    /// Voids a token until it expires by itself. Remember it where it survives a restart, too.
    ///
    /// # Errors
    /// [`Full`]: end all sessions of the principal instead.
    pub fn revoke(&self, id: TokenId, expires: Timestamp, now: Timestamp) -> Result<(), Full> {
        self.0.revoked.write().unwrap_or_else(PoisonError::into_inner).add(id, expires, now)
    }

    fn is_void(&self, claims: &Claims) -> bool {
        self.0.revoked.read().unwrap_or_else(PoisonError::into_inner).has(claims.id)
    }

    fn delays(&self) -> MutexGuard<'_, Delays> {
        self.0.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds that this name has to wait before its next attempt from that network; 0 means go ahead.
    pub fn wait(&self, name: &str, from: IpAddr, now: Timestamp) -> i64 {
        self.delays().wait(name, from, now)
    }

    /// Notes a failed attempt to prove to be `name`, by whatever way.
    pub fn failed(&self, name: &str, from: IpAddr, now: Timestamp) {
        self.delays().failed(name, from, now);
    }

    /// Notes that a one-time password was used; `false` when it, or a later one, had been used before.
    fn use_step(&self, principal: PrincipalId, step: Step) -> bool {
        let mut steps = self.0.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.get(&principal).is_some_and(|last| last.0 >= step.0) {
            return false;
        }
        if steps.len() >= MAX_STEPS {
            // Codes live a minute and a half; what is older than the newest by more than that is over anyway.
            steps.retain(|_, last| last.0 + 3 >= step.0);
        }
        steps.insert(principal, step);
        true
    }
}

impl RegistryAction {
    /// What a principal needs at the repository to get it.
    pub const fn action(self) -> Action {
        match self {
            Self::Pull => Action::ContentRead,
            Self::Push => Action::ContentWrite,
            Self::Delete => Action::ContentDelete,
            Self::MetadataRead => Action::MetadataRead,
            Self::MetadataWrite => Action::MetadataWrite,
        }
    }
}
