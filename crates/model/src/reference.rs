//! Image references, normalised as Docker does: `debian` is `docker.io/library/debian:latest`.
//!
//! Grammar: OCI distribution specification 1.1, "Pulling manifests"; the rule for what is a host is that of the
//! distribution project's reference package: a first segment with a dot, a colon, or `localhost`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Digest;

/// OCI: a repository name is at most 255 characters with its host.
const MAX_NAME: usize = 255;
/// OCI: a tag is at most 128 characters.
const MAX_TAG: usize = 128;

/// Where an image is: registry, repository, and a tag or a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Host and port, such as `docker.io` or `127.0.0.1:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path inside the registry, such as `library/debian`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was given; `latest` was filled in when neither tag nor digest was.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference is pinned.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Registry and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same repository, pinned to `digest`, keeping the tag for people to read.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// Whether `text` is a repository name by the OCI grammar (no host).
    pub fn is_repository(text: &str) -> bool {
        !text.is_empty() && text.len() <= MAX_NAME && text.split('/').all(is_component)
    }

    /// Whether `text` is a tag by the OCI grammar.
    pub fn is_tag(text: &str) -> bool {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        text.len() <= MAX_TAG
            && text.bytes().next().is_some_and(word)
            && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    let alnum = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(alnum) || !bytes.last().is_some_and(alnum) {
        return false;
    }
    bytes.split(alnum).all(|separator| match separator {
        b"" | b"." | b"_" | b"__" => true,
        dashes => dashes.iter().all(|b| *b == b'-'),
    })
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let named = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).map_or_else(
        || !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'),
        |v6| v6.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    named && port.is_none_or(|p| p.parse::<u16>().is_ok())
}

/// Why a text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The repository part breaks the grammar.
    #[error("`{0}` is not a repository name: use lower-case letters, digits and . _ - between slashes")]
    Repository(String),
    /// The host part breaks the grammar.
    #[error("`{0}` is not a registry host")]
    Registry(String),
    /// The tag breaks the grammar.
    #[error("`{0}` is not a tag: at most 128 letters, digits and . _ -")]
    Tag(String),
    /// The digest breaks the grammar.
    #[error(transparent)]
    Digest(#[from] crate::DigestError),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let shown = |part: &str| part.chars().take(300).collect::<String>();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag.filter(|tag| !Self::is_tag(tag)) {
            return Err(ReferenceError::Tag(shown(tag)));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, path)) if first.contains(['.', ':', '[']) || first == "localhost" => {
                (first, path.to_owned())
            }
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let repository = match repository.split_once('/') {
            None if registry == "docker.io" => format!("library/{repository}"),
            _ => repository,
        };
        if !is_host(registry) {
            return Err(ReferenceError::Registry(shown(registry)));
        }
        if !Self::is_repository(&repository) || registry.len() + 1 + repository.len() > MAX_NAME {
            return Err(ReferenceError::Repository(shown(&repository)));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        for (text, full) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("index.docker.io/debian", "docker.io/library/debian:latest"),
            ("team/app:v1", "docker.io/team/app:v1"),
            ("localhost/app", "localhost/app:latest"),
            ("127.0.0.1:5000/a/b__c/d:x", "127.0.0.1:5000/a/b__c/d:x"),
            ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), full);
        }
        let digest = Digest::of(b"x");
        let pinned = format!("ghcr.io/o/r@{digest}").parse::<Reference>().unwrap();
        assert_eq!((pinned.tag(), pinned.digest()), (None, Some(&digest)));
    }

    #[test]
    fn refuses() {
        for bad in
            ["", "UPPER", "a//b", "-a", "a-", "a:b:c", "a:", "host:99999/x", "a@sha256:1", "a/../b", "a b"]
        {
            assert!(bad.parse::<Reference>().is_err(), "{bad} was accepted");
        }
    }
}
