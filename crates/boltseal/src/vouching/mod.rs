//! Services that vouch for a signature: an authority that gives certificates for minutes (Fulcio), a log (Rekor), clocks.
//!
//! ```text
//! identity token ──fulcio──▶ Passport ┐
//! key ───────────────sign─────────────┴▶ Said ──clock──▶ Stamped ┐
//!                                          └────rekor──▶ entry ──┴──▶ bundle
//! ```
//!
//! What they answer is taken into the bundle; whether it is right, whoever verifies the bundle finds out, by keys that do not
//! come from here. An identity token is a secret: it goes to the authority alone, over TLS or to this machine, and never
//! follows a redirect.
//!
//! | service | speaks |
//! |---|---|
//! | authority | Fulcio, `POST /api/v2/signingCert` (`fulcio.proto`) |
//! | log | Rekor 2, `POST /api/v2/log/entries` (`rekor_service.proto`); where there is none, Rekor 1, `POST /api/v1/log/entries` |
//! | clock | RFC 3161 over HTTP (section 3.4) |
//!
//! Whom the identity token names is known to whoever gave it: a file, a runner of CI ([`token`]), or an issuer at which
//! somebody signs in ([`sign_in`]).

mod fulcio;
mod rekor;
mod sign_in;
mod token;

use std::{fmt::Display, path::PathBuf, time::Duration};

use boltseal_trust::{MAX_ANSWER, Question, Stamped};
use boltseal_wire::client::{Client, Error, Method, Options, Payload, Request, Response};
use serde_json::Value;
use url::Url;

use crate::{exit::Failure, output::paint::clean, reach::is_loopback};

pub use sign_in::{Flow, SignIn};
pub use token::{IdentityToken, TOKENS_NEXT};

/// Bytes of one answer in JSON. A log gives back what it took in, and that may be an SBOM.
const MAX_JSON: u64 = 64 << 20;
/// For one question. A log answers when its next tree is written, some seconds later.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks services.
#[derive(Clone, Debug)]
pub struct Services {
    client: Client,
}

impl Services {
    /// With `ca_file`, authorities in it vouch for the services, too.
    pub fn new(ca_file: Option<PathBuf>) -> Result<Self, Failure> {
        let options = Options { ca_file, total: PATIENCE, redirects: 0, ..Options::default() };
        Ok(Self { client: Client::new(&options).map_err(Failure::usage)? })
    }

    /// Asks the clock at `address` when `signature` was there.
    pub fn stamp(&self, address: &str, signature: &[u8]) -> Result<Stamped, Failure> {
        const SERVICE: &str = "the clock";
        let question = Question::about(signature);
        let wire = |wrong| failed(SERVICE, &wrong);
        let request = Request::new(Method::Post, address)
            .map_err(Failure::usage)?
            .header("Content-Type", "application/timestamp-query")
            .header("Accept", "application/timestamp-reply")
            .payload(Payload::Bytes(question.der()));
        let answer = self.client.send(request).and_then(Response::success).map_err(wire)?;
        let bytes = answer.bytes(MAX_ANSWER as u64).map_err(wire)?;
        question.answered(bytes).map_err(|why| strange(SERVICE, address, &why))
    }

    /// Posts `body` to a path of the service at `address`.
    fn post(
        &self,
        service: &'static str,
        address: &str,
        path: &str,
        body: &Value,
    ) -> Result<Response, Failure> {
        let url = format!("{}{path}", address.trim_end_matches('/'));
        let body = body.to_string();
        let request = Request::new(Method::Post, &url)
            .map_err(Failure::usage)?
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .payload(Payload::Bytes(body.as_bytes()));
        self.client.send(request).map_err(|wrong| failed(service, &wrong))
    }
}

/// The JSON of an answer that is no refusal.
fn json(service: &'static str, address: &str, answer: Response) -> Result<Value, Failure> {
    let wire = |wrong| failed(service, &wrong);
    let text = answer.success().map_err(wire)?.text(MAX_JSON).map_err(wire)?;
    serde_json::from_str(&text).map_err(|why| strange(service, address, &why))
}

/// A no is a no; whatever else happens, nobody can say.
fn failed(service: &'static str, wrong: &Error) -> Failure {
    let what = clean(&format!("{service}: {wrong}"));
    match wrong {
        Error::Status { status: 400..=403 | 422, .. } => Failure::denied(what),
        _ => Failure::undecided(what),
    }
}

fn strange(service: &'static str, address: &str, why: &dyn Display) -> Failure {
    Failure::undecided(clean(&format!("{service} at {}: {why}", shown(address))))
}

/// An address without name, password and query, which may be secret.
fn shown(address: &str) -> String {
    let bare = address.split(['?', '#']).next().unwrap_or(address);
    match bare.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or(host))
        }
        None => bare.to_owned(),
    }
}

/// That a secret may go to `address`: over TLS, or to this machine.
fn check_private(address: &str) -> Result<(), Failure> {
    let wrong =
        |why: &str| Failure::usage(format_args!("`{}` is no address for a secret: {why}", shown(address)));
    let url = Url::parse(address).map_err(|why| wrong(&why.to_string()))?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(wrong("it would go there without encryption").next("write https://")),
        _ => Err(wrong("it is neither https nor http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_secrets_may_go() {
        for (address, good) in [
            ("https://fulcio.example.com", true),
            ("http://127.0.0.1:5555/x", true),
            ("http://localhost:5555", true),
            ("http://[::1]:5555", true),
            ("http://fulcio.example.com", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1@evil.example.com", false),
            ("http://localhost:80@evil.example.com", false),
            ("ftp://127.0.0.1", false),
            ("fulcio.example.com", false),
        ] {
            assert_eq!(check_private(address).is_ok(), good, "{address}");
        }
        assert_eq!(shown("https://me:word@clock.example.com/tsa?token=x"), "https://clock.example.com/tsa");
    }
}
