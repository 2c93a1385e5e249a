//! Texts with stars in them: `*` stands for any run of characters, nothing else is special.

/// Whether the whole of `text` fits; ASCII case does not matter.
pub(crate) fn fits_ignoring_case(pattern: &str, text: &str) -> bool {
    fits(pattern.as_bytes(), text.as_bytes(), |p, t| p.eq_ignore_ascii_case(&t))
}

/// Whether the whole of `text` fits; `?` stands for one byte.
pub(crate) fn fits_like(pattern: &str, text: &str, ignore_case: bool) -> bool {
    fits(pattern.as_bytes(), text.as_bytes(), |p, t| {
        p == b'?' || p == t || (ignore_case && p.eq_ignore_ascii_case(&t))
    })
}

/// Without recursion: on a mismatch the last star takes one byte more.
fn fits(pattern: &[u8], text: &[u8], one: impl Fn(u8, u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(&part) if one(part, byte) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = last_star else { return false };
                last_star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_marks() {
        for (pattern, text, like, plain) in [
            ("abc", "abc", true, true),
            ("abc", "abd", false, false),
            ("a*c", "abbc", true, true),
            ("a*c", "ac", true, true),
            ("*b*b*", "abab", true, true),
            ("*", "", true, true),
            ("a?c", "abc", true, false),
            ("", "", true, true),
            ("", "a", false, false),
            ("a*", "ba", false, false),
        ] {
            assert_eq!(fits_like(pattern, text, false), like, "{pattern} like {text}");
            assert_eq!(fits_ignoring_case(pattern, text), plain, "{pattern} plain {text}");
        }
        assert!(fits_like("A", "a", true) && !fits_like("A", "a", false) && fits_ignoring_case("A", "a"));
    }
}
