//! The form of a request for a token (RFC 6749 section 4.4.2, with Entra's names).

use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Refusal;
use crate::{
    access::AUDIENCE,
    foreign::{Foreign, host_name},
};

/// Parameters of a request; the libraries send a dozen.
const MAX_PARAMETERS: usize = 64;
/// What the scope of a whole resource ends in.
const DEFAULT: &str = "/.default";
/// Resources of Azure whose tokens the registry's `/oauth2/exchange` takes: what Azure's clients ask theirs for.
const EXCHANGED: [&str; 2] = ["https://containerregistry.azure.net", "https://management.azure.com"];

/// The parameters, each of which may stand there once.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut found: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if found.len() >= MAX_PARAMETERS {
                return Err(Refusal::request("The request has too many parameters."));
            }
            if found.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::request("A parameter of the request stands there twice."));
            }
            found.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(found))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Zeroizing<String>> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn need(&self, name: &str) -> Result<&Zeroizing<String>, Refusal> {
        self.get(name).ok_or_else(|| Refusal::lacks(name))
    }

    /// The resource that the token is to be for: `resource`, or what stands before `/.default` in `scope`.
    pub(super) fn resource(&self) -> Result<String, Refusal> {
        if let Some(resource) = self.get("resource") {
            return Ok(resource.to_string());
        }
        let scope = self.need("scope")?;
        let whole = scope.split(' ').find_map(|scope| scope.strip_suffix(DEFAULT));
        let whole = whole.filter(|resource| !resource.is_empty());
        whole.map(str::to_owned).ok_or_else(|| Refusal::request("The scope must end in `/.default`."))
    }
}

/// What to write into a token for a resource: our own name for our own addresses and those below them, and Azure's for
/// the resources that its clients ask for before they come to a registry.
pub(super) fn audience(resource: &str, host: &str, foreign: &Foreign) -> Option<String> {
    let resource = resource.trim_end_matches('/');
    if EXCHANGED.contains(&resource) {
        return Some(resource.to_owned());
    }
    if resource == AUDIENCE || resource.strip_prefix("api://") == Some(AUDIENCE) {
        return Some(AUDIENCE.to_owned());
    }
    let url = Url::parse(resource).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let name = url.host_str()?.trim_matches(['[', ']']);
    let below = || name.split_once('.').is_some_and(|(_, parent)| foreign.is_called(parent));
    let ours = name.eq_ignore_ascii_case(host_name(host)) || foreign.is_called(name) || below();
    ours.then(|| AUDIENCE.to_owned())
}
