//! Whether a value could be a credential at all, and whether it looks like one.

use super::random;

/// Words that say that a value stands for another.
const PLACEHOLDERS: &[&[u8]] = &[
    b"example",
    b"changeme",
    b"change_me",
    b"change-me",
    b"placeholder",
    b"your_",
    b"your-",
    b"yourp",
    b"yours",
    b"yourt",
    b"dummy",
    b"sample",
    b"xxxx",
    b"redacted",
    b"<",
    b"${",
    b"$(",
    b"{{",
    b"#{",
    b"%s",
    b"%d",
    b"%v",
    b"****",
    b"....",
    b"insert",
    b"replace",
    b"notreal",
    b"abcdef",
    b"123456",
    b"qwerty",
    b"00000",
    b"foobar",
    b"process.env",
    b"os.environ",
    b"getenv",
    b"[redacted",
    b"fake",
    b"invalid",
];

/// Whether `value` stands for another one: a variable, an example, a blank.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or(b' ');
    let blank = value.iter().all(|byte| *byte == first);
    let default = value.starts_with(b"${");
    let variable = default
        || matches!(first, b'$' | b'<' | b'{' | b'%' | b'@' | b'*' | b'&' | b'[') && value.len() > 1 && {
            let rest = value.get(1..).unwrap_or_default();
            first != b'$' && first != b'@' && first != b'&' && first != b'*' && first != b'%'
                || rest.iter().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'{' | b'}' | b'.' | b'%' | b'@')
                })
        };
    blank || variable || contains_any(value, PLACEHOLDERS)
}

fn contains_any(value: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
}

/// Whether `value` is a place, a piece of code or a sentence rather than a credential.
pub(crate) fn is_something_else(value: &[u8], quoted: bool) -> bool {
    let starts = |prefix: &[u8]| {
        value.len() >= prefix.len() && value.iter().zip(prefix).all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    let has = |byte: u8| value.contains(&byte);
    let place = starts(b"/") && !value.iter().any(|byte| matches!(byte, b'+' | b'='))
        || [
            &b"./"[..],
            b"../",
            b"~/",
            b"http:",
            b"https:",
            b"arn:",
            b"data:",
            b"file:",
            b"secret/",
            b"projects/",
            b"ssh-",
            b"ecdsa-",
        ]
        .iter()
        .any(|prefix| starts(prefix));
    let sentence = has(b' ') || has(b'\t');
    let code = has(b'(') && (has(b')') || value.ends_with(b"(") || !quoted)
        || value.windows(2).any(|two| matches!(two, b"::" | b"->" | b"=>" | b"()" | b"+\"" | b"\"+"))
        || (!quoted && (has(b'[') || has(b'{') || has(b'(') || is_constant(value)));
    let file = [
        &b".pem"[..],
        b".key",
        b".crt",
        b".json",
        b".txt",
        b".yml",
        b".yaml",
        b".conf",
        b".xml",
        b".html",
        b".js",
        b".py",
        b".go",
        b".md",
        b".com",
        b".org",
        b".net",
    ]
    .iter()
    .any(|end| {
        value.len() > end.len()
            && value.get(value.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    });
    place || sentence || code || file
}

/// `Keys.TEST_KEY_1`: the name of a constant, in code.
fn is_constant(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'.');
    let (last, before) = (parts.next_back().unwrap_or_default(), parts.next());
    let upper = last.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    before.is_some_and(|part| part.first().is_some_and(u8::is_ascii_alphabetic))
        && upper
        && last.contains(&b'_')
}

/// What the bytes of a value are.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    letters: usize,
    digits: usize,
    marks: usize,
    foreign: usize,
    /// How often letters and digits take turns.
    turns: usize,
    hex: bool,
    distinct: usize,
}

fn shape(value: &[u8]) -> Shape {
    let mut shape = Shape { hex: true, distinct: random::distinct(value), ..Shape::default() };
    let mut last = 0;
    for byte in value {
        let class = if byte.is_ascii_alphabetic() {
            1
        } else if byte.is_ascii_digit() {
            2
        } else {
            3
        };
        match class {
            1 => shape.letters += 1,
            2 => shape.digits += 1,
            _ if byte.is_ascii() => shape.marks += 1,
            _ => shape.foreign += 1,
        }
        shape.turns += usize::from(last != 0 && last != class);
        shape.hex &= byte.is_ascii_hexdigit();
        last = class;
    }
    shape
}

/// Whether `value` looks like something made by chance, so that nobody would type it as an example.
pub(crate) fn is_chance(value: &[u8]) -> bool {
    let Shape { letters, digits, marks, foreign, turns, hex, distinct } = shape(value);
    if value.len() < 4 || letters == 0 || distinct < 4 || foreign > value.len() / 3 {
        return false;
    }
    let bits = random::cost(value).unwrap_or_default();
    if hex && value.len() >= 16 {
        return digits > 0 && distinct >= 6;
    }
    if digits == 0 && marks == 0 {
        return bits >= if value.len() < 5 { random::CHANCE + 0.6 } else { random::CHANCE };
    }
    if digits == 0 {
        // Words joined by dots and dashes are names; chance survives the joints.
        return bits >= random::CHANCE + 0.3 && letters >= 6;
    }
    if is_name(value) {
        return false;
    }
    bits >= random::CHANCE || turns >= 4 || (marks > 0 && turns >= 2 && bits >= 4.2)
}

/// Words and short numbers that dashes join, as in `scram-sha-256`.
fn is_name(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| matches!(byte, b'-' | b'_' | b'.' | b'/'));
    parts.all(|part| {
        let number = part.len() <= 4 && part.iter().all(u8::is_ascii_digit);
        let word = part.iter().all(u8::is_ascii_alphabetic);
        number || (word && random::cost(part).is_none_or(|bits| bits < random::CHANCE))
    })
}

/// Whether `value` could be a key or a token: longer than a password, of an alphabet that such things have.
pub(crate) fn is_key(value: &[u8]) -> bool {
    let of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#$%^&*:|".contains(byte);
    let shape = shape(value);
    value.len() >= 8
        && value.iter().all(of_alphabet)
        && is_chance(value)
        && (shape.digits > 0 || value.len() >= 12)
}

/// Whether `value` is a UUID.
pub(crate) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(index, byte)| {
            if matches!(index, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}
