//! Expressions of Go in our language.

use regex::bytes::{Regex, RegexBuilder};

use super::RulesError;

/// Bytes that one compiled expression may take.
const MAX_COMPILED: usize = 4 << 20;

/// Compiles an expression of `rule`.
pub(super) fn compile(rule: &str, text: &str) -> Result<Regex, RulesError> {
    // No Unicode: secrets are ASCII.
    RegexBuilder::new(&translated(text))
        .unicode(false)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| RulesError::Expression { rule: rule.to_owned(), reason: error.to_string() })
}

/// An expression of Go's language in ours: there, a `{` that begins no repetition and a `[` within a class stand for
/// themselves (RE2 syntax); here they have to be escaped, and `&&`, `--`, `~~` within a class too.
fn translated(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut class, mut from) = (String::with_capacity(text.len() + 8), None, 0);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let escape = match (byte, class) {
            (b'\\', _) => {
                at += 2;
                continue;
            }
            (b'[', None) => {
                class = Some(at);
                false
            }
            (b'[', Some(_)) => !rest.starts_with("[:"),
            // Right behind the opening, a bracket is a member.
            (b']', Some(start))
                if bytes.get(start + 1..at).is_some_and(|inside| !matches!(inside, b"" | b"^")) =>
            {
                let named = bytes.get(..at).is_some_and(|before| before.ends_with(b":"))
                    && rest.len() > 1
                    && is_named(bytes, at);
                if !named {
                    class = None;
                }
                false
            }
            (b'&' | b'-' | b'~', Some(_)) => bytes.get(at + 1) == Some(byte),
            (b'{', None) => !is_repetition(rest),
            _ => false,
        };
        if escape {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push('\\');
            from = at;
        }
        at += 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Whether the `]` at `at` ends a `[:name:]`.
fn is_named(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let opened = before.iter().rposition(|byte| *byte == b'[');
    opened.is_some_and(|opened| {
        before.get(opened + 1) == Some(&b':')
            && before.get(opened + 2..at - 1).is_some_and(|name| {
                !name.is_empty() && name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'^')
            })
    })
}

/// Whether `rest` begins with `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    !least.is_empty() && least.bytes().chain(most.bytes()).all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_the_other_language() {
        for (theirs, ours) in [
            (r"^\$(?:\d+|{\d+})$", r"^\$(?:\d+|\{\d+})$"),
            (r"a{2,3}b{4}c{5,}", r"a{2,3}b{4}c{5,}"),
            (r"[[:alnum:]]{2}[^[\]{}]", r"[[:alnum:]]{2}[^\[\]{}]"),
            (r"[]a-]x{}", r"[]a-]x\{}"),
            (r"[a--z&&b]", r"[a\--z\&&b]"),
        ] {
            assert_eq!(translated(theirs), ours);
            assert!(compile("", theirs).is_ok(), "{theirs}");
        }
    }
}
