//! Blobs of a repository, and one on its way from there (distribution specification, "Pulling blobs").

use std::{
    io::{self, Read},
    ops::Range,
};

use boltseal_model::{Digest, Hasher};
use boltseal_wire::client::{self, Body, Method, Response};

use super::{Error, Repository};

/// How often a download goes on after a break without having come any further.
const MAX_TRIES: u32 = 3;

impl Repository {
    /// Bytes of a blob, or `None` where the registry does not have it in this repository.
    pub fn head_blob(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let mut ask = self.remote.ask(
            Method::Head,
            &format!("{}/blobs/{digest}", self.name),
            format!("blob {digest} of {}", self.name),
        )?;
        ask.scopes = vec![self.scope("pull")];
        match self.remote.send(&ask) {
            Ok(answer) => Ok(Some(answer.length().unwrap_or_default())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether sending a blob would be in vain. A registry that holds images back answers 403 for what it has; it takes
    /// it again all the same, and says no to the upload where that is what it means.
    pub(super) fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        match self.head_blob(digest) {
            Ok(size) => Ok(size.is_some()),
            Err(error) if error.status() == Some(403) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a blob of at most `limit` bytes. A download that breaks goes on where it stopped; reading fails at the
    /// end if the bytes are not what `digest` promises.
    pub fn blob(&self, digest: &Digest, limit: u64) -> Result<Download<'_>, Error> {
        let hasher = Some(Hasher::new(digest.algorithm()));
        self.download(digest, limit, hasher)
    }

    /// The same for whoever checks the digest himself.
    pub(crate) fn blob_unchecked(&self, digest: &Digest) -> Result<Download<'_>, Error> {
        self.download(digest, u64::MAX, None)
    }

    /// The bytes `range` of a blob, for whoever checks them himself; `None` where the registry sends no parts.
    pub(crate) fn blob_stretch(
        &self,
        digest: &Digest,
        range: Range<u64>,
    ) -> Result<Option<Download<'_>>, Error> {
        let answer = self.get_blob(digest, range.start, Some(range.end))?;
        let told = format!("bytes {}-{}/", range.start, range.end.saturating_sub(1));
        let exact = answer.header("content-range").is_none_or(|range| range.starts_with(&told));
        if answer.status() != 206 || !exact {
            return Ok(None);
        }
        let Range { start: at, end } = range;
        let (digest, body) = (digest.clone(), answer.body(u64::MAX));
        Ok(Some(Download {
            repository: self,
            digest,
            body,
            at,
            limit: end,
            end: Some(end),
            tries: 0,
            hasher: None,
        }))
    }

    /// Removes a blob from the repository, where the registry lets anyone do that.
    pub fn delete_blob(&self, digest: &Digest) -> Result<(), Error> {
        let what = format!("blob {digest} of {}", self.name);
        let mut ask = self.remote.ask(Method::Delete, &format!("{}/blobs/{digest}", self.name), what)?;
        ask.accepted = &[202, 200, 204];
        ask.scopes = vec![self.scope("delete")];
        self.remote.send(&ask).map(drop)
    }

    fn download(&self, digest: &Digest, limit: u64, hasher: Option<Hasher>) -> Result<Download<'_>, Error> {
        let body = self.get_blob(digest, 0, None)?.body(u64::MAX);
        let digest = digest.clone();
        Ok(Download { repository: self, digest, body, at: 0, limit, end: None, tries: 0, hasher })
    }

    fn get_blob(&self, digest: &Digest, from: u64, end: Option<u64>) -> Result<Response, Error> {
        let what = format!("blob {digest} of {}", self.name);
        let mut ask = self.remote.ask(Method::Get, &format!("{}/blobs/{digest}", self.name), what)?;
        ask.scopes = vec![self.scope("pull")];
        if from > 0 || end.is_some() {
            let last = end.map_or_else(String::new, |end| end.saturating_sub(1).to_string());
            ask.accepted = &[206, 200];
            ask = ask.header("Range", format!("bytes={from}-{last}"));
        }
        self.remote.send(&ask)
    }
}

/// Reads a blob; when the connection breaks, asks for the rest (RFC 9110, "Range Requests").
pub struct Download<'r> {
    repository: &'r Repository,
    digest: Digest,
    body: Body,
    at: u64,
    limit: u64,
    /// Where a part of the blob ends.
    end: Option<u64>,
    tries: u32,
    /// None where nobody asked, and after the end.
    hasher: Option<Hasher>,
}

impl Download<'_> {
    fn go_on(&mut self) -> Result<(), Error> {
        let answer = self.repository.get_blob(&self.digest, self.at, self.end)?;
        let partial = answer.status() == 206;
        self.body = answer.body(u64::MAX);
        if !partial {
            // The registry starts over; what we have had is the same again, or the digest will tell.
            io::copy(&mut (&mut self.body).take(self.at), &mut io::sink())
                .map_err(|source| Error::io(self.what(), source))?;
        }
        Ok(())
    }

    fn again(&mut self, error: io::Error) -> io::Result<()> {
        self.tries += 1;
        if self.tries > MAX_TRIES || self.go_on().is_err() { Err(self.broken(error)) } else { Ok(()) }
    }

    fn what(&self) -> String {
        format!("blob {} of {}", self.digest, self.repository)
    }

    fn broken(&self, error: io::Error) -> io::Error {
        let remote = &self.repository.remote;
        let source = client::Error::of_body(&remote.0.base, error);
        io::Error::other(Error::unreachable(remote.host(), &self.what(), source))
    }

    fn had(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        if self.at > self.limit {
            let why = format!("has more than the {} bytes it should have", self.limit);
            return Err(io::Error::other(Error::content(self.what(), why)));
        }
        if !bytes.is_empty() {
            self.tries = 0;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(bytes);
            }
            return Ok(());
        }
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = hasher.finish();
        if found == self.digest {
            return Ok(());
        }
        Err(io::Error::other(Error::digest(self.what(), &self.digest, found)))
    }
}

impl Read for Download<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            // Who sends more than a part was asked for is not read any further.
            let left = self.end.and_then(|end| usize::try_from(end - self.at).ok()).unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(0);
            }
            let most = left.min(out.len());
            match self.body.read(out.get_mut(..most).unwrap_or_default()) {
                Ok(0) if self.end.is_some() => self.again(io::ErrorKind::UnexpectedEof.into())?,
                Ok(read) => {
                    self.had(out.get(..read).unwrap_or_default())?;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.again(error)?,
            }
        }
    }
}
