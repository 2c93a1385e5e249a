//! Parts of a blob in headers: what a pull asks for (`Range`), what a chunk of an upload is (`Content-Range`).

/// What a `Range` header asks for: RFC 9110, section 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// No range, several, or one we do not understand: a server may then send everything.
    Whole,
    /// Bytes that are there.
    Some {
        /// The first, from 0.
        start: u64,
        /// How many; at least one.
        length: u64,
    },
    /// Not satisfiable.
    Nothing,
}

impl Part {
    /// Reads the header for a blob of `size` bytes.
    pub fn parse(text: &str, size: u64) -> Self {
        let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
        else {
            return Self::Whole;
        };
        let number = |text: &str| match text {
            "" => Some(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Some(digits.parse::<u64>().unwrap_or(u64::MAX)))
            }
            _ => None,
        };
        let (start, end) = match (number(first), number(last)) {
            (Some(Some(start)), Some(end)) => (start, end.unwrap_or(u64::MAX)),
            (Some(None), Some(Some(0))) => return Self::Nothing,
            (Some(None), Some(Some(count))) => (size.saturating_sub(count), u64::MAX),
            _ => return Self::Whole,
        };
        // Section 15.5.17: also ranges that mean nothing may be answered with 416, which tells more than all bytes do.
        if end < start || start >= size {
            return Self::Nothing;
        }
        Self::Some { start, length: end.min(size - 1) - start + 1 }
    }
}

/// First byte and number of bytes of a chunk: `0-1023`, both included, as the distribution specification has it, or in the
/// words of RFC 9110, section 14.4: `bytes 0-1023/*`. `None` for anything else; no number where it ends before it begins.
pub fn chunk(text: &str) -> Option<(u64, Option<u64>)> {
    let text = text.trim().trim_start_matches("bytes").trim_start_matches(['=', ' ']);
    let (first, last) = text.split('/').next().unwrap_or(text).split_once('-')?;
    let (first, last): (u64, u64) = (digits(first)?, digits(last)?);
    Some((first, last.checked_sub(first).and_then(|span| span.checked_add(1))))
}

/// A number without a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let some = |start, length| Part::Some { start, length };
        let cases = [
            ("bytes=0-9", some(0, 10)),
            ("bytes=0-0", some(0, 1)),
            ("bytes=5-", some(5, 95)),
            ("bytes=-7", some(93, 7)),
            ("bytes=-700", some(0, 100)),
            ("bytes=90-1000", some(90, 10)),
            ("bytes=99-", some(99, 1)),
            ("bytes=0-99999999999999999999999", some(0, 100)),
            ("bytes=100-", Part::Nothing),
            ("bytes=99999999999999999999999-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=9-3", Part::Nothing),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("items=0-1", Part::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(Part::parse(text, 100), expected, "{text}");
        }
        assert_eq!(Part::parse("bytes=0-", 0), Part::Nothing, "an empty blob has no bytes");
    }

    #[test]
    fn chunks() {
        let cases = [
            ("0-1023", Some((0, Some(1024)))),
            ("5-5", Some((5, Some(1)))),
            ("bytes 0-9/100", Some((0, Some(10)))),
            ("bytes=0-9", Some((0, Some(10)))),
            ("9-0", Some((9, None))),
            ("0-18446744073709551615", Some((0, None))),
            ("+0-9", None),
            ("0-", None),
            ("-9", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(chunk(text), expected, "{text}");
        }
    }
}
