//! Registries (OCI distribution specification 1.1, "Pull").
//!
//! HTTPS always, except for registries on this machine and where the caller allows plain HTTP. A registry that wants
//! to know who we are says so with a 401; `auth` answers. A download that breaks goes on where it stopped.

mod auth;
mod blob;
mod credentials;

use std::{io::Read, sync::Mutex};

use boltseal_model::{Digest, Reference, Selector};
use boltseal_wire::client::{self, Client, Method, Request, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use self::auth::Challenge;
use crate::{
    Blobs, Credentials, Error, Image, MAX_MANIFEST, Options,
    error::shown,
    manifest::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST},
    read,
};

/// Where Docker Hub really is.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");
/// Bytes of an error answer or a token. Real ones have some kilobytes.
const MAX_ANSWER: u64 = 256 << 10;

/// Opens the image that `reference` names.
pub fn open(
    reference: &Reference,
    target: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let registry = Registry::connect(reference, options)?;
    let (digest, media_type) = registry.resolve(reference)?;
    let mut image = read(&registry, &digest, media_type.as_deref(), target, selector, options)?;
    image.subject.name = Some(reference.clone());
    Ok(image)
}

/// One repository of a registry.
struct Registry {
    client: Client,
    /// Scheme and host.
    base: String,
    /// For messages, as the user knows it.
    host: String,
    repository: String,
    credentials: Option<Credentials>,
    /// The `Authorization` that worked last.
    authorization: Mutex<Option<Zeroizing<String>>>,
    /// The manifest that the reference led to, so that it is fetched once.
    first: Mutex<Option<(Digest, Vec<u8>)>>,
}

impl Registry {
    fn connect(reference: &Reference, options: &Options<'_>) -> Result<Self, Error> {
        let host = reference.registry();
        let fail = |error: client::Error| refused(host, "connecting", &error);
        let client_options =
            client::Options { ca_file: options.ca_file.clone(), ..client::Options::default() };
        let client = Client::new(&client_options).map_err(fail)?;
        let address = if host == DOCKER_HUB.0 { DOCKER_HUB.1 } else { host };
        let mut base = format!("https://{address}");
        if options.plain_http || is_loopback(address) {
            // Ask without credentials which of the two it speaks.
            let secure = client.get(&format!("{base}/v2/"));
            let plain = format!("http://{address}");
            if secure.is_err()
                && client.get(&format!("{plain}/v2/")).is_ok_and(|answer| answer.status() != 400)
            {
                base = plain;
            }
        }
        let credentials = options.credentials.clone().or_else(|| credentials::find(reference));
        Ok(Self {
            client,
            base,
            host: host.to_owned(),
            repository: reference.repository().to_owned(),
            credentials,
            authorization: Mutex::new(None),
            first: Mutex::new(None),
        })
    }

    /// The digest that `reference` stands for now, and what the registry says it is.
    fn resolve(&self, reference: &Reference) -> Result<(Digest, Option<String>), Error> {
        let pinned = reference.digest();
        let name = pinned.map(ToString::to_string);
        let name = name.as_deref().or(reference.tag()).unwrap_or("latest");
        let answer = self.get_manifest(name)?;
        let media_type = answer.header("content-type").map(str::to_owned);
        let promised = answer.header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
        let what = format!("manifest {name} of {}", reference.name());
        let bytes = answer.bytes(MAX_MANIFEST).map_err(|error| refused(&self.host, &what, &error))?;
        let expected = pinned.cloned().or(promised);
        let digest = match expected {
            None => Digest::of(&bytes),
            Some(expected) => {
                let mut hasher = boltseal_model::Hasher::new(expected.algorithm());
                hasher.update(&bytes);
                let found = hasher.finish();
                if found != expected {
                    return Err(Error::Digest { what, expected, found });
                }
                found
            }
        };
        if let Ok(mut first) = self.first.lock() {
            *first = Some((digest.clone(), bytes));
        }
        Ok((digest, media_type))
    }

    fn get_manifest(&self, name: &str) -> Result<Response, Error> {
        let accept = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ");
        self.get(&format!("manifests/{name}"), &[("Accept", &accept)])
    }

    /// GET below the repository; a 401 is answered once, any other refusal is an error.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response, Error> {
        let url = format!("{}/v2/{}/{path}", self.base, self.repository);
        let send = || {
            let mut request = Request::new(Method::Get, &url)?;
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            if let Some(authorization) = self.authorization.lock().ok().and_then(|held| held.clone()) {
                request = request.header("Authorization", authorization.as_str());
            }
            self.client.send(request)
        };
        let mut answer = send().map_err(|error| refused(&self.host, path, &error))?;
        if answer.status() == 401 {
            let challenge = answer.header("www-authenticate").and_then(Challenge::parse);
            self.authorize(challenge.as_ref(), path)?;
            answer = send().map_err(|error| refused(&self.host, path, &error))?;
        }
        match answer.status() {
            200 | 206 => Ok(answer),
            404 if path.starts_with("manifests/") => Err(Error::NotFound {
                place: self.host.clone(),
                wanted: format!("{}:{}", self.repository, path.trim_start_matches("manifests/")),
                found: "the registry does not know it; check name and tag, and whether a login is needed"
                    .into(),
            }),
            status => Err(self.refusal(path, status, answer)),
        }
    }

    /// A refusal in the registry's own words.
    fn refusal(&self, what: &str, status: u16, answer: Response) -> Error {
        let words = answer.bytes(MAX_ANSWER).ok().and_then(|bytes| words(&bytes));
        let advice = match status {
            401 if self.credentials.is_some() => "; the credentials were refused, log in again",
            401 => "; log in first (docker login or podman login)",
            429 => "; too many requests, wait or log in",
            _ => "",
        };
        let words = words.map(|words| format!(": {words}")).unwrap_or_default();
        Error::Registry {
            registry: self.host.clone(),
            what: shown(what),
            why: format!("answered {status}{words}{advice}"),
        }
    }
}

impl Blobs for Registry {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        Ok(Box::new(blob::Download::start(self, digest)?))
    }

    fn manifest(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        if let Some((_, bytes)) = first.filter(|(held, _)| held == digest) {
            return Ok(Box::new(std::io::Cursor::new(bytes)));
        }
        Ok(Box::new(self.get_manifest(&digest.to_string())?.body(MAX_MANIFEST + 1)))
    }
}

fn refused(host: &str, what: &str, error: &client::Error) -> Error {
    Error::Registry { registry: host.to_owned(), what: shown(what), why: error.to_string() }
}

/// The messages of an error answer (distribution specification, "Error Codes").
fn words(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<Problem>,
    }
    #[derive(Deserialize)]
    struct Problem {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let answer: Answer = serde_json::from_slice(bytes).ok()?;
    let words = answer.errors.iter().take(10).map(|problem| format!("{} {}", problem.code, problem.message));
    Some(shown(words.collect::<Vec<_>>().join("; ").trim()))
}

/// Whether `address` (host and perhaps port) is this machine.
fn is_loopback(address: &str) -> bool {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_machine() {
        for (address, here) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org:5000", false),
            ("10.0.0.1:5000", false),
            ("example.org", false),
        ] {
            assert_eq!(is_loopback(address), here, "{address}");
        }
    }

    #[test]
    fn quotes_refusals_without_control_characters() {
        let answer = br#"{"errors":[{"code":"DENIED","message":"2 criticals\u001b[31m"},{"code":"X"}]}"#;
        assert_eq!(words(answer).unwrap(), "DENIED 2 criticals\\u{1b}[31m; X");
        assert_eq!(words(b"<html>"), None);
    }
}
