//! Tokens whose issuers gave them a prefix to be found by.

use std::ops::Range;

use super::{Confidence, Found, ISSUERS, issuers::Checksum, random, value};

/// The token that begins with the anchor at `at`, if the issuer's rule fits: what stands before and behind it, how long
/// it is, and its checksum.
pub(crate) fn at(text: &[u8], at: Range<usize>, index: usize) -> Option<Found<'static>> {
    let issuer = ISSUERS.get(index)?;
    if text.get(at.clone())? != issuer.prefix.as_bytes() || glued(text, at.start, issuer.prefix) {
        return None;
    }
    let tail = text.get(at.end..)?;
    let length = tail.iter().take(issuer.most + 1).take_while(|byte| issuer.tail.holds(**byte)).count();
    if length < issuer.least || length > issuer.most {
        return None;
    }
    let tail = tail.get(..length)?;
    // What is long enough is no word, whatever its letters.
    if value::is_placeholder(tail) || !(value::is_chance(tail) || length > 60) {
        return None;
    }
    let confidence = match issuer.checksum.map(|checksum| fits(checksum, issuer.prefix, tail)) {
        Some(true) => Confidence::Verified,
        Some(false) => Confidence::Low,
        None => Confidence::High,
    };
    Some(Found { rule: issuer.rule, title: issuer.title, confidence, span: at.start..at.end + length })
}

/// Whether the token would begin in the middle of a word. Prefixes that are unlikely on their own need no boundary.
fn glued(text: &[u8], start: usize, prefix: &str) -> bool {
    let before = start.checked_sub(1).and_then(|index| text.get(index));
    prefix.len() < 10 && before.is_some_and(u8::is_ascii_alphanumeric)
}

fn fits(checksum: Checksum, prefix: &str, tail: &[u8]) -> bool {
    match checksum {
        Checksum::Base62Crc32 => {
            tail.split_last_chunk::<6>().is_some_and(|(body, sum)| base62(crc32fast::hash(body)) == *sum)
        }
        Checksum::HexCrc32 => tail.rsplit_once_at(b'_').is_some_and(|(body, sum)| {
            format!("{:08x}", crc32fast::hash(&[prefix.as_bytes(), body].concat())).as_bytes() == sum
                || format!("{:08x}", crc32fast::hash(body)).as_bytes() == sum
        }),
    }
}

/// Six digits, as GitHub and npm write a CRC-32.
fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = DIGITS.get((number % 62) as usize).copied().unwrap_or(b'0');
        number /= 62;
    }
    out
}

trait RsplitAt {
    fn rsplit_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])>;
}

impl RsplitAt for [u8] {
    fn rsplit_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|found| *found == byte)?;
        Some((self.get(..at)?, self.get(at + 1..)?))
    }
}

/// How seeds of NATS keys begin: `S`, the kind (account, cluster, operator, server, user, curve), and three bits of the
/// seed. <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth>
pub(crate) const NKEY_ANCHORS: &[&str] = &[
    "saa", "sab", "sac", "sad", "sca", "scb", "scc", "scd", "soa", "sob", "soc", "sod", "sna", "snb", "snc",
    "snd", "sua", "sub", "suc", "sud", "sxa", "sxb", "sxc", "sxd",
];

/// A NATS seed: 58 digits of base32, of which the last bytes are a CRC-16 (XMODEM) of the others, little endian.
pub(crate) fn nkey(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    const LENGTH: usize = 58;
    let candidate = text.get(at.start..at.start + LENGTH)?;
    let is_digit = |byte: &u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte);
    let before = at.start.checked_sub(1).and_then(|index| text.get(index));
    let behind = text.get(at.start + LENGTH);
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if !candidate.iter().all(is_digit) || word(before) || word(behind) {
        return None;
    }
    let bytes = base32(candidate);
    let (body, sum) = bytes.split_last_chunk::<2>()?;
    let fits = crc16(body) == u16::from_le_bytes(*sum);
    let confidence = if fits { Confidence::Verified } else { Confidence::Low };
    Some(Found { rule: "nats-seed", title: "NATS key seed", confidence, span: at.start..at.start + LENGTH })
}

/// A client secret of Entra ID: three marks, a digit, `Q~`, and 31 to 34 more.
pub(crate) fn azure_ad(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-');
    let start = at.start.checked_sub(4)?;
    let head = text.get(start..at.start)?;
    let length = text.get(at.end..)?.iter().take(35).take_while(|byte| of_alphabet(byte)).count();
    let before = start.checked_sub(1).and_then(|index| text.get(index));
    let fits = text.get(at.clone())? == b"Q~"
        && head.last().is_some_and(u8::is_ascii_digit)
        && head.iter().all(of_alphabet)
        && (31..=34).contains(&length)
        && !before.is_some_and(u8::is_ascii_alphanumeric);
    let span = start..at.end + length;
    let found = Found {
        rule: "entra-client-secret",
        title: "Entra ID client secret",
        confidence: Confidence::High,
        span,
    };
    fits.then_some(found)
}

/// How hashes of passwords begin: crypt(5) and Argon2's string form.
pub(crate) const HASHES: &[&str] =
    &["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$7$", "$gy$", "$argon2", "$apr1$"];

/// A hash of a password: not the password, but a way to it.
pub(crate) fn hash(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let rest = text.get(at.end..)?;
    let of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"./$=,+-".contains(byte);
    let length = rest.iter().take(400).take_while(|byte| of_alphabet(byte)).count();
    let body = rest.get(..length)?;
    let digits = body.rsplit(|byte| *byte == b'$').next()?;
    // The shortest digest is that of `$1$`, 22 digits; bcrypt has salt and digest in one.
    let fits = digits.len() >= 22 && random::distinct(digits) >= 10 && !value::is_placeholder(digits);
    let span = at.start..at.end + length;
    let found =
        Found { rule: "password-hash", title: "Hash of a password", confidence: Confidence::Medium, span };
    fits.then_some(found)
}

/// Without padding; bits that are left over are dropped.
fn base32(digits: &[u8]) -> Vec<u8> {
    let (mut out, mut held, mut bits) = (Vec::with_capacity(digits.len() * 5 / 8), 0_u32, 0);
    for digit in digits {
        let five =
            if digit.is_ascii_uppercase() { digit - b'A' } else { digit.wrapping_sub(b'2').wrapping_add(26) };
        held = (held << 5) | u32::from(five & 31);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(((held >> bits) & 0xff) as u8);
        }
    }
    out
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the check value of CRC-16/XMODEM");
        assert_eq!(&base62(0), b"000000");
        assert_eq!(&base62(u32::MAX), b"4gfFC3");
        assert_eq!(base32(b"MZXW6YTBOI"), b"foobar");
    }
}
