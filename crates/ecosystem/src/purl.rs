//! Package URLs: names of packages that every tool understands.
//!
//! Written after the purl specification (package-url/purl-spec, `PURL-SPECIFICATION.rst` and `types/*.json`). One
//! rule is read against its note: the `golang` definition calls names case-sensitive and yet wants them lowercased;
//! Go module paths differ by case and feeds spell them as they are, so they stay as they are.

use std::fmt;

/// A package URL under construction; [`fmt::Display`] writes it.
///
/// ```
/// # use boltseal_ecosystem::purl::Purl;
/// let purl = Purl::new("deb", "attr").namespace("debian").version("1:2.4.47-2+b1").qualifier("arch", "amd64");
/// assert_eq!(purl.to_string(), "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
/// ```
#[derive(Clone, Debug)]
pub struct Purl<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    version: &'a str,
    qualifiers: Vec<(&'a str, &'a str)>,
}

impl<'a> Purl<'a> {
    /// A package URL of type `kind` (`deb`, `npm`, …), which must be in lower case.
    pub fn new(kind: &'a str, name: &'a str) -> Self {
        Self { kind, namespace: "", name, version: "", qualifiers: Vec::new() }
    }

    /// What comes before the name; may have several segments.
    #[must_use]
    pub fn namespace(mut self, namespace: &'a str) -> Self {
        self.namespace = namespace;
        self
    }

    /// The version; an empty one is left out.
    #[must_use]
    pub fn version(mut self, version: &'a str) -> Self {
        self.version = version;
        self
    }

    /// One `key=value`; an empty value is left out, as the specification wants.
    #[must_use]
    pub fn qualifier(mut self, key: &'a str, value: &'a str) -> Self {
        if !value.is_empty() {
            self.qualifiers.push((key, value));
            self.qualifiers.sort_unstable();
        }
        self
    }

    /// Types whose definition says that namespace and name are not case-sensitive.
    fn folds_case(&self) -> bool {
        matches!(
            self.kind,
            "alpm"
                | "apk"
                | "bitbucket"
                | "bitnami"
                | "brew"
                | "composer"
                | "deb"
                | "github"
                | "hex"
                | "luarocks"
                | "pub"
                | "pypi"
        )
    }

    fn write_name(&self, f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        if !self.folds_case() {
            return encode(f, text);
        }
        let folded = text.to_lowercase();
        match self.kind {
            "pypi" => encode(f, &folded.replace('_', "-")),
            "pub" => encode(f, &folded.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
            _ => encode(f, &folded),
        }
    }
}

/// The package URL of `name` in `ecosystem`, whose type may have another word, and whose names may hold a namespace.
pub(crate) fn of_name(ecosystem: &str, name: &str, version: &str) -> String {
    let kind = match ecosystem {
        "rubygems" => "gem",
        "packagist" => "composer",
        "binary" => "generic",
        other => other,
    };
    let separator = if ecosystem == "maven" { ':' } else { '/' };
    let (namespace, name) = match kind {
        "npm" | "golang" | "composer" | "maven" | "swift" => {
            name.rsplit_once(separator).unwrap_or(("", name))
        }
        _ => ("", name),
    };
    Purl::new(kind, name).namespace(namespace).version(version).to_string()
}

impl fmt::Display for Purl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for segment in self.namespace.split('/').filter(|segment| !segment.is_empty()) {
            self.write_name(f, segment)?;
            f.write_str("/")?;
        }
        self.write_name(f, self.name)?;
        if !self.version.is_empty() {
            f.write_str("@")?;
            encode(f, self.version)?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}=", if index == 0 { '?' } else { '&' })?;
            encode(f, value)?;
        }
        Ok(())
    }
}

/// The value of the qualifier `key` of a package URL.
///
/// ```
/// # use boltseal_ecosystem::purl::qualifier;
/// let purl = "pkg:rpm/fedora/c%2B%2B@1-1?arch=x86_64&rpmmod=a:1%2B2";
/// assert_eq!(qualifier(purl, "rpmmod").as_deref(), Some("a:1+2"));
/// assert_eq!(qualifier(purl, "epoch"), None);
/// ```
pub fn qualifier(purl: &str, key: &str) -> Option<String> {
    let (_, qualifiers) = purl.split('#').next()?.split_once('?')?;
    qualifiers
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == key)
        .map(|(_, v)| decode(v))
}

/// Takes percent-encoding back; what is no encoding stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| byte == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let decoded = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes what the specification's section "Character encoding" does not leave alone.
fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut buffer = [0; 4];
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '~' | ':') {
            f.write_str(character.encode_utf8(&mut buffer))?;
        } else {
            for byte in character.encode_utf8(&mut buffer).bytes() {
                write!(f, "%{byte:02X}")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_examples() {
        for (purl, expected) in [
            (
                Purl::new("deb", "attr")
                    .namespace("Debian")
                    .version("1:2.4.47-2")
                    .qualifier("arch", "source"),
                "pkg:deb/debian/attr@1:2.4.47-2?arch=source",
            ),
            (
                Purl::new("npm", "animation").namespace("@angular").version("12.3.1"),
                "pkg:npm/%40angular/animation@12.3.1",
            ),
            (Purl::new("pypi", "Django_Allauth").version("12.23"), "pkg:pypi/django-allauth@12.23"),
            (
                Purl::new("golang", "context").namespace("github.com/Gorilla").version("v1.0.0+incompatible"),
                "pkg:golang/github.com/Gorilla/context@v1.0.0%2Bincompatible",
            ),
            (
                Purl::new("deb", "é x")
                    .qualifier("distro", "a/b")
                    .qualifier("arch", "")
                    .qualifier("a", "1,2"),
                "pkg:deb/%C3%A9%20x?a=1%2C2&distro=a%2Fb",
            ),
        ] {
            assert_eq!(purl.to_string(), expected);
        }
    }
}
