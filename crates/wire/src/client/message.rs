//! Requests and responses.

use std::{fmt, io, io::Read, time::Duration};

use ureq::{AsSendBody as _, http};
use url::Url;

use super::error::{Error, shown};

/// The methods we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 9110, section 9.3, names them")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether sending it again changes nothing (RFC 9110, section 9.2.1).
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// What a request carries.
#[derive(Default)]
pub enum Payload<'a> {
    /// Nothing. POST, PUT and PATCH then say `Content-Length: 0`.
    #[default]
    Empty,
    /// Bytes at hand; survives a 307 or 308 redirect.
    Bytes(&'a [u8]),
    /// A stream of exactly this many bytes; a redirect that would need it twice is an error.
    Stream(&'a mut dyn Read, u64),
}

/// One request.
pub struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) payload: Payload<'a>,
    pub(super) deadline: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A request without headers or payload.
    pub fn new(method: Method, url: &str) -> Result<Self, Error> {
        let refused = |why: String| Error::Url { url: url.chars().take(200).collect(), why };
        let parsed = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(refused(format!("scheme `{}`", parsed.scheme())));
        }
        Ok(Self { method, url: parsed, headers: Vec::new(), payload: Payload::Empty, deadline: None })
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the payload.
    #[must_use]
    pub fn payload(mut self, payload: Payload<'a>) -> Self {
        self.payload = payload;
        self
    }

    /// Time for everything, the body included, instead of the client's.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// As `ureq` wants it. Takes a stream out: it can be sent once.
    pub(super) fn message<'b>(
        &'b mut self,
        nothing: &'b mut (),
    ) -> Result<http::Request<ureq::SendBody<'b>>, ureq::Error> {
        if matches!(
            (&self.payload, self.method),
            (Payload::Empty, Method::Post | Method::Put | Method::Patch)
        ) {
            self.payload = Payload::Bytes(&[]);
        }
        let mut builder = http::Request::builder().method(self.method.name()).uri(self.url.as_str());
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let body = match &mut self.payload {
            Payload::Empty => nothing.as_body(),
            Payload::Bytes(bytes) => bytes.as_body(),
            Payload::Stream(stream, length) => {
                builder = builder.header("Content-Length", *length);
                ureq::SendBody::from_reader(*stream)
            }
        };
        Ok(builder.body(body)?)
    }
}

impl fmt::Debug for Request<'_> {
    /// Without header values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), shown(&self.url))
    }
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub struct Response {
    url: Url,
    head: http::response::Parts,
    body: ureq::Body,
}

impl Response {
    pub(super) fn new(url: Url, answer: http::Response<ureq::Body>) -> Self {
        let (head, body) = answer.into_parts();
        Self { url, head, body }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// The first value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Every value of a header.
    pub fn header_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Where the answer came from, after redirects; for resolving a relative `Location`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// `Content-Length`, if the server says it.
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// An error unless the status is 2xx, with the first words of the answer.
    pub fn success(mut self) -> Result<Self, Error> {
        if self.head.status.is_success() {
            return Ok(self);
        }
        Err(self.refusal())
    }

    /// This answer as an [`Error::Status`].
    pub fn refusal(&mut self) -> Error {
        let mut start = Vec::new();
        // What cannot be read does not matter: the status already says no.
        let _ = self.body.as_reader().take(MAX_EXCERPT_BYTES).read_to_end(&mut start);
        let words: String = String::from_utf8_lossy(&start)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(200)
            .collect();
        let words = words.trim();
        let excerpt =
            if words.is_empty() || words.starts_with('<') { String::new() } else { format!(": {words}") };
        Error::Status { url: shown(&self.url), status: self.status(), excerpt }
    }

    /// The body as a stream that fails with [`Error::TooLarge`] after `limit` bytes. `u64::MAX` means none.
    pub fn body(self, limit: u64) -> Body {
        Body { url: self.url, inner: self.body.into_reader(), left: limit, limit }
    }

    /// The whole body, at most `limit` bytes.
    pub fn bytes(self, limit: u64) -> Result<Vec<u8>, Error> {
        let url = self.url.clone();
        let mut bytes = Vec::new();
        match self.body(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Error::of_body(&url, error)),
        }
    }

    /// The whole body, at most `limit` bytes, as UTF-8.
    pub fn text(self, limit: u64) -> Result<String, Error> {
        let url = shown(&self.url);
        String::from_utf8(self.bytes(limit)?)
            .map_err(|error| Error::Protocol { url, why: format!("the answer is not UTF-8: {error}") })
    }
}

/// Of a refusal, this much is read to quote its first words.
const MAX_EXCERPT_BYTES: u64 = 4096;

/// The streaming body of a response. Its I/O errors wrap an [`Error`].
pub struct Body {
    url: Url,
    inner: ureq::BodyReader<'static>,
    left: u64,
    limit: u64,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body of {}", shown(&self.url))
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(Error::of_exchange(&self.url, error.into()).into()),
        };
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(Error::TooLarge { url: shown(&self.url), limit: self.limit }.into()),
        }
        Ok(read)
    }
}

impl Error {
    /// What [`Body`] wrapped into an I/O error.
    pub fn of_body(url: &Url, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(source) => Self::Broken { url: shown(url), source },
        }
    }
}
