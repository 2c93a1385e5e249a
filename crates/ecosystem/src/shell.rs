//! Quoting for commands that people paste: names come out of images, so they come from strangers.

/// `word` as one word of a POSIX shell. Control characters, which a terminal might act on, become `?`.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%_-+=:,./".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for character in word.chars() {
        match character {
            '\'' => quoted.push_str("'\\''"),
            c if c.is_control() => quoted.push('?'),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn names_stay_one_word() {
        for (word, expected) in [
            ("@scope/name@1.2.3+b", "@scope/name@1.2.3+b"),
            ("requests>=2.31", "'requests>=2.31'"),
            ("x; rm -rf /", "'x; rm -rf /'"),
            ("$(id)'`id`", "'$(id)'\\''`id`'"),
            ("a\u{1b}[2Jb", "'a?[2Jb'"),
            ("3.0.11-1~deb12u2", "'3.0.11-1~deb12u2'"),
            ("", "''"),
        ] {
            assert_eq!(quote(word), expected);
        }
    }
}
