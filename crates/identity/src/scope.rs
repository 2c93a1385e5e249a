//! Where a role holds: paths of resources, and patterns over them.
//!
//! A scope covers itself and everything below it. In the scope of an assignment a segment may be `*`, which stands for
//! exactly one segment; so `/registries/main/repositories/team/*` covers `team/a` and `team/a/b`, and not `team`.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes of a scope: a repository name has at most 255, a path of a secret is seldom longer.
pub const MAX_SCOPE: usize = 1024;
/// Segments of a scope; looking one up walks them.
pub const MAX_SEGMENTS: usize = 64;
/// Stars in a pattern; every one of them may double the walk.
pub const MAX_STARS: usize = 4;

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// More than [`MAX_SCOPE`] bytes or [`MAX_SEGMENTS`] segments.
    #[error("a scope has at most {MAX_SCOPE} characters and {MAX_SEGMENTS} segments")]
    TooLong,
    /// It does not start with a slash.
    #[error("`{found}`: a scope starts with `/`, such as /registries/main/repositories/team")]
    Relative {
        /// The scope, shortened.
        found: String,
    },
    /// A segment that no resource is called.
    #[error(
        "`{found}`: a segment of a scope is not empty, not `.` or `..`, and has letters, digits and . _ - @ : + ~ ="
    )]
    Segment {
        /// The segment, shortened.
        found: String,
    },
    /// A star where none may be, or too many of them.
    #[error(
        "`{found}`: `*` stands for a whole segment, only in the scope of an assignment, at most {MAX_STARS} times"
    )]
    Star {
        /// The scope, shortened.
        found: String,
    },
}

/// The path of one resource, such as `/registries/main/repositories/team/a`; `/` is everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(Arc<str>);

/// The scope of an assignment: like a [`Scope`], but segments may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopePattern(Arc<str>);

impl Scope {
    /// Everything.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// `/registries/NAME`.
    pub fn registry(name: &str) -> Result<Self, ScopeError> {
        Self::root().below(&["registries", name])
    }

    /// `/registries/REGISTRY/repositories/NAME`, whose name may have slashes.
    pub fn repository(registry: &str, name: &str) -> Result<Self, ScopeError> {
        Self::root().below(&["registries", registry, "repositories", name])
    }

    /// `/vaults/NAME`.
    pub fn vault(name: &str) -> Result<Self, ScopeError> {
        Self::root().below(&["vaults", name])
    }

    /// `/vaults/VAULT/secrets/NAME`.
    pub fn secret(vault: &str, name: &str) -> Result<Self, ScopeError> {
        Self::root().below(&["vaults", vault, "secrets", name])
    }

    /// `/clusters/NAME`.
    pub fn cluster(name: &str) -> Result<Self, ScopeError> {
        Self::root().below(&["clusters", name])
    }

    /// The resource at `path` below this one.
    pub fn below(&self, path: &[&str]) -> Result<Self, ScopeError> {
        format!("{}/{}", self.0.trim_end_matches('/'), path.join("/")).parse()
    }

    /// As text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the repository that this is, for conditions.
    pub fn repository_name(&self) -> Option<&str> {
        repository_name(&self.0)
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        segments(&self.0)
    }
}

impl ScopePattern {
    /// Everything.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// As text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `scope` is, or is below, what this stands for.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.starts(scope.segments())
    }

    /// Whether everything that `other` covers is covered by this one.
    pub fn includes(&self, other: &Self) -> bool {
        let mut theirs = segments(&other.0);
        segments(&self.0).all(|ours| theirs.next().is_some_and(|their| ours == "*" || ours == their))
    }

    /// The scope itself where there is no star in it.
    pub fn as_scope(&self) -> Option<Scope> {
        (!self.0.contains('*')).then(|| Scope(Arc::clone(&self.0)))
    }

    /// See [`Scope::repository_name`]; with a star in it, it is no one repository.
    pub(crate) fn repository_name(&self) -> Option<&str> {
        repository_name(&self.0).filter(|name| !name.contains('*'))
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        segments(&self.0)
    }

    fn starts<'a>(&self, mut found: impl Iterator<Item = &'a str>) -> bool {
        segments(&self.0).all(|wanted| found.next().is_some_and(|segment| wanted == "*" || wanted == segment))
    }
}

impl From<Scope> for ScopePattern {
    fn from(scope: Scope) -> Self {
        Self(scope.0)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (path, stars) = checked(text)?;
        if stars > 0 { Err(ScopeError::Star { found: shown(text) }) } else { Ok(Self(path.into())) }
    }
}

impl FromStr for ScopePattern {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (path, stars) = checked(text)?;
        if stars > MAX_STARS { Err(ScopeError::Star { found: shown(text) }) } else { Ok(Self(path.into())) }
    }
}

/// The path without a slash at the end, and how many stars it has.
fn checked(text: &str) -> Result<(&str, usize), ScopeError> {
    if text.len() > MAX_SCOPE {
        return Err(ScopeError::TooLong);
    }
    let Some(rest) = text.strip_prefix('/') else { return Err(ScopeError::Relative { found: shown(text) }) };
    if rest.is_empty() {
        return Ok((text, 0));
    }
    let path = text.strip_suffix('/').unwrap_or(text);
    let mut stars = 0;
    for (number, segment) in segments_raw(path).enumerate() {
        if number >= MAX_SEGMENTS {
            return Err(ScopeError::TooLong);
        }
        match segment {
            "*" => stars += 1,
            _ if segment.contains('*') => return Err(ScopeError::Star { found: shown(text) }),
            _ if !is_segment(segment) => return Err(ScopeError::Segment { found: shown(segment) }),
            _ => {}
        }
    }
    Ok((path, stars))
}

fn repository_name(path: &str) -> Option<&str> {
    let (registry, name) = path.strip_prefix("/registries/")?.split_once('/')?;
    let name = name.strip_prefix("repositories/")?;
    (!registry.is_empty() && !name.is_empty()).then_some(name)
}

fn is_segment(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-@:+~=".contains(&b);
    !matches!(text, "" | "." | "..") && text.bytes().all(allowed)
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    segments_raw(path).filter(|segment| !segment.is_empty())
}

fn segments_raw(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// Messages go to terminals, and the scope may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

macro_rules! as_text {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

as_text!(Scope);
as_text!(ScopePattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_scopes() {
        for (text, normal) in [
            ("/", Some("/")),
            ("/registries/main/", Some("/registries/main")),
            ("/registries/main/repositories/team/a", Some("/registries/main/repositories/team/a")),
            ("/registries/*/repositories", None),
            ("registries/main", None),
            ("", None),
            ("//", None),
            ("/a//b", None),
            ("/a/../b", None),
            ("/a/b c", None),
            ("/a/te*", None),
        ] {
            let scope = text.parse::<Scope>().ok();
            assert_eq!(scope.as_ref().map(Scope::as_str), normal, "{text}");
        }
        assert!("/".repeat(MAX_SCOPE + 1).parse::<Scope>().is_err());
        assert!("/a".repeat(MAX_SEGMENTS).parse::<Scope>().is_ok());
        assert!("/a".repeat(MAX_SEGMENTS + 1).parse::<Scope>().is_err());
        assert!("/*".repeat(MAX_STARS + 1).parse::<ScopePattern>().is_err());
    }

    #[test]
    fn what_a_pattern_covers() {
        for (pattern, scope, expected) in [
            ("/", "/", true),
            ("/", "/vaults/prod", true),
            ("/registries/main/repositories/team", "/registries/main/repositories/team", true),
            ("/registries/main/repositories/team", "/registries/main/repositories/team/a", true),
            ("/registries/main/repositories/team", "/registries/main/repositories/team-b", false),
            ("/registries/main/repositories/team/*", "/registries/main/repositories/team", false),
            ("/registries/main/repositories/team/*", "/registries/main/repositories/team/a", true),
            ("/registries/main/repositories/team/*", "/registries/main/repositories/team/a/b", true),
            ("/registries/*/repositories/app", "/registries/east/repositories/app", true),
            ("/registries/*/repositories/app", "/registries/east/repositories/web", false),
            ("/registries/main", "/", false),
            ("/vaults/Prod", "/vaults/prod", false),
        ] {
            let (pattern, scope): (ScopePattern, Scope) = (pattern.parse().unwrap(), scope.parse().unwrap());
            assert_eq!(pattern.covers(&scope), expected, "{pattern} and {scope}");
            assert_eq!(pattern.includes(&scope.into()), expected, "{pattern} includes");
        }
    }

    #[test]
    fn names_of_repositories() {
        let named = |text: &str| text.parse::<Scope>().unwrap().repository_name().map(str::to_owned);
        assert_eq!(named("/registries/main/repositories/team/a").as_deref(), Some("team/a"));
        for none in ["/", "/registries/main", "/registries/main/repositories", "/vaults/x/repositories/y"] {
            assert_eq!(named(none), None, "{none}");
        }
    }
}
