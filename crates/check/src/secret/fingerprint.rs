//! What a credential is recognised by, so that its value need not be kept.
//!
//! HMAC-SHA-256 (RFC 2104) of the value in one form, under a key that only the server has, cut to the 128 bits of
//! [`Fingerprint`]. Equal credentials have equal fingerprints in whatever image, file or rule they were found; without
//! the key nobody can test whether a guess is right, which an unkeyed hash would allow for passwords.
//!
//! | written | one form |
//! |---|---|
//! | a private key in PEM, whatever its line ends, indentation, or `\n` in a string | the digits of its body |
//! | `p%40ss` in a URL | percent-decoded, RFC 3986 section 2.1 |
//! | within quotes, with blanks around | without |
//! | anything else | as it is |
//!
//! A user and password in `Basic` are one credential, not the same as the password alone.

use std::fmt;

use aws_lc_rs::hmac;
use boltseal_model::Fingerprint;
use zeroize::Zeroizing;

/// So that the same key, used for something else, gives something else.
const PURPOSE: &[u8] = b"boltseal credential 1\0";

/// The key of fingerprints. Neither shown nor written; its memory is wiped.
pub struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    /// Bytes of the key: as many as the hash has, so that there is no shorter way than trying all keys.
    pub const BYTES: usize = 32;

    /// From bytes that nobody else knows.
    pub fn new(bytes: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Tells it from other keys, and nothing about it.
    pub fn id(&self) -> String {
        self.of(b"boltseal: which key is this").short()
    }

    /// Of a value as it was found.
    pub fn of(&self, value: &[u8]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(PURPOSE);
        context.update(&one_form(value));
        let mut bytes = [0; Fingerprint::BYTES];
        for (to, from) in bytes.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        Fingerprint::new(bytes)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

/// The table above. Wiped as soon as it was hashed.
fn one_form(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let bare = value.trim_ascii();
    let quoted = |mark: u8| bare.len() > 2 && bare.first() == Some(&mark) && bare.last() == Some(&mark);
    let bare = if [b'"', b'\'', b'`'].into_iter().any(quoted) {
        bare.get(1..bare.len() - 1).unwrap_or(bare)
    } else {
        bare
    };
    if let Some(digits) = pem_body(bare).map(digits).filter(|digits| !digits.is_empty()) {
        return digits;
    }
    if bare.contains(&b'%') { decoded(bare) } else { Zeroizing::new(bare.to_vec()) }
}

/// What stands between the two lines of a private key in PEM; the last may be missing.
fn pem_body(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(b"-----BEGIN ")?;
    let label = rest.windows(5).position(|part| part == b"-----")?;
    let body = rest.get(label + 5..)?;
    let end = body.windows(5).position(|part| part == b"-----").unwrap_or(body.len());
    body.get(..end)
}

/// Its base64 digits. Lines of PEM's old headers have a colon and count for nothing.
fn digits(body: &[u8]) -> Zeroizing<Vec<u8>> {
    // In a string on one line, line ends are written as `\n`.
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'\\' && matches!(bytes.peek(), Some(b'n' | b'r'));
        text.push(if escaped { b'\n' } else { byte });
        if escaped {
            bytes.next();
        }
    }
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.contains(&b':')) {
        digits.extend(line.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')));
    }
    digits
}

/// A sign that stands alone stays as it is.
fn decoded(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let digit = |at: usize| value.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let code = match (digit(at + 1), digit(at + 2)) {
            (Some(high), Some(low)) if *byte == b'%' => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    fn pem(line_end: &str, indent: &str) -> String {
        let lines = ["-----BEGIN PRIVATE KEY-----", &BODY[..32], &BODY[32..], "-----END PRIVATE KEY-----"];
        lines.map(|line| format!("{indent}{line}")).join(line_end).trim().to_owned()
    }

    /// An encrypted one, with headers as in RFC 1421.
    fn headed(line_end: &str, first: &str) -> String {
        pem(line_end, "").replace(
            "MIIE",
            &format!("Proc-Type: 4,ENCRYPTED{line_end}DEK-Info: AES{line_end}{line_end}{first}IIE"),
        )
    }

    #[test]
    fn the_same_credential_written_otherwise_is_the_same() {
        let key = FingerprintKey::new(&[7; 32]);
        let same = |a: &str, b: &str| key.of(a.as_bytes()) == key.of(b.as_bytes());
        for (a, b, expected) in [
            ("qjzw7Rkx2b", "qjzw7Rkx2b", true),
            ("qjzw7Rkx2b", "qjzw7Rkx2B", false),
            (" \"qjzw7Rkx2b\" ", "qjzw7Rkx2b", true),
            ("'", "\"", false),
            ("p%40ssw0rd", "p@ssw0rd", true),
            ("100%sure", "100%sure", true),
            ("50%4", "50%04", false),
            (&pem("\n", ""), &pem("\r\n", ""), true),
            (&pem("\n", ""), &pem("\n", "    "), true),
            (&pem("\n", ""), &pem("\\n", ""), true),
            (&pem("\n", ""), &pem("\n", "").replace("-----END PRIVATE KEY-----", ""), true),
            (&pem("\n", ""), &pem("\n", "").replace("MIIE", "MIIF"), false),
            (&headed("\n", "4"), &headed("\\n", "4"), true),
            (&headed("\\n", "4"), &headed("\\n", "5"), false),
        ] {
            assert_eq!(same(a, b), expected, "{a} and {b}");
        }
        let other = FingerprintKey::new(&[8; 32]);
        assert_ne!(key.of(b"qjzw7Rkx2b"), other.of(b"qjzw7Rkx2b"), "another key, another fingerprint");
        assert_eq!(format!("{key:?}"), "FingerprintKey(…)");
    }

    /// Made with another implementation: `hmac.new(bytes([7]*32), b"boltseal credential 1\0qjzw7Rkx2b", "sha256")`.
    #[test]
    fn it_stays_what_it_is() {
        let key = FingerprintKey::new(&[7; 32]);
        assert_eq!(key.of(b"qjzw7Rkx2b").to_string(), "a69b142618419d0661c325dfebd0c401");
    }
}
