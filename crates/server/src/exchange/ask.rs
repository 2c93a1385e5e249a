//! Asking a witness, on a thread that may wait.

use std::{path::PathBuf, time::Duration};

use crate::recorder::Place;
use boltseal_audit::log::{
    AddCheckpoint, Anchor, Reader, Rollback, SIZE_MEDIA_TYPE, SignedCheckpoint, Verifier,
};
use boltseal_identity::secret::Secret;
use boltseal_wire::client::{Client, Method, Options, Payload, Request, Response};
use url::form_urlencoded;

/// Bytes of an answer: signature lines, or one checkpoint.
const MAX_ANSWER: u64 = 256 << 10;
/// A witness answers from memory, or is not reachable.
const PATIENCE: Duration = Duration::from_secs(10);

/// A witness, ready to be asked.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) url: String,
    pub(super) key: Verifier,
    pub(super) authorization: Option<Secret>,
    /// A PEM file with the authority of its certificate.
    pub(super) ca: Option<PathBuf>,
}

/// Why a witness did not do what it was asked.
#[derive(Debug)]
pub(super) enum Problem {
    /// It does not answer, or says no.
    Refused(String),
    /// What it has seen of our log is not the beginning of our log.
    Rollback {
        /// Size and root of what it has seen.
        seen: String,
        /// How our log differs.
        source: Rollback,
    },
}

impl Peer {
    /// What it has cosigned of our log; `None` where it has seen nothing, or does not tell: our addition to the
    /// protocol.
    pub(super) fn latest(&self, reader: &Reader<Place>) -> Result<Option<SignedCheckpoint>, Problem> {
        let origin: String = form_urlencoded::byte_serialize(reader.verifier().name().as_bytes()).collect();
        let response = self.send(Method::Get, &format!("latest?origin={origin}"), None)?;
        match response.status() {
            200 => {
                let bytes = read(response)?;
                // Our own signature is what counts: the witness cannot make up a larger log.
                let latest = SignedCheckpoint::open(&bytes, reader.verifier()).map_err(refused)?;
                Ok(Some(latest))
            }
            204 | 404 => Ok(None),
            status => Err(Problem::Refused(format!("it answered {status} when asked what it has seen"))),
        }
    }

    /// Compares what it has seen with our log, and says how much that was.
    pub(super) fn compare(&self, reader: &Reader<Place>) -> Result<u64, Problem> {
        let Some(latest) = self.latest(reader)? else { return Ok(0) };
        let size = latest.checkpoint().size;
        let seen = format!("{size} {}", latest.checkpoint().root);
        Anchor::new(latest).check(reader).map_err(|source| Problem::Rollback { seen, source })?;
        Ok(size)
    }

    /// Has a checkpoint cosigned; `old` is the size that it is believed to have seen last. The answer is its signature
    /// lines, checked.
    pub(super) fn cosign(
        &self,
        reader: &Reader<Place>,
        checkpoint: &SignedCheckpoint,
        old: u64,
    ) -> Result<Vec<u8>, Problem> {
        let size = checkpoint.checkpoint().size;
        let mut old = old.min(size);
        for _ in 0..2 {
            let proof = if old == 0 { Vec::new() } else { reader.consistency(old, size).map_err(refused)? };
            let request = AddCheckpoint { old, proof, checkpoint: checkpoint.clone() }.to_string();
            let response = self.send(Method::Post, "add-checkpoint", Some(request.as_bytes()))?;
            let conflict = response.header("content-type").is_some_and(|kind| kind == SIZE_MEDIA_TYPE);
            match response.status() {
                200 => {
                    let answer = read(response)?;
                    checkpoint.cosigned(&answer, std::slice::from_ref(&self.key)).map_err(refused)?;
                    return Ok(answer);
                }
                409 if conflict => {
                    let seen: u64 =
                        String::from_utf8_lossy(&read(response)?).trim().parse().map_err(refused)?;
                    if seen > size {
                        self.compare(reader)?;
                        return Err(Problem::Refused(format!(
                            "it has seen {seen} entries; there are {size}"
                        )));
                    }
                    old = seen;
                }
                422 => {
                    self.compare(reader)?;
                    return Err(Problem::Refused("it does not take the proof".to_owned()));
                }
                status => return Err(Problem::Refused(format!("it answered {status}"))),
            }
        }
        Err(Problem::Refused("it has seen another size each time it was asked".to_owned()))
    }

    fn send(&self, method: Method, path: &str, body: Option<&[u8]>) -> Result<Response, Problem> {
        let options = Options {
            connect: PATIENCE,
            head: PATIENCE,
            idle: PATIENCE,
            total: 2 * PATIENCE,
            redirects: 0,
            ca_file: self.ca.clone(),
            ..Options::default()
        };
        let client = Client::new(&options).map_err(refused)?;
        let mut request = Request::new(method, &format!("{}/{path}", self.url)).map_err(refused)?;
        if let Some(secret) = &self.authorization {
            request = request.header("Authorization", secret.expose());
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "text/plain").payload(Payload::Bytes(body));
        }
        client.send(request).map_err(refused)
    }
}

fn read(response: Response) -> Result<Vec<u8>, Problem> {
    response.bytes(MAX_ANSWER).map_err(refused)
}

fn refused(why: impl std::fmt::Display) -> Problem {
    Problem::Refused(why.to_string())
}
