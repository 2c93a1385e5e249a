//! `WWW-Authenticate` (RFC 9110, section 11.6.1), as registries write it.

/// Bytes of the header that are looked at. Real ones have some hundred.
const MAX_CHALLENGE: usize = 8 << 10;
/// Parameters of one challenge. Real ones have four.
const MAX_PARAMETERS: usize = 64;

/// What a 401 asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with every request (RFC 7617).
    Basic,
    /// A token (RFC 6750).
    Bearer {
        /// Where to get it.
        realm: String,
        /// What the registry calls itself there.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the header; of several challenges a token is preferred.
    ///
    /// ```
    /// use boltseal_image::remote::Challenge;
    /// assert_eq!(Challenge::parse(r#"Basic realm="Registry""#), Some(Challenge::Basic));
    /// ```
    pub fn parse(header: &str) -> Option<Self> {
        let mut basic = false;
        let mut rest = header.get(..MAX_CHALLENGE).unwrap_or(header).trim_start();
        while !rest.is_empty() && rest.len() <= MAX_CHALLENGE {
            let (scheme, after) =
                rest.split_once(|c: char| c.is_whitespace() || c == ',').unwrap_or((rest, ""));
            let (parameters, next) = parameters(after);
            let get = |name: &str| {
                parameters
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = get("realm")
            {
                return Some(Self::Bearer { realm, service: get("service"), scope: get("scope") });
            }
            basic |= scheme.eq_ignore_ascii_case("basic");
            rest = next.trim_start_matches([' ', ',', '\t']);
        }
        basic.then_some(Self::Basic)
    }
}

/// `key=value` or `key="value"`, separated by commas, and what follows: another challenge.
fn parameters(mut text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        let trimmed = text.trim_start_matches([' ', ',', '\t']);
        let Some((key, after)) = trimmed.split_once('=') else { return (found, trimmed) };
        if key.trim_end().contains([' ', ',', '\t']) || found.len() == MAX_PARAMETERS {
            return (found, trimmed);
        }
        let (value, next) = value(after.trim_start());
        found.push((key.trim_end().to_owned(), value));
        text = next;
    }
}

/// A token or a quoted string, and what follows it.
pub(super) fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        let (value, next) = text.split_at(end);
        return (value.to_owned(), next);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_challenges() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Some(Challenge::Bearer { realm: realm.into(), service: owned(service), scope: owned(scope) })
        };
        let full = r#"Bearer realm="https://a/token",service="s, \"q\"",scope="repository:x:pull,push""#;
        for (header, expected) in [
            (full, bearer("https://a/token", Some("s, \"q\""), Some("repository:x:pull,push"))),
            ("bearer realm=https://a", bearer("https://a", None, None)),
            (r#"Basic realm="r", Bearer realm="https://a""#, bearer("https://a", None, None)),
            (r#"Basic realm="Registry""#, Some(Challenge::Basic)),
            ("BASIC", Some(Challenge::Basic)),
            ("Negotiate", None),
            ("Bearer", None),
            ("Bearer realm=\"unclosed", bearer("unclosed", None, None)),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expected, "{header}");
        }
        let flood = "a,".repeat(MAX_CHALLENGE);
        assert_eq!(Challenge::parse(&flood), None);
    }
}
