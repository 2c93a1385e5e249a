//! Texts in programs that hold their version.

use memchr::memmem;

use crate::{lock::file_name, word::is_word};

/// Longest version that is read; the longest of these programs has a dozen characters.
const MAX_VERSION: usize = 32;

/// Programs for which Bitnami publishes advisories, by its names. Sorted.
pub(super) const BITNAMI: &[&str] = &[
    "apache",
    "consul",
    "envoy",
    "git",
    "haproxy",
    "java",
    "mariadb",
    "memcached",
    "nginx",
    "node",
    "php",
    "postgresql",
    "python",
    "redis",
    "ruby",
    "valkey",
    "vault",
];

/// A program: what it is called, names of its files (`*` for any rest), and what stands before its version.
struct Program {
    name: &'static str,
    files: &'static [&'static str],
    marks: &'static [Mark],
}

/// How a version is found. Of several marks the first that is followed by one counts.
enum Mark {
    /// It follows this text.
    After(&'static [u8]),
    /// It stands before this text.
    Before(&'static [u8]),
    /// It is a text by itself and begins as the name of the file ends: `3.11.2` in `libpython3.11.so.1.0`.
    ByName(&'static str),
    /// It is the first text by itself that is three numbers.
    First,
}

use Mark::{After, Before, ByName, First};

/// The programs, by name.
const PROGRAMS: &[Program] = &[
    Program { name: "apache", files: &["httpd", "apache2"], marks: &[After(b"Apache/")] },
    Program { name: "bash", files: &["bash"], marks: &[After(b"@(#)Bash version ")] },
    Program { name: "busybox", files: &["busybox*"], marks: &[After(b"BusyBox v")] },
    Program { name: "curl", files: &["curl", "libcurl*"], marks: &[After(b"libcurl/"), After(b"curl/")] },
    Program { name: "git", files: &["git"], marks: &[After(b"git/")] },
    Program {
        name: "haproxy",
        files: &["haproxy"],
        marks: &[After(b"HA-Proxy version "), After(b"\0 version ")],
    },
    Program {
        name: "mariadb",
        files: &["mariadbd", "mariadb", "mysqld", "mysql", "libmariadb*"],
        marks: &[Before(b"-MariaDB")],
    },
    Program { name: "memcached", files: &["memcached"], marks: &[After(b"memcached ")] },
    Program { name: "nginx", files: &["nginx*"], marks: &[After(b"nginx/")] },
    Program { name: "node", files: &["node", "nodejs", "libnode.so*"], marks: &[After(b"node.js/v")] },
    Program { name: "openssl", files: &["openssl", "libcrypto*", "libssl*"], marks: &[After(b"OpenSSL ")] },
    Program {
        name: "perl",
        files: &["perl*", "libperl*"],
        marks: &[After(b"/perl/"), After(b"/perl5/"), After(b"\0v")],
    },
    Program { name: "php", files: &["php*", "libphp*"], marks: &[After(b"X-Powered-By: PHP/")] },
    Program {
        name: "postgresql",
        files: &["postgres", "psql", "pg_dump"],
        marks: &[After(b"(PostgreSQL) "), After(b"PostgreSQL ")],
    },
    Program { name: "python", files: &["python*", "libpython*"], marks: &[ByName("python")] },
    Program { name: "redis", files: &["redis-server", "redis-cli", "redis-check-rdb"], marks: &[First] },
    Program { name: "ruby", files: &["ruby*", "libruby*"], marks: &[After(b"\0ruby ")] },
    Program { name: "valkey", files: &["valkey-server", "valkey-cli"], marks: &[First] },
    Program { name: "zlib", files: &["libz.so*"], marks: &[After(b" inflate ")] },
];

/// Whether the file at `path` has the name of one of these programs.
pub(super) fn is_known(path: &str) -> bool {
    program(path).is_some()
}

/// The program at `path`, and the version that `bytes` hold.
pub(super) fn read(path: &str, bytes: &[u8]) -> Option<(&'static str, String)> {
    let program = program(path)?;
    let version = program.marks.iter().find_map(|mark| mark.find(file_name(path), bytes))?;
    Some((program.name, version))
}

fn program(path: &str) -> Option<&'static Program> {
    let name = file_name(path);
    // Scripts and manual pages have such names with other ends.
    let fits = |known: &str| known.strip_suffix('*').map_or(name == known, |start| name.starts_with(start));
    PROGRAMS.iter().find(|program| program.files.iter().any(|known| fits(known)))
}

impl Mark {
    fn find(&self, file: &str, bytes: &[u8]) -> Option<String> {
        match self {
            Self::After(text) => {
                memmem::find_iter(bytes, text).find_map(|at| version(bytes.get(at + text.len()..)?))
            }
            Self::Before(text) => memmem::find_iter(bytes, text).find_map(|at| {
                let start = at.saturating_sub(MAX_VERSION);
                let before = bytes.get(start..at)?;
                let from = before.iter().rposition(|byte| !is_part(*byte)).map_or(0, |last| last + 1);
                version(before.get(from..)?)
            }),
            Self::ByName(word) => {
                let (_, rest) = file.split_once(word)?;
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let minor = rest.get(..end)?.trim_end_matches('.');
                let start =
                    if minor.contains('.') { format!("{minor}.") } else { minor.get(..1)?.to_owned() };
                // Linkers put a text into the end of a longer one: `…/versions/3.11.7` holds `3.11.7`.
                [&[0][..], b"/-"].iter().find_map(|before| {
                    memmem::find_iter(bytes, start.as_bytes()).find_map(|at| {
                        let last = at.checked_sub(1)?;
                        let stands_alone = before.contains(bytes.get(last)?);
                        three_numbers(text(bytes, last)?).filter(|_| stands_alone).map(str::to_owned)
                    })
                })
            }
            Self::First => {
                let starts = (b'1'..=b'9').map(|digit| [0, digit]);
                let first = |start: [u8; 2]| {
                    memmem::find_iter(bytes, &start)
                        .find_map(|at| Some((at, three_numbers(text(bytes, at)?)?.to_owned())))
                };
                starts.filter_map(first).min().map(|(_, text)| text)
            }
        }
    }
}

/// The text by itself behind the zero at `at`.
fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let rest = bytes.get(at + 1..)?;
    let end = rest.iter().take(MAX_VERSION).position(|byte| *byte == 0)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// `3.11.2`, `3.13.0rc1`, and `3.11.2+`, which a checkout of a repository calls itself.
fn three_numbers(text: &str) -> Option<&str> {
    let text = text.strip_suffix('+').unwrap_or(text);
    let mut parts = text.split('.');
    let number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let (major, minor, patch) = (parts.next(), parts.next(), parts.next()?);
    let digits = patch.find(|c: char| !c.is_ascii_digit()).unwrap_or(patch.len());
    let (patch, pre) = patch.split_at(digits);
    let is_pre = pre.is_empty()
        || ["a", "b", "rc"].iter().any(|word| {
            pre.strip_prefix(word)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        });
    (number(major) && number(minor) && number(Some(patch)) && is_pre && parts.next().is_none())
        .then_some(text)
}

const fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.'
}

/// The version at the beginning of `bytes`: digits and at least one dot, then letters and digits.
fn version(bytes: &[u8]) -> Option<String> {
    let end = bytes
        .iter()
        .take(MAX_VERSION)
        .position(|byte| !is_part(*byte))
        .unwrap_or(bytes.len().min(MAX_VERSION));
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?.trim_end_matches('.');
    // `3.1.2p20` of Ruby: the patch level is told by the release already.
    let text = text.split_once('p').map_or(text, |(release, _)| release);
    let starts = text.starts_with(|c: char| c.is_ascii_digit());
    let dots = text.split('.').filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).count() >= 2;
    (starts && dots && is_word(text)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_programs() {
        for (path, text, expected) in [
            ("usr/sbin/nginx", &b"x\0nginx/\0nginx/1.25.3\0"[..], Some(("nginx", "1.25.3"))),
            ("usr/local/bin/python3.11", b"\x003.1\x003.11.4\0", Some(("python", "3.11.4"))),
            ("usr/local/lib/libpython3.13.so.1.0", b"\x003.13.0rc1\0", Some(("python", "3.13.0rc1"))),
            ("usr/local/bin/python3", b"\x003.a.b\x003.9.1+\0", Some(("python", "3.9.1"))),
            ("usr/lib/libpython3.11.so.1.0", b"\0/opt/3.11.7\0Python-3.11.8\0", Some(("python", "3.11.7"))),
            ("usr/local/bin/python", b"\x003.9.1\0", None),
            (
                "usr/bin/openssl",
                b"OpenSSL headers\0OpenSSL 1.1.1q  5 Jul 2022\0",
                Some(("openssl", "1.1.1q")),
            ),
            ("usr/sbin/mariadbd", b"\x0010.11.6-MariaDB-log\0", Some(("mariadb", "10.11.6"))),
            ("usr/bin/redis-server", b"\x00127.0.0.1\x007.2.4\x002.6.0\0", Some(("redis", "7.2.4"))),
            ("lib/libruby.so.3.1", b"\0ruby 3.1.2p20 (2022)\0", Some(("ruby", "3.1.2"))),
            ("usr/bin/psql", b"psql (PostgreSQL) 15.4\n\0", Some(("postgresql", "15.4"))),
            ("usr/sbin/haproxy", b"\0 version 2.8.3-86e043a, released\0", Some(("haproxy", "2.8.3"))),
            ("usr/sbin/nginx", b"nginx/", None),
            ("usr/bin/other", b"nginx/1.25.3\0", None),
        ] {
            let found = read(path, text);
            assert_eq!(found.as_ref().map(|(name, version)| (*name, &**version)), expected, "{path}");
        }
        assert!(BITNAMI.is_sorted() && PROGRAMS.is_sorted_by_key(|program| program.name));
    }
}
