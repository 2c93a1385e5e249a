//! A cluster's API server, as `kubectl` knows it: asked by the few commands that configure webhooks.
//!
//! ```text
//! boltseal webhook install --context prod     kubeconfig ──▶ Cluster ──▶ configurations
//! ```
//!
//! Limits: no programs are run to sign in, no proxies, no second factor; certificates, tokens and passwords only.

mod kubeconfig;

use boltseal_wire::client::{Client, Error as WireError, Method, Options, Payload, Request};
use serde_json::Value;

use crate::exit::Failure;

pub use kubeconfig::Access;
use kubeconfig::{Login, Reached};

/// What an API server says about a few objects.
const MAX_ANSWER: u64 = 16 << 20;
/// How long it may take; its own limit for webhooks is half of that.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// One API server, as whoever the kubeconfig says.
#[derive(Debug)]
pub struct Cluster {
    /// What the kubeconfig calls the cluster.
    pub name: String,
    /// What it calls whoever asks.
    pub user: String,
    address: String,
    authorization: Option<zeroize::Zeroizing<String>>,
    http: Client,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it warns of.
    pub warning: String,
    /// The body, which is an object of Kubernetes.
    pub body: Value,
}

impl Answer {
    /// What a `Status` says, for people.
    pub fn message(&self) -> &str {
        self.body.get("message").and_then(Value::as_str).unwrap_or("it gave no reason")
    }
}

impl Access {
    /// Reads the kubeconfig; nothing is asked yet.
    pub fn open(&self) -> Result<Cluster, Failure> {
        let Reached { name, user, address, authorities, insecure, login } = self.read()?;
        let (authorization, identity) = match login {
            Login::Header(text) => (Some(text), None),
            Login::Certificate(identity) => (None, Some(identity)),
            Login::Nobody => (None, None),
        };
        let options = Options {
            total: PATIENCE,
            redirects: 0,
            authorities,
            identity,
            any_certificate: insecure,
            ..Options::default()
        };
        let http =
            Client::new(&options).map_err(|wrong| Failure::usage(wrong).next("look at the kubeconfig"))?;
        Ok(Cluster { name, user, address, authorization, http })
    }
}

impl Cluster {
    /// What is at `path`, or nothing.
    pub fn get(&self, path: &str) -> Result<Option<Value>, Failure> {
        let answer = self.ask(Method::Get, path, None)?;
        if answer.status == 404 { Ok(None) } else { self.right(answer).map(Some) }
    }

    /// Writes an object; the error is what was answered.
    pub fn write(&self, method: Method, path: &str, object: &Value) -> Result<Value, Failure> {
        let answer = self.ask(method, path, Some(object))?;
        self.right(answer)
    }

    /// Takes an object away.
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        let answer = self.ask(Method::Delete, path, None)?;
        self.right(answer).map(drop)
    }

    /// Whatever is answered.
    pub fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let away = |wrong: WireError| {
            Failure::undecided(format_args!("the API server of {} cannot be asked: {wrong}", self.name))
        };
        let mut request = Request::new(method, &format!("{}{path}", self.address)).map_err(away)?;
        request = request.header("Accept", "application/json");
        if let Some(text) = &self.authorization {
            request = request.header("Authorization", text.as_str());
        }
        let bytes = body.map(Value::to_string);
        if let Some(bytes) = &bytes {
            request =
                request.header("Content-Type", "application/json").payload(Payload::Bytes(bytes.as_bytes()));
        }
        let response = self.http.send(request).map_err(away)?;
        let status = response.status();
        let warning = response.header("warning").unwrap_or_default().to_owned();
        let bytes = response.bytes(MAX_ANSWER).map_err(away)?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, warning, body })
    }

    fn right(&self, answer: Answer) -> Result<Value, Failure> {
        let (status, message) = (answer.status, answer.message());
        match status {
            200..300 if answer.body.is_object() => Ok(answer.body),
            200..300 => Err(Failure::undecided(format_args!(
                "{} answered {status} with something that is no object of Kubernetes",
                self.address
            ))),
            401 => Err(Failure::undecided(format_args!(
                "the API server of {} does not know {}",
                self.name, self.user
            ))
            .next("look at the user of the kubeconfig's context")),
            403 => Err(Failure::denied(format_args!("the API server of {} says no: {message}", self.name))),
            _ => Err(Failure::undecided(format_args!(
                "the API server of {} answered {status}: {message}",
                self.name
            ))),
        }
    }
}
