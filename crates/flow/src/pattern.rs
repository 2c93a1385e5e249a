//! Patterns over names of repositories and tags: `*` stands for anything, `?` for one character.

/// Whether the whole of `name` is what `pattern` describes. Costs at most their lengths multiplied, whatever they are.
///
/// ```
/// use boltseal_flow::pattern::fits;
/// assert!(fits("team/*", "team/sub/app") && !fits("team/*", "team"));
/// ```
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last star does not fit: it then stands for one more.
    let mut star: Option<(usize, usize)> = None;
    while let Some(sign) = name.get(from) {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, from));
            }
            Some(wanted) if wanted == sign || *wanted == '?' => (at, from) = (at + 1, from + 1),
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|sign| *sign == '*')
}

/// Whether any of `patterns` does.
pub fn any<'p>(patterns: impl IntoIterator<Item = &'p String>, name: &str) -> bool {
    patterns.into_iter().any(|pattern| fits(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "team/app", true),
            ("team/*", "teams/app", false),
            ("v*.*.*", "v1.2.3", true),
            ("v*.*.*", "v1.2", false),
            ("v?", "v1", true),
            ("v?", "v12", false),
            ("?", "ä", true),
            ("*-rc*", "v1-rc2", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbb", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!fits(&"*a".repeat(100), &("a".repeat(10_000) + "b")), "and soon");
    }
}
