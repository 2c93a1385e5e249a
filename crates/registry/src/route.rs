//! What a path and its parameters ask for. Names contain slashes, so paths are read from the right.

use axum::http::StatusCode;
use boltseal_model::{Digest, Reference};

use crate::failure::{Code, Failure};

/// One endpoint of the distribution API, or of ACR's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Ping,
    Catalog,
    Tags {
        repository: String,
    },
    Manifest {
        repository: String,
        reference: Named,
    },
    Blob {
        repository: String,
        digest: Digest,
    },
    Uploads {
        repository: String,
    },
    Upload {
        repository: String,
        id: String,
    },
    Referrers {
        repository: String,
        digest: Digest,
    },
    /// ACR's list of repositories.
    AcrCatalog,
    AcrRepository {
        repository: String,
    },
    AcrTags {
        repository: String,
    },
    AcrTag {
        repository: String,
        tag: String,
    },
    AcrManifests {
        repository: String,
    },
    AcrManifest {
        repository: String,
        digest: Digest,
    },
}

/// How a manifest is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Tag(String),
    Digest(Digest),
}

impl Route {
    /// Reads a path that begins with `/v2/` or `/acr/v1/`.
    pub(crate) fn parse(path: &str) -> Result<Self, Failure> {
        let path = decode(path).ok_or_else(|| Failure::new(Code::NameInvalid, "the path is not UTF-8"))?;
        if let Some(rest) = path.strip_prefix("/acr/v1/") {
            return Self::parse_acr(rest);
        }
        let rest = path.strip_prefix("/v2").map_or("", |rest| rest.strip_prefix('/').unwrap_or(rest));
        match rest {
            "" => return Ok(Self::Ping),
            "_catalog" => return Ok(Self::Catalog),
            _ => {}
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags { repository: repository(name)? });
        }
        if let Some(name) =
            rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads"))
        {
            return Ok(Self::Uploads { repository: repository(name)? });
        }
        let (front, last) = rest.rsplit_once('/').ok_or_else(unknown)?;
        if let Some(name) = front.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload { repository: repository(name)?, id: last.to_owned() });
        }
        if let Some(name) = front.strip_suffix("/manifests") {
            return Ok(Self::Manifest { repository: repository(name)?, reference: named(last)? });
        }
        if let Some(name) = front.strip_suffix("/blobs") {
            return Ok(Self::Blob { repository: repository(name)?, digest: digest(last)? });
        }
        if let Some(name) = front.strip_suffix("/referrers") {
            return Ok(Self::Referrers { repository: repository(name)?, digest: digest(last)? });
        }
        Err(unknown())
    }

    /// Reads what stands behind `/acr/v1/`. Names of repositories have no part that begins with `_`.
    fn parse_acr(rest: &str) -> Result<Self, Failure> {
        if rest == "_catalog" {
            return Ok(Self::AcrCatalog);
        }
        if let Some((name, reference)) = rest.rsplit_once("/_manifests/") {
            return Ok(Self::AcrManifest { repository: repository(name)?, digest: digest(reference)? });
        }
        if let Some((name, text)) = rest.rsplit_once("/_tags/") {
            return Ok(Self::AcrTag { repository: repository(name)?, tag: tag(text)? });
        }
        if let Some(name) = rest.strip_suffix("/_manifests") {
            return Ok(Self::AcrManifests { repository: repository(name)? });
        }
        match rest.strip_suffix("/_tags") {
            Some(name) => Ok(Self::AcrTags { repository: repository(name)? }),
            None => Ok(Self::AcrRepository { repository: repository(rest)? }),
        }
    }

    /// Whether it belongs to ACR's API.
    pub(crate) const fn is_acr(&self) -> bool {
        match self {
            Self::AcrCatalog
            | Self::AcrRepository { .. }
            | Self::AcrTags { .. }
            | Self::AcrTag { .. }
            | Self::AcrManifests { .. }
            | Self::AcrManifest { .. } => true,
            Self::Ping
            | Self::Catalog
            | Self::Tags { .. }
            | Self::Manifest { .. }
            | Self::Blob { .. }
            | Self::Uploads { .. }
            | Self::Upload { .. }
            | Self::Referrers { .. } => false,
        }
    }

    /// The repository it is about, if it is about one.
    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Ping | Self::Catalog | Self::AcrCatalog => None,
            Self::Tags { repository }
            | Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Referrers { repository, .. }
            | Self::AcrRepository { repository }
            | Self::AcrTags { repository }
            | Self::AcrTag { repository, .. }
            | Self::AcrManifests { repository }
            | Self::AcrManifest { repository, .. } => Some(repository),
        }
    }

    /// The same thing in another repository.
    pub(crate) fn in_repository(mut self, name: String) -> Self {
        match &mut self {
            Self::Ping | Self::Catalog | Self::AcrCatalog => {}
            Self::Tags { repository }
            | Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Referrers { repository, .. }
            | Self::AcrRepository { repository }
            | Self::AcrTags { repository }
            | Self::AcrTag { repository, .. }
            | Self::AcrManifests { repository }
            | Self::AcrManifest { repository, .. } => *repository = name,
        }
        self
    }
}

/// The parameters after `?`, in order; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// What cannot be decoded is left out. NUL is refused: nothing here has it in its name, and PostgreSQL knows no text
    /// with it.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        let query = Self(decoded.collect());
        match query.0.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                let message = format!("the parameter `{shown}` has the character NUL in its value");
                Err(Failure::new(Code::Unsupported, message).status(StatusCode::BAD_REQUEST))
            }
            None => Ok(query),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// A digest written by a client.
pub(crate) fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|e: boltseal_model::DigestError| Failure::new(Code::DigestInvalid, e.to_string()))
}

/// A repository name written by a client.
pub(crate) fn repository(text: &str) -> Result<String, Failure> {
    if Reference::is_repository(text) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().take(80).collect();
    let rule = "use lower-case letters, digits and . _ - between slashes, at most 255 in all";
    Err(Failure::new(Code::NameInvalid, format!("`{shown}` is not a repository name: {rule}")))
}

/// A tag written by a client.
pub(crate) fn tag(text: &str) -> Result<String, Failure> {
    if Reference::is_tag(text) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().take(140).collect();
    let rule = "use at most 128 letters, digits and . _ -, the first not . or -";
    Err(Failure::new(Code::ManifestInvalid, format!("`{shown}` is not a tag: {rule}")))
}

fn named(text: &str) -> Result<Named, Failure> {
    if text.contains(':') { digest(text).map(Named::Digest) } else { tag(text).map(Named::Tag) }
}

fn unknown() -> Failure {
    let message = "there is no such endpoint in the distribution API";
    Failure::new(Code::NameUnknown, message)
}

/// Percent-decoding (RFC 3986, section 2.1); `None` when the result is not UTF-8 or an escape is broken.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encoding of what may stand in a parameter of a `Link`.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_the_right() {
        let hex = "a".repeat(64);
        let cases = [
            ("/v2/", "Ping"),
            ("/v2", "Ping"),
            ("/v2/_catalog", "Catalog"),
            ("/v2/a/tags/list", "Tags a"),
            ("/v2/tags/list/tags/list", "Tags tags/list"),
            ("/v2/a/b/manifests/latest", "Manifest a/b latest"),
            ("/v2/a/manifests/manifests/v1", "Manifest a/manifests v1"),
            (&format!("/v2/a/manifests/sha256:{hex}"), &format!("Manifest a sha256:{hex}")),
            (&format!("/v2/a/manifests/sha256%3A{hex}"), &format!("Manifest a sha256:{hex}")),
            (&format!("/v2/a/blobs/sha256:{hex}"), "Blob a"),
            ("/v2/a/blobs/uploads/", "Uploads a"),
            ("/v2/a/blobs/uploads", "Uploads a"),
            ("/v2/a/blobs/blobs/uploads/", "Uploads a/blobs"),
            ("/v2/a/blobs/uploads/1-2", "Upload a 1-2"),
            (&format!("/v2/a/referrers/sha256:{hex}"), "Referrers a"),
            ("/v2/A/tags/list", "NAME_INVALID"),
            ("/v2/a//tags/list", "NAME_INVALID"),
            ("/v2/a/../b/tags/list", "NAME_INVALID"),
            ("/v2/a/manifests/sha256:xyz", "DIGEST_INVALID"),
            ("/v2/a/manifests/-x", "MANIFEST_INVALID"),
            ("/v2/a/blobs/latest", "DIGEST_INVALID"),
            ("/v2/a%2fb/tags/list", "Tags a/b"),
            ("/v2/a%zz/tags/list", "NAME_INVALID"),
            ("/v2/a/nothing", "NAME_UNKNOWN"),
            ("/acr/v1/_catalog", "AcrCatalog"),
            ("/acr/v1/a/b", "AcrRepository a/b"),
            ("/acr/v1/library%2Fa/_tags", "AcrTags library/a"),
            ("/acr/v1/a/_tags/v1", "AcrTag a v1"),
            ("/acr/v1/a/_manifests", "AcrManifests a"),
            (&format!("/acr/v1/a%2Fb/_manifests/sha256%3A{hex}"), "AcrManifest a/b"),
            ("/acr/v1/a/_manifests/v1", "DIGEST_INVALID"),
            ("/acr/v1/a/_nothing", "NAME_INVALID"),
        ];
        for (path, expected) in cases {
            assert_eq!(shown(Route::parse(path)), *expected, "{path}");
        }
    }

    fn shown(route: Result<Route, Failure>) -> String {
        match route {
            Ok(Route::Ping) => "Ping".to_owned(),
            Ok(Route::Catalog) => "Catalog".to_owned(),
            Ok(Route::Tags { repository }) => format!("Tags {repository}"),
            Ok(Route::Manifest { repository, reference: Named::Tag(tag) }) => {
                format!("Manifest {repository} {tag}")
            }
            Ok(Route::Manifest { repository, reference: Named::Digest(d) }) => {
                format!("Manifest {repository} {d}")
            }
            Ok(Route::Blob { repository, .. }) => format!("Blob {repository}"),
            Ok(Route::Uploads { repository }) => format!("Uploads {repository}"),
            Ok(Route::Upload { repository, id }) => format!("Upload {repository} {id}"),
            Ok(Route::Referrers { repository, .. }) => format!("Referrers {repository}"),
            Ok(Route::AcrCatalog) => "AcrCatalog".to_owned(),
            Ok(Route::AcrRepository { repository }) => format!("AcrRepository {repository}"),
            Ok(Route::AcrTags { repository }) => format!("AcrTags {repository}"),
            Ok(Route::AcrTag { repository, tag }) => format!("AcrTag {repository} {tag}"),
            Ok(Route::AcrManifests { repository }) => format!("AcrManifests {repository}"),
            Ok(Route::AcrManifest { repository, .. }) => format!("AcrManifest {repository}"),
            Err(failure) => failure.code().to_owned(),
        }
    }

    #[test]
    fn parameters() {
        let query = Query::parse(Some("n=3&scope=a+b&scope=c%3Ad&flag&bad=%")).unwrap();
        assert_eq!(query.get("n"), Some("3"));
        assert_eq!(query.all("scope").collect::<Vec<_>>(), ["a b", "c:d"]);
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("bad"), None);
        assert_eq!(Query::parse(Some("n=3&last=a%00")).unwrap_err().code(), "UNSUPPORTED");
    }
}
