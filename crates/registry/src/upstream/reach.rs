//! Reaching another registry: its client, our credentials there, and leaving it alone when it asks for that.

use std::{
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::upstreams::{Kept, Upstream, context};
use boltseal_identity::{Authority, seal::Purpose};
use boltseal_image::{
    Credentials,
    remote::{Access, Remote},
};

use tokio::task::spawn_blocking;

use super::Trouble;

/// Requests of clients wait for these; a registry that takes longer to answer is as good as away.
const CONNECT: Duration = Duration::from_secs(5);
/// See [`CONNECT`].
const ANSWER: Duration = Duration::from_secs(15);
/// How often a request is sent again while a client waits.
const RETRIES: u32 = 1;
/// How long a registry that could not be reached is not asked about what is here anyway.
const REST: Duration = Duration::from_secs(10);

/// How long nothing is noted of asking a registry, as long as it goes as before.
const QUIET: Duration = Duration::from_mins(1);
/// Characters of a trouble that are noted.
const MAX_TOLD: usize = 500;

/// How a registry is reached.
pub(crate) struct Door<'a> {
    pub(crate) host: &'a str,
    pub(crate) username: Option<&'a str>,
    /// The password, as it is kept.
    pub(crate) sealed: Option<&'a str>,
    pub(crate) plain_http: bool,
    /// PEM.
    pub(crate) ca: Option<&'a str>,
    /// Whether somebody's request waits for it; a job has more patience.
    pub(crate) hurry: bool,
}

impl Door<'_> {
    /// Makes a client. Call it where blocking is allowed: it may look which protocol is spoken there.
    pub(crate) fn open(&self, authority: &Authority) -> Result<Remote, Trouble> {
        let mut access = Access::default();
        access.credentials = self.credentials(authority)?;
        // Never those of whoever runs the server.
        access.anonymous = access.credentials.is_none();
        access.plain_http = self.plain_http;
        if self.hurry {
            (access.connect, access.answer) = (CONNECT, ANSWER);
            (access.retries, access.patience) = (RETRIES, Duration::ZERO);
        }
        // The client reads the file when it is made.
        let file = self.ca.map(authority_file).transpose()?;
        access.ca_file = file.as_ref().map(|file| file.path().to_owned());
        Remote::connect(self.host, &access).map_err(|error| Trouble::of(&error))
    }

    fn credentials(&self, authority: &Authority) -> Result<Option<Credentials>, Trouble> {
        let (Some(username), Some(sealed)) = (self.username, self.sealed) else { return Ok(None) };
        let unreadable = || {
            let cure = "give the password again";
            Trouble::Denied(format!("our password for {} cannot be opened: {cure}", self.host))
        };
        let sealed = STANDARD.decode(sealed).map_err(|_| unreadable())?;
        let plain = authority.keys().open(Purpose::Setting, &sealed, &context(self.host, username));
        let plain = plain.map_err(|_| unreadable())?;
        let password = std::str::from_utf8(&plain).map_err(|_| unreadable())?;
        Ok(Some(Credentials::new(username, password)))
    }
}

fn authority_file(pem: &str) -> Result<tempfile::NamedTempFile, Trouble> {
    let mut file = tempfile::NamedTempFile::new().map_err(Trouble::ended)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.flush()).map_err(Trouble::ended)?;
    Ok(file)
}

/// An upstream, and how we stand with it.
pub(crate) struct Known {
    pub(crate) setting: Upstream,
    sealed: Option<String>,
    /// The document it was read from: another one is another upstream.
    pub(super) body: String,
    remote: Mutex<Option<Remote>>,
    rest: Mutex<Option<(Instant, Trouble)>>,
    /// When it was last noted how asking went, and whether it went wrong.
    noted: Mutex<Option<(Instant, bool)>>,
}

impl Known {
    /// Reads a document.
    pub(super) fn read(body: String) -> Result<Self, serde_json::Error> {
        let Kept { setting, sealed } = serde_json::from_str::<Kept<Upstream>>(&body)?;
        Ok(Self {
            setting,
            sealed,
            body,
            remote: Mutex::default(),
            rest: Mutex::default(),
            noted: Mutex::default(),
        })
    }

    /// The client of its registry, if there is one; connections and tokens are kept.
    pub(super) fn made(&self) -> Option<Remote> {
        lock(&self.remote).clone()
    }

    /// Makes one.
    pub(super) async fn make(&self, authority: Authority) -> Result<Remote, Trouble> {
        let (setting, sealed) = (self.setting.clone(), self.sealed.clone());
        let work = spawn_blocking(move || {
            let door = Door {
                host: &setting.host,
                username: setting.username.as_deref(),
                sealed: sealed.as_deref(),
                plain_http: setting.plain_http,
                ca: setting.ca.as_deref(),
                hurry: true,
            };
            door.open(&authority)
        });
        let remote = work.await.map_err(Trouble::ended)??;
        *lock(&self.remote) = Some(remote.clone());
        Ok(remote)
    }

    /// Why it is better left alone at the moment, if it is. `needed`: nothing is here that would do instead, so only
    /// its own wish counts.
    pub(crate) fn resting(&self, needed: bool) -> Option<Trouble> {
        let now = Instant::now();
        let rest = lock(&self.rest);
        let (until, why) = rest.as_ref().filter(|(until, _)| *until > now)?;
        match why {
            Trouble::Limited { why, .. } => {
                Some(Trouble::Limited { wait: until.saturating_duration_since(now), why: why.clone() })
            }
            _ if needed => None,
            why => Some(why.clone()),
        }
    }

    /// Whether people should hear how asking it went: not as before, or nothing was said for a while.
    pub(super) fn is_news(&self, trouble: Option<&Trouble>) -> bool {
        if matches!(trouble, Some(Trouble::Ours(_))) {
            return false;
        }
        let wrong = trouble.and_then(told).is_some();
        let mut noted = lock(&self.noted);
        if noted.as_ref().is_some_and(|(at, before)| *before == wrong && at.elapsed() < QUIET) {
            return false;
        }
        *noted = Some((Instant::now(), wrong));
        true
    }

    /// How asking it went.
    pub(super) fn note(&self, trouble: Option<&Trouble>) {
        let wait = match trouble {
            Some(Trouble::Limited { wait, .. }) => *wait,
            Some(Trouble::Away(_)) => {
                // It may come back with another protocol, or elsewhere.
                *lock(&self.remote) = None;
                REST
            }
            Some(Trouble::Ours(_)) => return,
            _ => {
                *lock(&self.rest) = None;
                return;
            }
        };
        *lock(&self.rest) = trouble.map(|why| (Instant::now() + wait, why.clone()));
    }
}

/// What people are told of a trouble. That something is not there is an answer like any other.
pub(super) fn told(trouble: &Trouble) -> Option<String> {
    match trouble {
        Trouble::Missing(_) => None,
        why => Some(why.sentence().chars().take(MAX_TOLD).collect()),
    }
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
