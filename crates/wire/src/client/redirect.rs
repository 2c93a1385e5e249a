//! Which redirects to follow, and with what.

use url::Url;

use super::{
    error::{Error, shown},
    message::{Method, Payload, Request, Response},
};

/// Headers that are for one origin only.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Where `response` wants us to go, if it is a redirect that `request` may follow.
pub(super) fn target(request: &Request<'_>, response: &Response) -> Result<Option<Url>, Error> {
    if !matches!(response.status(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header("location") else { return Ok(None) };
    let refused = |to: String, why| Error::Redirect { from: shown(&request.url), to, why };
    let to = request
        .url
        .join(location)
        .map_err(|_| refused(location.chars().take(200).collect(), "it is not a URL"))?;
    match (request.url.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(Some(to)),
        ("https", "http") => Err(refused(shown(&to), "it would leave TLS; ask for an https address")),
        _ => Err(refused(shown(&to), "it is neither http nor https")),
    }
}

/// Points `request` at `to` (RFC 9110, section 15.4).
pub(super) fn follow(request: &mut Request<'_>, to: Url, status: u16) -> Result<(), Error> {
    if !request.method.is_safe() {
        let refused = |why| Error::Redirect { from: shown(&request.url), to: shown(&to), why };
        match (status, &request.payload) {
            (303, _) => {
                request.method = Method::Get;
                request.payload = Payload::Empty;
                request.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
            }
            (307 | 308, Payload::Empty | Payload::Bytes(_)) => {}
            (307 | 308, Payload::Stream(..)) => {
                return Err(refused("the content was already sent once; use the final address"));
            }
            _ => return Err(refused("a 301 or 302 of a change is ambiguous; use the final address")),
        }
    }
    if to.origin() != request.url.origin() {
        request.headers.retain(|(name, _)| !SECRET.contains(&name.to_ascii_lowercase().as_str()));
    }
    request.url = to;
    Ok(())
}
