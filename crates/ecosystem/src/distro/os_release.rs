//! os-release(5): assignments in the syntax of a shell, of which a small part is allowed.

/// The fields that decide which feed applies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OsRelease {
    pub id: String,
    pub version_id: String,
    pub codename: String,
    pub pretty_name: String,
}

impl OsRelease {
    pub(super) fn parse(content: &[u8]) -> Self {
        let mut release = Self::default();
        for line in String::from_utf8_lossy(content).lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let field = match key {
                "ID" => &mut release.id,
                "VERSION_ID" => &mut release.version_id,
                "VERSION_CODENAME" => &mut release.codename,
                "PRETTY_NAME" => &mut release.pretty_name,
                _ => continue,
            };
            *field = unquote(value);
        }
        release.id.make_ascii_lowercase();
        release
    }
}

/// A shell word: bare, in single quotes, or in double quotes with backslash escapes.
fn unquote(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = value.strip_prefix('\'') {
        return inner.split('\'').next().unwrap_or_default().to_owned();
    }
    let (inner, quoted) = value.strip_prefix('"').map_or((value, false), |inner| (inner, true));
    let mut word = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.extend(characters.next()),
            '"' if quoted => break,
            ' ' | '\t' if !quoted => break,
            c if c.is_control() => {}
            c => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shell_words() {
        for (value, expected) in [
            ("debian", "debian"),
            ("\"Debian GNU/Linux 12 (bookworm)\"", "Debian GNU/Linux 12 (bookworm)"),
            ("'22.04'", "22.04"),
            (r#""a \"b\" \$c\\""#, r#"a "b" $c\"#),
            ("12 # comment", "12"),
            ("\"never closed", "never closed"),
            ("", ""),
        ] {
            assert_eq!(unquote(value), expected, "{value}");
        }
    }
}
