//! Patterns over names of repositories and tags: `*` stands for anything, `?` for one character.

/// Whether `name` is what `pattern` describes. Takes at most their lengths multiplied, whatever they are.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    // Where to go on when what followed the last star does not fit: it then stands for one byte more.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, from));
            }
            Some(wanted) if wanted == byte || *wanted == b'?' => (at, from) = (at + 1, from + 1),
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Whether any of `patterns`, separated by commas, describes `name`.
pub(super) fn any(patterns: &str, name: &str) -> bool {
    patterns.split(',').map(str::trim).any(|pattern| !pattern.is_empty() && matches(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "team/app", true),
            ("team/*", "team/app", true),
            ("team/*", "team/sub/app", true),
            ("team/*", "teams/app", false),
            ("team/*", "team", false),
            ("v*.*.*", "v1.2.3", true),
            ("v*.*.*", "v1.2", false),
            ("v?", "v1", true),
            ("v?", "v12", false),
            ("*-rc*", "v1-rc2", true),
            ("*-rc*", "v1", false),
            ("latest", "latest", true),
            ("latest", "Latest", false),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "abbbbbbbbbc", true),
            ("a*b*c", "abbbbbbbbb", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(any("latest, dev-*", "dev-1") && any("latest,dev-*", "latest"));
        assert!(!any("latest,dev-*", "v1") && !any("", "") && !any(" , ", "a"));
        let (hostile, long) = ("*a".repeat(100), "a".repeat(10_000) + "b");
        assert!(!matches(&hostile, &long));
    }
}
