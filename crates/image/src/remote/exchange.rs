//! One request and its answer: logged in, sent again where that may help, and never to a stranger with our secrets.

use std::{
    io::{self, Read},
    sync::atomic::Ordering,
    thread,
    time::Duration,
};

use boltseal_wire::client::{self, Method, Payload, Request, Response};
use url::Url;

use super::{
    Challenge, Error, Remote,
    error::{Refusal, retry_after},
};

/// The wait before the first retry; every further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Retries after which waits grow no more.
const MAX_DOUBLINGS: u32 = 6;

/// What to ask a registry.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub payload: &'a [u8],
    /// What a token must allow.
    pub scopes: Vec<String>,
    /// For messages.
    pub what: String,
    /// Whether sending it twice changes nothing.
    pub again: bool,
    /// The statuses that are no refusal.
    pub accepted: &'static [u16],
}

impl Ask<'_> {
    #[must_use]
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl<'a> Ask<'a> {
    #[must_use]
    pub(super) fn payload(mut self, kind: &str, bytes: &'a [u8]) -> Self {
        self.payload = bytes;
        self.header("Content-Type", kind)
    }
}

impl Remote {
    /// A request below `/v2/`.
    pub(super) fn ask(&self, method: Method, path: &str, what: String) -> Result<Ask<'static>, Error> {
        let url = self
            .0
            .base
            .join(&format!("/v2/{path}"))
            .map_err(|_| Error::answer(&self.0.host, &what, "makes no address"))?;
        Ok(self.ask_at(method, url, what))
    }

    /// A request to an address that the registry gave us.
    #[expect(clippy::unused_self, reason = "reads like the other")]
    pub(super) fn ask_at(&self, method: Method, url: Url, what: String) -> Ask<'static> {
        Ask {
            method,
            url,
            headers: Vec::new(),
            payload: &[],
            scopes: Vec::new(),
            what,
            again: !matches!(method, Method::Post | Method::Patch),
            accepted: &[200],
        }
    }

    /// Sends it until there is an answer worth having.
    pub(super) fn send(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        let mut retries = 0;
        loop {
            let sent = self.logged_in(ask, &mut || Payload::Bytes(ask.payload));
            let (wait, failed) = match sent {
                Ok(answer) if ask.accepted.contains(&answer.status()) => return Ok(answer),
                Ok(answer) => {
                    let wait = matches!(answer.status(), 429 | 502 | 503 | 504)
                        .then(|| retry_after(&answer).unwrap_or_default());
                    (wait, self.refused(ask, answer))
                }
                Err(error) => (self.is_worth_it(&error).then_some(Duration::ZERO), error),
            };
            let wait = wait.filter(|wait| ask.again && retries < self.0.retries && *wait <= self.0.patience);
            let Some(wait) = wait else { return Err(failed) };
            thread::sleep(wait.max(FIRST_WAIT * 2_u32.pow(retries.min(MAX_DOUBLINGS))));
            retries += 1;
        }
    }

    /// Sends it once, with `length` bytes of `body`. Whether the reader failed or the registry is told apart.
    pub(super) fn send_stream(
        &self,
        ask: &Ask<'_>,
        body: &mut dyn Read,
        length: u64,
    ) -> Result<Response, Error> {
        let mut body = Watched { inner: body, failed: None };
        let sent = {
            let authorization = self.authorization(ask)?;
            self.once(ask, authorization.as_deref().map(String::as_str), Payload::Stream(&mut body, length))
        };
        if let Some(failed) = body.failed {
            return Err(Error::of_read(&ask.what, failed));
        }
        let answer = sent?;
        if ask.accepted.contains(&answer.status()) { Ok(answer) } else { Err(self.refused(ask, answer)) }
    }

    /// Sends it; a 401 is answered once.
    fn logged_in<'p>(
        &self,
        ask: &Ask<'_>,
        payload: &mut dyn FnMut() -> Payload<'p>,
    ) -> Result<Response, Error> {
        let authorization = self.authorization(ask)?;
        let answer = self.once(ask, authorization.as_deref().map(String::as_str), payload())?;
        if answer.status() != 401 || !self.is_home(&ask.url) {
            return Ok(answer);
        }
        let challenges: Vec<&str> = answer.header_all("www-authenticate").collect();
        let challenge = Challenge::parse(&challenges.join(", "));
        let next = self.0.answer(challenge, &ask.scopes, &ask.what)?;
        if next.is_none() || (next == authorization && authorization.is_some()) {
            return Ok(answer); // saying the same again would not help
        }
        self.once(ask, next.as_deref().map(String::as_str), payload())
    }

    fn authorization(&self, ask: &Ask<'_>) -> Result<Option<zeroize::Zeroizing<String>>, Error> {
        if self.is_home(&ask.url) { self.0.authorization(&ask.scopes) } else { Ok(None) }
    }

    fn once(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&str>,
        payload: Payload<'_>,
    ) -> Result<Response, Error> {
        let send = || {
            let mut request = Request::new(ask.method, ask.url.as_str())?;
            for (name, value) in &ask.headers {
                request = request.header(name, value.as_str());
            }
            if let Some(authorization) = authorization {
                request = request.header("Authorization", authorization);
            }
            if matches!(ask.method, Method::Put | Method::Post | Method::Patch) {
                request = request.payload(payload);
            }
            self.0.client.send(request)
        };
        let answer = send().map_err(|source| Error::unreachable(&self.0.host, &ask.what, source))?;
        self.0.reached.store(true, Ordering::Relaxed);
        Ok(answer)
    }

    /// Whether `url` may see who we are.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.0.base.origin()
    }

    /// A registry that answered before and broke a connection, or is gone for a moment, may be back soon. Who let a
    /// deadline pass has been waited for already.
    fn is_worth_it(&self, error: &Error) -> bool {
        let Error::Unreachable { source, .. } = error else { return false };
        match **source {
            client::Error::Broken { .. } => true,
            client::Error::Connect { .. } => self.0.reached.load(Ordering::Relaxed),
            _ => false,
        }
    }

    pub(super) fn refused(&self, ask: &Ask<'_>, answer: Response) -> Error {
        let refusal = Box::new(Refusal::read(answer, self.0.login.is_known()));
        Error::Refused { registry: self.0.host.clone(), what: crate::error::shown(&ask.what), refusal }
    }

    /// An answer that breaks the specification.
    pub(super) fn wrong(&self, what: &str, why: impl Into<String>) -> Error {
        Error::answer(&self.0.host, what, why)
    }

    /// Where `answer` says to go on; never from TLS to plain HTTP.
    pub(super) fn location(&self, what: &str, answer: &Response) -> Result<Url, Error> {
        let location =
            answer.header("location").ok_or_else(|| self.wrong(what, "answered without Location"))?;
        self.address(what, answer, location)
    }

    /// `written`, as an address relative to where `answer` came from.
    pub(super) fn address(&self, what: &str, answer: &Response, written: &str) -> Result<Url, Error> {
        let url = answer.url().join(written).map_err(|_| self.wrong(what, "points to no address"))?;
        match (self.0.base.scheme(), url.scheme()) {
            (_, "https") | ("http", "http") => Ok(url),
            _ => Err(self.wrong(
                what,
                "points from https to an address without; behind a proxy, the registry must be told its own \
                 address",
            )),
        }
    }
}

/// Remembers that it was the reader who failed.
struct Watched<'r> {
    inner: &'r mut dyn Read,
    failed: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(out) {
            Ok(read) => Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::from(error.kind());
                self.failed = Some(error);
                Err(told)
            }
        }
    }
}
