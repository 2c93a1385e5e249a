//! Blobs on their way to a registry (distribution specification, "Pushing blobs", "Mounting a blob from another
//! repository").

use std::io::Read;

use boltseal_model::{Algorithm, Digest, Hasher, Reference};
use boltseal_wire::client::{Method, Response};
use url::Url;

use super::{Error, Name, Repository, exchange::Ask};

/// Bytes sent at once where a blob goes in pieces: held in memory, so that a piece can be sent again.
const CHUNK: usize = 8 << 20;
/// The largest piece we hold because a registry wants no smaller ones (`OCI-Chunk-Min-Length`).
const MAX_CHUNK: usize = 64 << 20;
/// Bytes up to which a blob is sent in one request again and again, rather than in pieces after the first failure.
const SMALL: u64 = 1 << 20;
/// How often a piece is sent again after a broken connection.
const MAX_TRIES: u32 = 4;

/// What sending a blob starts from; asked for again where it has to start over.
pub type Source<'s> = dyn FnMut() -> Result<Box<dyn Read + Send + 's>, Error> + 's;

/// What became of a wish to mount.
#[derive(Debug)]
pub enum Mounted {
    /// The blob is in the repository now.
    Yes,
    /// The registry did not; it began an upload instead.
    No(Upload),
}

/// An upload that has begun.
#[derive(Debug)]
pub struct Upload {
    repository: Repository,
    url: Url,
    /// Bytes the registry has.
    at: u64,
    /// The smallest piece it takes, but for the last.
    least: usize,
}

impl Repository {
    /// Stores `bytes` as a blob. What is there already is not sent again.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        if !self.has_blob(&digest)? {
            self.start_upload()?.finish(&digest, bytes)?;
        }
        Ok(digest)
    }

    /// Stores the blob `digest` of `size` bytes: in one request, and where that breaks, in pieces that can be sent
    /// again. `source` is asked for the bytes from their start, at most twice.
    pub fn put_blob_from(&self, digest: &Digest, size: u64, source: &mut Source<'_>) -> Result<(), Error> {
        self.start_upload()?.send(digest, size, source)
    }

    /// Stores everything that `source` has as a blob whose digest nobody knows yet. Returns digest and size.
    pub fn put_blob_streamed(&self, source: &mut dyn Read) -> Result<(Digest, u64), Error> {
        let mut upload = self.start_upload()?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let last = upload.pieces(source, Some(&mut hasher))?;
        let size = upload.at + last.len() as u64;
        let digest = hasher.finish();
        upload.finish(&digest, &last)?;
        Ok((digest, size))
    }

    /// Asks to have the blob `digest` of the repository `from`, of the same registry, here too.
    pub fn mount(&self, digest: &Digest, from: &str) -> Result<Mounted, Error> {
        if !Reference::is_repository(from) {
            let why = "blobs are mounted from a repository of the same registry";
            return Err(Error::Name { name: crate::error::shown(from), why });
        }
        let mut ask = self.upload_ask(format!("blob {digest} from {from} to {}", self.name))?;
        let digest = digest.to_string();
        ask.url.query_pairs_mut().append_pair("mount", &digest).append_pair("from", from);
        ask.scopes.push(format!("repository:{from}:pull"));
        ask.accepted = &[201, 202];
        let answer = self.remote.send(&ask)?;
        if answer.status() == 201 {
            Ok(Mounted::Yes)
        } else {
            self.begun(&ask.what, &answer).map(Mounted::No)
        }
    }

    /// Begins an upload.
    pub fn start_upload(&self) -> Result<Upload, Error> {
        let ask = self.upload_ask(format!("upload to {}", self.name))?;
        let answer = self.remote.send(&ask)?;
        self.begun(&ask.what, &answer)
    }

    fn upload_ask(&self, what: String) -> Result<Ask<'static>, Error> {
        let mut ask = self.remote.ask(Method::Post, &format!("{}/blobs/uploads/", self.name), what)?;
        ask.scopes = vec![self.scope("pull,push")];
        ask.accepted = &[202];
        // One upload too many ends by itself.
        ask.again = true;
        Ok(ask)
    }

    fn begun(&self, what: &str, answer: &Response) -> Result<Upload, Error> {
        let url = self.remote.location(what, answer)?;
        let least = answer.header("oci-chunk-min-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        if least > MAX_CHUNK {
            let why = format!("wants pieces of at least {least} bytes; we hold {MAX_CHUNK}");
            return Err(self.remote.wrong(what, why));
        }
        Ok(Upload { repository: self.clone(), url, at: 0, least })
    }
}

impl Upload {
    /// Bytes the registry has.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Sends the blob `digest` of `size` bytes, as [`Repository::put_blob_from`] does.
    pub fn send(mut self, digest: &Digest, size: u64, source: &mut Source<'_>) -> Result<(), Error> {
        let ask = self.last_ask(digest);
        let first = {
            let mut reader = source()?;
            self.repository.remote.send_stream(&ask, &mut reader, size)
        };
        let again = match first {
            Ok(_) => return Ok(()),
            // 401: the token ended meanwhile. 404: the registry forgot the upload with the connection.
            Err(error) if error.is_unavailable() || error.is_rate_limited() => error,
            Err(error) if matches!(error.status(), Some(401 | 404 | 405 | 411 | 413 | 416)) => error,
            Err(error) => return Err(error),
        };
        // Sent whole after all: it was the answer that got lost.
        if self.repository.head_blob(digest).is_ok_and(|found| found.is_some()) {
            return Ok(());
        }
        let repository = self.repository.clone();
        let _ = self.cancel();
        let mut upload = repository.start_upload().map_err(|_| again)?;
        let mut reader = source()?;
        if size <= SMALL {
            let ask = upload.last_ask(digest);
            return repository.remote.send_stream(&ask, &mut reader, size).map(drop);
        }
        let last = upload.pieces(&mut reader, None)?;
        upload.finish(digest, &last)
    }

    /// Sends the next piece; after a broken connection the registry is asked how far it came.
    pub fn chunk(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (start, end) = (self.at, self.at + bytes.len() as u64);
        let mut tries = 0;
        while self.at < end {
            let sent = usize::try_from(self.at - start).unwrap_or(usize::MAX);
            match self.patch(bytes.get(sent..).unwrap_or_default()) {
                Ok(()) => return Ok(()),
                Err(error) if tries < MAX_TRIES && worth_asking(&error) => {
                    tries += 1;
                    self.ask_offset().map_err(|_| error)?;
                }
                Err(error) => return Err(error),
            }
            if self.at < start || self.at > end {
                let why = format!("has {} bytes of an upload of {start} to {end}", self.at);
                return Err(self.repository.remote.wrong(&self.what(), why));
            }
        }
        Ok(())
    }

    /// Sends the last bytes, which may be none, and closes the upload.
    pub fn finish(self, digest: &Digest, last: &[u8]) -> Result<(), Error> {
        let mut ask = self.last_ask(digest);
        if !last.is_empty() {
            if self.at > 0 {
                ask = ask.header("Content-Range", range(self.at, last.len()));
            }
            ask.payload = last;
        }
        let sent = self.repository.remote.send(&ask);
        match sent {
            // Sent twice, the second time to an upload that was closed: it is there, or it is not.
            Err(error) if error.is_not_found() || error.is_unavailable() => {
                match self.repository.head_blob(digest) {
                    Ok(Some(_)) => Ok(()),
                    _ => Err(error),
                }
            }
            other => other.map(drop),
        }
    }

    /// Gives the upload up, so that the registry need not wait for its end.
    pub fn cancel(&mut self) -> Result<(), Error> {
        let mut ask = self.ask(Method::Delete);
        ask.accepted = &[204, 202, 200];
        self.repository.remote.send(&ask).map(drop)
    }

    /// Asks the registry how far it came.
    pub fn ask_offset(&mut self) -> Result<u64, Error> {
        let mut ask = self.ask(Method::Get);
        ask.accepted = &[204, 202, 200];
        let answer = self.repository.remote.send(&ask)?;
        self.at = end_of(answer.header("range"));
        if answer.header("location").is_some() {
            self.url = self.repository.remote.location(&ask.what, &answer)?;
        }
        Ok(self.at)
    }

    fn patch(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut ask = self.ask(Method::Patch).payload("application/octet-stream", bytes);
        ask = ask.header("Content-Range", range(self.at, bytes.len()));
        ask.accepted = &[202, 204];
        let answer = self.repository.remote.send(&ask)?;
        self.url = self.repository.remote.location(&ask.what, &answer)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Sends all pieces of `source` but the last, which is returned.
    fn pieces(&mut self, source: &mut dyn Read, mut hasher: Option<&mut Hasher>) -> Result<Vec<u8>, Error> {
        let most = CHUNK.max(self.least) as u64;
        loop {
            let mut piece = Vec::new();
            source.take(most).read_to_end(&mut piece).map_err(|error| Error::of_read(&self.what(), error))?;
            if let Some(hasher) = &mut hasher {
                hasher.update(&piece);
            }
            if (piece.len() as u64) < most {
                return Ok(piece);
            }
            self.chunk(&piece)?;
        }
    }

    /// The request that closes the upload.
    fn last_ask(&self, digest: &Digest) -> Ask<'static> {
        let mut ask = self.ask(Method::Put);
        ask.url.query_pairs_mut().append_pair("digest", &digest.to_string());
        ask.what = format!("blob {} to {}", Name::Digest(digest), self.repository.name);
        ask.accepted = &[201, 200, 202, 204];
        ask.header("Content-Type", "application/octet-stream")
    }

    fn ask(&self, method: Method) -> Ask<'static> {
        let mut ask = self.repository.remote.ask_at(method, self.url.clone(), self.what());
        ask.scopes = vec![self.repository.scope("pull,push")];
        ask
    }

    fn what(&self) -> String {
        format!("upload to {}", self.repository.name)
    }
}

/// Whether the registry may have got a part.
fn worth_asking(error: &Error) -> bool {
    error.is_unavailable() || error.is_rate_limited() || error.status() == Some(416)
}

/// `FIRST-LAST`, as `Content-Range` of the distribution specification has it.
fn range(from: u64, length: usize) -> String {
    format!("{from}-{}", (from + length as u64).saturating_sub(1))
}

/// How many bytes `0-LAST` are. An upload without any is `0-0`, as one of a single byte; since we send no single bytes
/// but at the end, it is none.
fn end_of(range: Option<&str>) -> u64 {
    let last = range.and_then(|range| range.trim().trim_start_matches("bytes=").split_once('-'));
    match last.and_then(|(_, last)| last.trim().parse::<u64>().ok()) {
        None | Some(0) => 0,
        Some(last) => last.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, bytes) in [
            (Some("0-9"), 10),
            (Some("bytes=0-9"), 10),
            (Some("0-0"), 0),
            (Some("0--1"), 0),
            (Some("x"), 0),
            (None, 0),
            (Some("0-18446744073709551615"), u64::MAX),
        ] {
            assert_eq!(end_of(header), bytes, "{header:?}");
        }
        assert_eq!(range(10, 5), "10-14");
    }
}
