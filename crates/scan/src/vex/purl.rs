//! Package URLs as documents write them, and whether two of them name the same.
//!
//! Written after `PURL-SPECIFICATION.rst` of package-url/purl-spec, section "How to parse a purl string".

/// Bytes of a package URL. Longer ones name nothing that anybody installs.
const MAX_PURL: usize = 4096;

/// A package URL, taken apart and decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purl {
    kind: String,
    namespace: String,
    name: String,
    version: String,
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    /// Takes `text` apart; `None` where it is no package URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_PURL {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }
        let rest = rest.split('#').next()?.trim_start_matches('/');
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        let (path, version) = split_version(rest);
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() || !is_word(kind, b".-+") {
            return None;
        }
        let kind = kind.to_ascii_lowercase();
        let fold = |text: &str| folded(&kind, &decoded(text));
        let mut qualifiers: Vec<(String, String)> = qualifiers
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_ascii_lowercase(), decoded(value)))
            .collect();
        qualifiers.sort();
        if !qualifiers.iter().all(|(key, _)| is_word(key, b".-_")) {
            return None;
        }
        let (namespace, name) = (fold(namespace), fold(name));
        let version = decoded(version);
        Some(Self { kind, namespace, name, version, qualifiers }.renamed())
    }

    /// Node.js names itself by a type of its own in its VEX documents; scanners by the generic one.
    fn renamed(mut self) -> Self {
        if self.kind == "nodejs" && self.name == "node" && self.namespace.is_empty() {
            "generic".clone_into(&mut self.kind);
            self.version = self.version.trim_start_matches('v').to_owned();
        }
        self
    }

    /// The same, in `version` only; `None` where it is another version.
    pub(super) fn at(&self, version: &str) -> Option<Self> {
        self.is_version(version).then(|| Self { version: version.to_owned(), ..self.clone() })
    }

    /// Whether it names an image.
    pub(super) fn is_image(&self) -> bool {
        matches!(self.kind.as_str(), "oci" | "docker")
    }

    /// What it names, whatever the version.
    pub(super) fn key(&self) -> String {
        self.key_of(&self.name)
    }

    /// What a package of the same place called `name` is named.
    pub(super) fn key_of(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.kind, self.namespace)
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Empty where it means every version.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn qualifier(&self, key: &str) -> Option<&str> {
        let found = self.qualifiers.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it means a source package, from which others are built.
    pub(super) fn is_source(&self) -> bool {
        matches!((self.kind.as_str(), self.qualifier("arch")), ("deb", Some("source")) | ("rpm", Some("src")))
    }

    /// Whether this, of a document, means `installed`: the same type and name, the same version where this has one, and
    /// qualifiers that agree where both have them.
    pub(super) fn means(&self, installed: &Self) -> bool {
        (&self.kind, &self.namespace, &self.name) == (&installed.kind, &installed.namespace, &installed.name)
            && self.is_version(&installed.version)
            && self.agrees(installed, &[])
    }

    /// Whether this has no version, or that one.
    pub(super) fn is_version(&self, version: &str) -> bool {
        let bare = |text: &'_ str| text.trim_start_matches('v').to_owned();
        self.version.is_empty()
            || self.version == version
            || (self.kind == "golang" && bare(&self.version) == bare(version))
    }

    /// Whether the qualifiers that both have say the same, apart from those called `but`.
    pub(super) fn agrees(&self, other: &Self, but: &[&str]) -> bool {
        self.qualifiers.iter().filter(|(key, _)| !but.contains(&key.as_str())).all(|(key, value)| {
            other.qualifier(key).is_none_or(|found| {
                found == value || (key == "distro" && (is_release(found, value) || is_release(value, found)))
            })
        })
    }
}

/// `debian-12.4` is a release of `debian-12`.
fn is_release(minor: &str, major: &str) -> bool {
    minor.strip_prefix(major).is_some_and(|rest| rest.starts_with('.'))
}

/// Types and keys: letters, digits and `marks`, a letter first.
fn is_word(text: &str, marks: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}

/// The version follows the last `@`, unless a slash comes after it: then that is of an npm scope.
fn split_version(text: &str) -> (&str, &str) {
    match text.rsplit_once('@') {
        Some((path, version)) if !version.contains('/') => (path, version),
        _ => (text, ""),
    }
}

/// Names whose type says that case, or dashes, do not matter.
fn folded(kind: &str, text: &str) -> String {
    match kind {
        "pypi" => text.to_lowercase().replace(['_', '.'], "-"),
        "alpm" | "apk" | "bitbucket" | "bitnami" | "brew" | "composer" | "deb" | "docker" | "github"
        | "hex" | "oci" | "pub" | "nuget" => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| byte == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let found = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(found.unwrap_or(byte));
        rest = if found.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
