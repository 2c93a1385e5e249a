//! Tokens of other issuers: their keys, what was used up, and whom a token stands for.
//!
//! ```text
//! JWT ──issuer──▶ keys (fixed with the federation, or fetched) ──verify──▶ claims ──federation──▶ principal
//! ```
//!
//! Only issuers that a federation names are ever asked for keys, so nobody can have us send requests elsewhere.

pub(crate) mod enrolling;
mod issuers;
mod names;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use boltseal_identity::{
    Authority, Caller, PrincipalId,
    assertion::{self, AssertionError, Seen},
    federation::{self, Federation},
    jwks::Jwks,
    jwt::{Expected, JwtError, Unverified},
    token::Method,
};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use uuid::Uuid;

pub(crate) use issuers::{IssuerError, Issuers};
pub(crate) use names::{address, host_name, named};

use enrolling::Enrolling;

/// Names by which every installation may be called.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why a token of somebody else proves nothing here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForeignError {
    /// It is no token, not genuine, over, or for somebody else.
    #[error(transparent)]
    Token(#[from] JwtError),
    /// Nobody said that this issuer is to be trusted.
    #[error("no federation names the issuer `{0}`")]
    UnknownIssuer(String),
    /// It is genuine, and stands for nobody here.
    #[error(transparent)]
    Unmatched(#[from] federation::Unmatched),
    /// The keys of the issuer are not to be had.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Whom it stands for may not come in.
    #[error("the principal of federation {0} is gone or disabled")]
    Gone(Uuid),
    /// It stands for somebody, and not for the client that sent it.
    #[error("the token stands for another principal than the client that sent it")]
    Other,
    /// See [`AssertionError`].
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// The client asked for us by a name that is not ours, so that its assertion may be meant for somebody else.
    #[error("this server is not called `{0}`: start it with --name {0}")]
    Name(String),
}

impl ForeignError {
    /// Whether whoever sent the token cannot help it.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self, Self::Issuer(_))
    }
}

/// What is known of other issuers and their tokens while the process runs.
pub(crate) struct Foreign {
    issuers: Issuers,
    /// Keys that came with a federation, by its id.
    fixed: RwLock<HashMap<Uuid, Arc<Jwks>>>,
    /// Assertions that were used.
    seen: Mutex<Seen>,
    /// Names of this server, besides the local ones.
    names: RwLock<Vec<String>>,
    /// Second factors that are being set up.
    pub(crate) enrolling: Enrolling,
    /// The number under which clients of Entra know this installation.
    pub(crate) tenant: Uuid,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreign").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl Foreign {
    /// Reads what is kept: the tenant, made on the first start, and keys that came with federations.
    pub(crate) async fn open(
        facts: &Facts,
        federations: &[Federation],
    ) -> Result<Self, boltseal_store::Error> {
        const TENANT: &str = "entra.tenant";
        let known: Option<Uuid> = facts.setting(TENANT).await?.and_then(|text| text.parse().ok());
        let tenant = known.unwrap_or_else(Uuid::new_v4);
        if known.is_none() {
            facts.set(TENANT, &tenant.to_string()).await?;
        }
        let mut fixed = HashMap::new();
        for federation in federations {
            let text = facts.setting(&setting(federation.id)).await?.unwrap_or_default();
            if let Ok(keys) = Jwks::parse(text.as_bytes()) {
                fixed.insert(federation.id, Arc::new(keys));
            }
        }
        Ok(Self {
            issuers: Issuers::default(),
            fixed: RwLock::new(fixed),
            seen: Mutex::new(Seen::new()),
            names: RwLock::default(),
            enrolling: Enrolling::default(),
            tenant,
        })
    }

    pub(crate) fn set_names(&self, names: &[String]) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names.to_vec();
    }

    /// Whether this server is called so; a port does not matter.
    pub(crate) fn is_called(&self, host: &str) -> bool {
        let name = host_name(host);
        LOCAL.contains(&name)
            || self
                .names
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }

    pub(crate) const fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Whether a federation brought keys of its own.
    pub(crate) fn fixed(&self, federation: Uuid) -> bool {
        self.fixed.read().unwrap_or_else(PoisonError::into_inner).contains_key(&federation)
    }

    /// Remembers the keys of a federation, or forgets them.
    pub(crate) fn fix(&self, federation: Uuid, keys: Option<Jwks>) {
        let mut fixed = self.fixed.write().unwrap_or_else(PoisonError::into_inner);
        match keys {
            Some(keys) => drop(fixed.insert(federation, Arc::new(keys))),
            None => drop(fixed.remove(&federation)),
        }
    }

    fn keys_of(&self, federation: Uuid) -> Option<Arc<Jwks>> {
        self.fixed.read().unwrap_or_else(PoisonError::into_inner).get(&federation).map(Arc::clone)
    }

    /// The principal that a token of another issuer stands for.
    pub(crate) async fn federated(
        &self,
        authority: &Authority,
        token: &str,
        now: Timestamp,
    ) -> Result<Caller, ForeignError> {
        let parsed = Unverified::parse(token)?;
        let issuer = parsed.issuer().ok_or(JwtError::Missing { claim: "iss" })?.to_owned();
        let key_id = parsed.key_id().map(str::to_owned);
        let directory = authority.directory();
        let ours = directory.federations().iter().filter(|federation| federation.issuer == issuer);
        let (fixed, fetched): (Vec<_>, Vec<_>) = ours
            .map(|federation| (self.keys_of(federation.id), federation.clone()))
            .partition(|(keys, _)| keys.is_some());
        if fixed.is_empty() && fetched.is_empty() {
            return Err(ForeignError::UnknownIssuer(issuer.chars().take(200).collect()));
        }
        let mut wrong = None;
        // Keys that came with a federation speak for that one only.
        for (keys, federation) in fixed {
            let Some(keys) = keys else { continue };
            match stands_for(&keys, std::slice::from_ref(&federation), token, now) {
                Ok(id) => return come_in(authority, id),
                Err(error) => wrong = Some(error),
            }
        }
        if !fetched.is_empty() {
            let keys = self.issuers.keys(&issuer, key_id.as_deref(), now).await?;
            let table: Vec<Federation> = fetched.into_iter().map(|(_, federation)| federation).collect();
            match stands_for(&keys, &table, token, now) {
                Ok(id) => return come_in(authority, id),
                Err(error) => wrong = Some(error),
            }
        }
        Err(wrong.unwrap_or(ForeignError::UnknownIssuer(issuer)))
    }

    /// The principal `client` by an assertion that it signed with a registered certificate, or by a token of another
    /// issuer that stands for it. `endpoints` are what the assertion may be addressed to.
    pub(crate) async fn asserted(
        &self,
        authority: &Authority,
        client: &str,
        token: &str,
        endpoints: &[&str],
        now: Timestamp,
    ) -> Result<Caller, ForeignError> {
        let directory = authority.directory();
        let found = named(&directory, client);
        let own = assertion::client(token).is_ok_and(|subject| subject == client)
            && Unverified::parse(token)?.issuer() == Some(client);
        if !own {
            let caller = self.federated(authority, token, now).await?;
            return if found.is_some_and(|found| found.id == caller.id) {
                Ok(caller)
            } else {
                Err(ForeignError::Other)
            };
        }
        let nothing = boltseal_identity::Credentials::default();
        let credentials = found.map_or(&nothing, |found| &found.credentials);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            assertion::verify(token, client, credentials, endpoints, &mut seen, now)?;
        }
        let id = found.map_or(PrincipalId::ANONYMOUS, |found| found.id);
        authority.caller(id, Method::Certificate).ok_or(ForeignError::Other)
    }
}

/// Where keys that came with a federation are kept.
pub(crate) fn setting(federation: Uuid) -> String {
    format!("federation.keys.{federation}")
}

/// The caller that a federation makes of a token, unless its principal is gone or disabled.
fn come_in(authority: &Authority, (principal, by): (Uuid, Uuid)) -> Result<Caller, ForeignError> {
    authority.caller(PrincipalId(principal), Method::Federation(by)).ok_or(ForeignError::Gone(by))
}

/// The principal and the federation that make a genuine token good.
fn stands_for(
    keys: &Jwks,
    table: &[Federation],
    token: &str,
    now: Timestamp,
) -> Result<(Uuid, Uuid), ForeignError> {
    let audiences: Vec<&str> = table.iter().map(|federation| federation.audience.as_str()).collect();
    let issuer = table.first().map_or("", |federation| federation.issuer.as_str());
    let expected = Expected { issuer, audiences: &audiences };
    let verified = Unverified::parse(token)?.verify(keys, &expected, now)?;
    let federation = federation::match_token(table, &verified.claims)?;
    Ok((federation.principal, federation.id))
}
