//! People who sign in at an issuer for one signature, and the identity token that it gives for that.
//!
//! ```text
//! browser   note: URL ──people──▶ issuer ──redirect──▶ 127.0.0.1:PORT ──code──▶ token
//! device    note: address and code ──people, elsewhere──▶ issuer ◀──asked again and again── token
//! ```
//!
//! The steps are those of `boltseal_identity::oidc`, which knows no sockets: PKCE with S256, state and nonce, and the token is
//! checked by the issuer's keys. Nothing is kept: the next signature asks again. Which of the two it is, and whether a browser is
//! started, [`here`] says, unless somebody chose.

mod browser;
mod device;
mod here;
mod page;

use boltseal_identity::{
    jwks::{Jwks, MAX_JWKS},
    oidc::{Client as Known, Discovery, MAX_DISCOVERY, OidcError, TokenRequest},
    secret::Secret,
};
use boltseal_wire::client::{Error, Method, Payload, Request, Response};
use zeroize::Zeroizing;

use self::here::Here;
use super::{IdentityToken, Services, check_private, failed, strange};
use crate::{console::Console, exit::Failure, output::paint::clean};

const SERVICE: &str = "the issuer of identities";
/// Bytes of an answer: three tokens.
const MAX_ANSWER: u64 = 64 << 10;
/// What an authority wants to read in the token besides who it is.
const SCOPE: &str = "email";

/// How somebody signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Flow {
    /// In a browser where there is a display, or else by a code
    #[default]
    Auto,
    /// In a browser on this machine, which comes back to it
    Browser,
    /// In a browser elsewhere, by a code that is shown
    Device,
}

/// Where somebody signs in, and how this program is known there.
#[derive(Debug)]
pub struct SignIn {
    /// The issuer's address.
    pub issuer: String,
    /// What it calls this program.
    pub client: String,
    /// What proves this program to it, if it wants that.
    pub secret: Option<Zeroizing<String>>,
    /// How.
    pub flow: Flow,
}

impl SignIn {
    /// That somebody could sign in at `issuer` from here, as far as that is known without asking it.
    pub fn check(issuer: &str, flow: Flow) -> Result<(), Failure> {
        check_private(issuer)?;
        Here::of_process().check(flow, issuer)
    }
}

/// An issuer, as far as a sign-in needs it.
struct Issuer<'s> {
    services: &'s Services,
    known: Known,
    metadata: Discovery,
}

impl Services {
    /// Has somebody sign in; the token that names them.
    pub fn sign_in(&self, how: &SignIn, console: &Console) -> Result<IdentityToken, Failure> {
        SignIn::check(&how.issuer, how.flow)?;
        let here = Here::of_process();
        let secret = how.secret.as_ref().map(|secret| Secret::new(secret.to_string()));
        let known = Known {
            issuer: how.issuer.clone(),
            id: how.client.clone(),
            secret,
            redirect: String::new(),
            scopes: vec![SCOPE.to_owned()],
        };
        let address = Discovery::url(&how.issuer).map_err(Failure::usage)?;
        let document = self.document(&address, MAX_DISCOVERY)?;
        let metadata =
            Discovery::parse(&document, &how.issuer).map_err(|wrong| refused(&how.issuer, &wrong))?;
        let issuer = Issuer { services: self, known, metadata };
        let does_devices = issuer.metadata.device_authorization_endpoint.is_some();
        let token = if here.takes_device(how.flow, does_devices) {
            device::sign_in(&issuer, console)
        } else {
            browser::sign_in(issuer, here, console)
        }?;
        IdentityToken::parse(token.expose())
    }

    fn document(&self, address: &str, most: usize) -> Result<Vec<u8>, Failure> {
        let wire = |wrong| failed(SERVICE, &wrong);
        let request =
            Request::new(Method::Get, address).map_err(Failure::usage)?.header("Accept", "application/json");
        let answer = self.client.send(request).and_then(Response::success).map_err(wire)?;
        answer.bytes(most as u64).map_err(wire)
    }
}

impl Issuer<'_> {
    /// Sends a form; the answer as it came, whatever its status.
    fn post(&self, form: &TokenRequest) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut request = Request::new(Method::Post, &form.endpoint)?
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .payload(Payload::Bytes(form.body.expose().as_bytes()));
        if let Some(authorization) = &form.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        self.services.client.send(request)?.bytes(MAX_ANSWER).map(Zeroizing::new)
    }

    /// Its keys. They are fetched when there is a token, so that they are those that signed it.
    fn keys(&self) -> Result<Jwks, Failure> {
        let address = &self.metadata.jwks_uri;
        let document = self.services.document(address, MAX_JWKS)?;
        Jwks::parse(&document).map_err(|why| strange(SERVICE, address, &why))
    }

    fn refused(&self, wrong: &OidcError) -> Failure {
        refused(&self.known.issuer, wrong)
    }
}

/// A no is a no; whatever else went wrong, nobody knows who it is.
fn refused(issuer: &str, wrong: &OidcError) -> Failure {
    match wrong {
        OidcError::Refused { .. } => Failure::denied(clean(&format!("{SERVICE} at {issuer}: {wrong}"))),
        _ => strange(SERVICE, issuer, wrong),
    }
}
