//! The keys that leave a container without ending it: `ctrl-p,ctrl-q`, written as Docker does.

use std::str::FromStr;

/// What leaves where nobody says otherwise.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";
/// Keys of a sequence.
const MAX: usize = 16;

/// A sequence of keys. None at all leaves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<u8>);

impl FromStr for Keys {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys = text.split(',').map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > MAX {
            return Err(format!("more than {MAX} keys"));
        }
        Ok(Self(keys))
    }
}

fn key(text: &str) -> Result<u8, String> {
    let wrong = || format!("`{text}` is no key: write a letter, or ctrl- and one of a-z, @, [, \\, ], ^, _");
    match text.as_bytes() {
        [byte] if byte.is_ascii_graphic() => Ok(*byte),
        [prefix @ .., byte] if prefix.eq_ignore_ascii_case(b"ctrl-") => match byte.to_ascii_uppercase() {
            // As terminals make them (ECMA-48): the five lowest bits.
            upper @ b'@'..=b'_' => Ok(upper & 0x1f),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

impl Keys {
    /// Looks for them in what is typed.
    pub const fn watch(&self) -> Watch<'_> {
        Watch { keys: self, seen: 0 }
    }
}

/// Where it is in the sequence.
#[derive(Debug)]
pub struct Watch<'a> {
    keys: &'a Keys,
    seen: usize,
}

impl Watch<'_> {
    /// What of all that was typed so far is to be passed on now, and whether the sequence is complete. Its beginning is held back until the
    /// next key says whether it is one.
    pub fn take(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len());
        for byte in typed {
            let mut waiting = [self.held(), &[*byte]].concat();
            // Whatever cannot be the beginning any more is passed on.
            while !self.keys.0.starts_with(&waiting) {
                passed.push(waiting.remove(0));
            }
            self.seen = waiting.len();
            if self.seen > 0 && self.seen == self.keys.0.len() {
                return (passed, true);
            }
        }
        (passed, false)
    }

    /// What is held back.
    pub fn held(&self) -> &[u8] {
        self.keys.0.get(..self.seen).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_as_they_are_written() {
        for (text, keys) in [
            (DEFAULT, &[0x10, 0x11][..]),
            ("", &[]),
            ("a", b"a"),
            ("ctrl-@,q", &[0, b'q']),
            ("Ctrl-[", &[0x1b]),
            ("ctrl-_", &[0x1f]),
        ] {
            assert_eq!(text.parse(), Ok(Keys(keys.to_vec())), "{text}");
        }
        for text in ["ctrl-", "ctrl-1", "ab", ",", "a,", "é", "alt-a", &vec!["a"; MAX + 1].join(",")] {
            assert!(text.parse::<Keys>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_found_in_what_is_typed() {
        let check = |keys: &str, typed: &[&[u8]], passed: &[u8], leaves: bool| {
            let keys: Keys = keys.parse().unwrap();
            let (mut watch, mut all, mut left) = (keys.watch(), Vec::new(), false);
            for typed in typed {
                let (passed, leaves) = watch.take(typed);
                all.extend(passed);
                left |= leaves;
            }
            assert_eq!((all.as_slice(), left), (passed, leaves), "{keys:?} in {typed:?}");
        };
        check(DEFAULT, &[b"ls\n"], b"ls\n", false);
        check(DEFAULT, &[b"ls\x10\x11rest"], b"ls", true);
        check(DEFAULT, &[b"ls\x10", b"\x11"], b"ls", true);
        check(DEFAULT, &[b"\x10a"], b"\x10a", false);
        // Held back, until it is known what it is.
        check(DEFAULT, &[b"\x10"], b"", false);
        check(DEFAULT, &[b"\x10\x10\x11"], b"\x10", true);
        check("a,a,b", &[b"aaab"], b"a", true);
        check("a,b,a,c", &[b"ababac"], b"ab", true);
        check("", &[b"\x10\x11"], b"\x10\x11", false);
    }
}
