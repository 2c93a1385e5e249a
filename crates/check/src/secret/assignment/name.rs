//! What names say: `awsSecretKey` speaks of a secret, `primary_key` and `PASSWORD_FILE` do not.

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Password,
    Key,
}

/// The words of a name: `awsSecretKey`, `AWS_SECRET_KEY` and `aws.secret-key` are three each.
pub(super) fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let skip = rest.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
        rest = rest.get(skip..)?;
        let upper = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let lower = |from: usize| {
            rest.iter()
                .skip(from)
                .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                .count()
        };
        let length = match upper {
            0 | 1 => upper + lower(upper),
            // `APIKey` is `API` and `Key`; `API2` and `API` are one.
            _ => match lower(upper) {
                0 => upper,
                _ if rest.get(upper).is_some_and(u8::is_ascii_digit) => upper + lower(upper),
                _ => upper - 1,
            },
        };
        let (word, after) = rest.split_at_checked(length.max(1))?;
        rest = after;
        Some(word)
    })
}

pub(super) fn any(word: &[u8], of: &[&str]) -> bool {
    of.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn ends(word: &[u8], of: &[&str]) -> bool {
    of.iter().any(|known| {
        word.len() >= known.len()
            && word
                .get(word.len() - known.len()..)
                .is_some_and(|tail| tail.eq_ignore_ascii_case(known.as_bytes()))
    })
}

const PASSWORDS: &[&str] =
    &["password", "passwd", "pass", "pwd", "passphrase", "psw", "passwort", "passcode", "userpassword", "pw"];
const KEYS: &[&str] = &[
    "secret",
    "token",
    "tokens",
    "apikey",
    "auth",
    "credential",
    "credentials",
    "creds",
    "nkey",
    "secretkey",
    "accesskey",
    "authkey",
    "seed",
    "accesstoken",
    "authtoken",
    "secrets",
];
/// What a key must be the key to, to be a secret.
const QUALIFIERS: &[&str] = &[
    "api",
    "app",
    "application",
    "secret",
    "access",
    "private",
    "priv",
    "auth",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "shared",
    "license",
    "account",
    "storage",
    "client",
    "consumer",
    "service",
    "hmac",
    "admin",
    "subscription",
    "ssh",
    "deploy",
    "session",
    "cookie",
    "webhook",
    "write",
    "ingest",
    "jwt",
    "security",
    "sas",
    "server",
    "token",
    "rsa",
    "aes",
    "cipher",
    "crypto",
    "user",
    "developer",
    "integration",
    "host",
    "machine",
    "preshared",
    "psk",
    "tsig",
    "known",
];
/// What may follow the word that says secret.
const TRAILERS: &[&str] = &[
    "value",
    "string",
    "text",
    "base64",
    "b64",
    "hex",
    "old",
    "new",
    "prod",
    "production",
    "dev",
    "staging",
    "test",
    "repeat",
    "confirm",
    "confirmation",
    "again",
    "raw",
    "plain",
    "default",
    "root",
    "admin",
    "main",
    "primary",
    "secondary",
];
/// What makes a name speak of something public, or about a secret.
const DENIALS: &[&str] = &[
    "public",
    "pub",
    "hash",
    "hashed",
    "sha",
    "sha256",
    "sha1",
    "md",
    "md5",
    "digest",
    "checksum",
    "fingerprint",
    "label",
    "tooltip",
    "msg",
    "message",
    "placeholder",
    "error",
    "err",
    "invalid",
    "mandatory",
    "missing",
    "csrf",
    "xsrf",
    "next",
    "page",
    "cursor",
    "primary",
    "foreign",
    "thumbprint",
    "policy",
    "sort",
    "partition",
    "cache",
    "host",
];

/// What `name` promises: the last word that says secret counts, and hardly anything may follow it.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let (mut kind, mut before, mut spoiled) = (None, &b""[..], false);
    for word in words(name) {
        let digits = word.iter().all(u8::is_ascii_digit);
        let bare = word
            .iter()
            .rposition(|byte| !byte.is_ascii_digit())
            .map_or(word, |last| word.get(..=last).unwrap_or(word));
        if ends(bare, PASSWORDS)
            && !ends(bare, &["bypass", "compass", "trespass", "encompass", "surpass", "overpass"])
        {
            kind = Some(Kind::Password);
        } else if any(bare, KEYS)
            || ends(bare, &["apikey", "secretkey", "secret", "token"])
            || (any(bare, &["key", "keys"]) && any(before, QUALIFIERS))
        {
            kind = Some(Kind::Key);
        } else if !digits && !any(bare, TRAILERS) {
            kind = None;
        }
        spoiled |= any(bare, DENIALS);
        before = bare;
    }
    kind.filter(|_| !spoiled)
}
