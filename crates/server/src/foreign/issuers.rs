//! Fetches what issuers publish: their metadata and their keys (`OpenID` Connect Discovery, RFC 7517).
//!
//! A sign-in never waits for an issuer whose keys are known: stale ones are used while one request renews them. Where
//! none are known, everybody waits for the same fetch.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use boltseal_identity::{
    jwks::{Jwks, JwksError},
    key_cache::{FRESH, KeyCache, State},
    oidc::{Discovery, OidcError, TokenRequest},
};
use boltseal_model::Timestamp;
use boltseal_wire::client::{Client, Error, Method, Options, Payload, Request};
use zeroize::Zeroizing;

/// Bytes of a metadata document, a key set, or an answer with tokens.
const MAX_ANSWER: u64 = 256 << 10;
/// For a whole exchange: people wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an issuer's keys are not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuerError {
    /// It does not answer, or not well.
    #[error(transparent)]
    Http(#[from] Error),
    /// Its metadata is not to be trusted.
    #[error(transparent)]
    Metadata(#[from] OidcError),
    /// Its keys are not keys.
    #[error("the keys of {issuer}: {why}")]
    Keys {
        /// Whose.
        issuer: String,
        /// What is wrong.
        why: JwksError,
    },
    /// It did not answer a moment ago.
    #[error("{issuer} could not be reached a moment ago: try again in a while")]
    Paused {
        /// Who.
        issuer: String,
    },
    /// It sends us from the safety of its `https` to somewhere else.
    #[error("{issuer} says that its keys are at {url}, which is not https")]
    Downgrade {
        /// Who.
        issuer: String,
        /// Where to.
        url: String,
    },
    /// A thread could not be had.
    #[error("no thread to ask the issuer with")]
    Thread,
}

/// Asks issuers, and remembers their keys.
#[derive(Default)]
pub(crate) struct Issuers {
    client: OnceLock<Client>,
    cache: Mutex<KeyCache>,
    /// The metadata that was read last, and when: people sign in through one issuer.
    metadata: Mutex<Option<(Discovery, i64)>>,
    /// One fetch at a time for whoever has nothing to go on with.
    fetching: tokio::sync::Mutex<()>,
}

impl Issuers {
    /// The keys of `issuer`; `key_id` is the one that a token names.
    pub(crate) async fn keys(
        &self,
        issuer: &str,
        key_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Jwks>, IssuerError> {
        let state = self.cache().state(issuer, now);
        match state {
            State::Fresh(keys) => {
                let unknown = key_id.is_some_and(|id| !keys.has(id));
                if unknown && self.cache().should_fetch_unknown_key(issuer, now) {
                    return Ok(self.renew(issuer, now).await.unwrap_or(keys));
                }
                Ok(keys)
            }
            State::Stale(keys) => {
                if self.cache().should_fetch(issuer, now) {
                    return Ok(self.renew(issuer, now).await.unwrap_or(keys));
                }
                Ok(keys)
            }
            State::Missing => {
                let _one_at_a_time = self.fetching.lock().await;
                // Somebody else may have fetched them meanwhile.
                if let State::Fresh(keys) | State::Stale(keys) = self.cache().state(issuer, now) {
                    return Ok(keys);
                }
                if !self.cache().should_fetch(issuer, now) {
                    return Err(IssuerError::Paused { issuer: issuer.to_owned() });
                }
                self.renew(issuer, now).await
            }
        }
    }

    async fn renew(&self, issuer: &str, now: Timestamp) -> Result<Arc<Jwks>, IssuerError> {
        match self.fetch(issuer).await {
            Ok(keys) => Ok(self.cache().put(issuer, keys, now)),
            Err(error) => {
                let pause = self.cache().failed(issuer, now);
                tracing::warn!(issuer, %error, pause, "the keys of an issuer could not be fetched");
                Err(error)
            }
        }
    }

    async fn fetch(&self, issuer: &str) -> Result<Jwks, IssuerError> {
        let (client, issuer) = (self.client()?, issuer.to_owned());
        blocking(move || {
            let metadata = get(&client, &Discovery::url(&issuer)?)?;
            let url = Discovery::keys_url(&metadata, &issuer)?;
            if issuer.starts_with("https://") && !url.starts_with("https://") {
                return Err(IssuerError::Downgrade { issuer, url });
            }
            let keys = get(&client, &url)?;
            Jwks::parse(&keys).map_err(|why| IssuerError::Keys { issuer, why })
        })
        .await
    }

    /// The metadata of an issuer that people sign in through.
    pub(crate) async fn metadata(&self, issuer: &str, now: Timestamp) -> Result<Discovery, IssuerError> {
        let second = now.as_second();
        let known = self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((known, read)) = known
            && known.issuer == issuer
            && (read..read.saturating_add(FRESH)).contains(&second)
        {
            return Ok(known);
        }
        let (client, issuer) = (self.client()?, issuer.to_owned());
        let fetched = blocking(move || {
            let bytes = get(&client, &Discovery::url(&issuer)?)?;
            Ok(Discovery::parse(&bytes, &issuer)?)
        });
        let fetched = fetched.await?;
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some((fetched.clone(), second));
        Ok(fetched)
    }

    /// Sends a request for tokens; the answer as it came, whatever its status.
    pub(crate) async fn tokens(&self, request: TokenRequest) -> Result<Zeroizing<Vec<u8>>, IssuerError> {
        let client = self.client()?;
        blocking(move || {
            let mut post = Request::new(Method::Post, &request.endpoint)?
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .payload(Payload::Bytes(request.body.expose().as_bytes()));
            if let Some(authorization) = &request.authorization {
                post = post.header("Authorization", authorization.expose());
            }
            Ok(Zeroizing::new(client.send(post)?.bytes(MAX_ANSWER)?))
        })
        .await
    }

    fn client(&self) -> Result<Client, IssuerError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        // An issuer has no reason to send us elsewhere.
        let options =
            Options { total: PATIENCE, head: PATIENCE, idle: PATIENCE, redirects: 0, ..Options::default() };
        let client = Client::new(&options)?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(client: &Client, url: &str) -> Result<Vec<u8>, IssuerError> {
    let request = Request::new(Method::Get, url)?.header("Accept", "application/json");
    Ok(client.send(request)?.success()?.bytes(MAX_ANSWER)?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IssuerError> + Send + 'static,
) -> Result<T, IssuerError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(IssuerError::Thread))
}
