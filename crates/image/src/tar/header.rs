//! One header block.

/// Archives come in blocks of this many bytes.
pub const BLOCK: usize = 512;

/// The fields we use, still unjoined.
#[derive(Debug)]
pub struct Header {
    pub flag: u8,
    pub size: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: i64,
    name: String,
    prefix: String,
    link: String,
}

impl Header {
    /// Checks the sum and reads the fields.
    pub fn parse(block: &[u8; BLOCK]) -> Result<Self, String> {
        let field = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default();
        if number(field(148, 8)).is_none_or(|stored| !sums(block).contains(&stored)) {
            return Err("the header's checksum is wrong: not a tar archive, or a damaged one".into());
        }
        let size = number(field(124, 12)).ok_or("the size is not a number")?;
        let size = u64::try_from(size).map_err(|_| format!("the size is negative ({size})"))?;
        // Owner, mode and time do not decide what is unpacked; nonsense in them is no reason to refuse an image.
        let small = |from: usize| {
            number(field(from, 8)).and_then(|value| u32::try_from(value).ok()).unwrap_or_default()
        };
        let prefix = match (field(257, 6), field(508, 4)) {
            (b"ustar\0", b"tar\0") => field(345, 131), // Schilling's star
            (b"ustar\0", _) => field(345, 155),
            _ => &[], // GNU and V7 have other things there
        };
        Ok(Self {
            flag: block[156],
            size,
            mode: small(100) & 0o7777,
            uid: small(108),
            gid: small(116),
            modified: number(field(136, 12)).unwrap_or_default(),
            name: string(field(0, 100)),
            prefix: string(prefix),
            link: string(field(157, 100)),
        })
    }

    pub fn name(&self) -> String {
        if self.prefix.is_empty() { self.name.clone() } else { format!("{}/{}", self.prefix, self.name) }
    }

    pub fn link(&self) -> String {
        self.link.clone()
    }
}

/// Everything before the first zero byte. Names in other encodings keep what is UTF-8 in them.
pub fn string(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// Octal digits between blanks and zeros, or base 256 when the first bit is set.
pub fn number(field: &[u8]) -> Option<i64> {
    match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            // Two's complement over all bits but the first.
            let start = i64::from(first & 0x7f) - if first & 0x40 == 0 { 0 } else { 0x80 };
            rest.iter().try_fold(start, |value, byte| {
                value.checked_mul(256).and_then(|value| value.checked_add(i64::from(*byte)))
            })
        }
        _ => {
            let blank = |byte: &u8| *byte == b' ' || *byte == 0;
            let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
            let digits = field.get(start..).unwrap_or_default();
            let end = digits.iter().position(blank).unwrap_or(digits.len());
            let (digits, rest) = digits.split_at(end);
            if !rest.iter().all(blank) {
                return None;
            }
            digits.iter().try_fold(0i64, |value, digit| match digit {
                b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
                _ => None,
            })
        }
    }
}

/// The sum of all bytes, the checksum's own counted as blanks: unsigned, and signed as some old tools had it.
fn sums(block: &[u8; BLOCK]) -> [i64; 2] {
    let mut unsigned = 0i64;
    let mut signed = 0i64;
    for (at, byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { *byte };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    [unsigned, signed]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"12345678", None),
            (b"0x10\0\0\0\0", None),
            (b"1 2\0\0\0\0\0", None),
            (b"-1\0\0\0\0\0\0", None),
            (b"\x80\0\0\0\0\0\0\x05", Some(5)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
