//! A blob on its way from a registry.

use std::io::{self, Read};

use boltseal_model::Digest;
use boltseal_wire::client::Body;

use super::Registry;
use crate::Error;

/// How often a download goes on after a break without having come any further.
const MAX_TRIES: u32 = 3;

/// Reads a blob; when the connection breaks, asks for the rest (RFC 9110, "Range Requests").
pub struct Download<'r> {
    registry: &'r Registry,
    digest: Digest,
    body: Body,
    at: u64,
    tries: u32,
}

impl<'r> Download<'r> {
    pub fn start(registry: &'r Registry, digest: &Digest) -> Result<Self, Error> {
        // How long a blob may be is known to whoever asked for it.
        let body = registry.get(&format!("blobs/{digest}"), &[])?.body(u64::MAX);
        Ok(Self { registry, digest: digest.clone(), body, at: 0, tries: 0 })
    }

    fn go_on(&mut self) -> Result<(), Error> {
        let range = format!("bytes={}-", self.at);
        let answer = self.registry.get(&format!("blobs/{}", self.digest), &[("Range", &range)])?;
        let partial = answer.status() == 206;
        self.body = answer.body(u64::MAX);
        if !partial {
            // The registry starts over; what we have had is the same again, or the digest will tell.
            io::copy(&mut (&mut self.body).take(self.at), &mut io::sink())
                .map_err(|source| Error::blob(&self.digest, source))?;
        }
        Ok(())
    }
}

impl Read for Download<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.body.read(out) {
                Ok(read) => {
                    self.at += read as u64;
                    self.tries = if read > 0 { 0 } else { self.tries };
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.tries += 1;
                    if self.tries > MAX_TRIES || self.go_on().is_err() {
                        return Err(io::Error::other(Error::blob(&self.digest, error)));
                    }
                }
            }
        }
    }
}
