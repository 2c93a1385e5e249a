//! Base32: RFC 4648 section 6 without padding for authenticator applications, Crockford's for what people type.

use zeroize::Zeroize;

/// The alphabet of RFC 4648.
pub(crate) const RFC4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Crockford's: no letter is mistaken for a digit.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Five bits a character; the last one is filled up with zeros.
pub(crate) fn encode(alphabet: &[u8; 32], bytes: &[u8]) -> String {
    let mut out = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(alphabet, held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(letter(alphabet, held << (5 - bits)));
    }
    held.zeroize();
    out
}

/// The character of a number; only its lowest five bits count.
pub(crate) fn letter(alphabet: &[u8; 32], value: u32) -> char {
    let place = usize::try_from(value & 31).unwrap_or_default();
    alphabet.get(place).copied().map_or('0', char::from)
}

/// The number of a character of [`CROCKFORD`], as people write it.
pub(crate) fn crockford(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = CROCKFORD.iter().position(|letter| char::from(*letter) == upper)?;
    u8::try_from(place).ok()
}

/// The text in the characters of [`CROCKFORD`]: without spaces and hyphens, in capitals, O as 0. Others stay.
pub(crate) fn crockford_plain(typed: &str) -> String {
    let kept = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.map(|c| crockford(c).map_or(c, |value| letter(CROCKFORD, value.into()))).collect()
}

/// With a hyphen after every `size` characters.
pub(crate) fn grouped(text: &str, size: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / size.max(1));
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % size.max(1) == 0 {
            out.push('-');
        }
        out.push(character);
    }
    out
}
