//! Numbers and quoted texts.

use crate::token::Token;

/// A quoted text or bytes at the beginning of `rest`, and its length.
pub(crate) fn quoted(rest: &str) -> Result<Option<(Token, usize)>, String> {
    let mut bytes = false;
    let mut raw = false;
    let mut prefix = 0;
    for sign in rest.chars().take(2) {
        match sign {
            'b' | 'B' if !bytes => bytes = true,
            'r' | 'R' if !raw => raw = true,
            _ => break,
        }
        prefix += 1;
    }
    let body = rest.get(prefix..).unwrap_or_default();
    let Some(quote) = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote)) else {
        return Ok(None);
    };
    let inside = body.get(quote.len()..).unwrap_or_default();
    let length = end(inside, quote, raw).ok_or("a text that is not closed")?;
    let text = inside.get(..length).unwrap_or_default();
    let whole = prefix + 2 * quote.len() + length;
    let token = match (raw, bytes) {
        (true, true) => Token::Bytes(text.as_bytes().to_vec()),
        (true, false) => Token::Text(text.to_owned()),
        (false, true) => Token::Bytes(unescaped(text, true)?),
        (false, false) => {
            let unescaped = unescaped(text, false)?;
            Token::Text(String::from_utf8(unescaped).map_err(|_| "a text that is not UTF-8")?)
        }
    };
    Ok(Some((token, whole)))
}

/// Where the closing quote stands.
fn end(inside: &str, quote: &str, raw: bool) -> Option<usize> {
    let mut skip = false;
    for (at, sign) in inside.char_indices() {
        if skip {
            skip = false;
        } else if sign == '\\' && !raw {
            skip = true;
        } else if inside.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            return Some(at);
        } else if sign == '\n' && quote.len() == 1 {
            return None;
        }
    }
    None
}

fn unescaped(text: &str, bytes: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let kind = signs.next().unwrap_or(' ');
        let plain = match kind {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' | '\'' | '"' | '`' | '?' => u8::try_from(kind).unwrap_or(b'?'),
            _ => {
                coded(kind, &mut signs, bytes, &mut out)?;
                continue;
            }
        };
        out.push(plain);
    }
    Ok(out)
}

/// `\x41`, `\u0041`, `\U00000041`, `\101`.
fn coded(kind: char, signs: &mut std::str::Chars<'_>, bytes: bool, out: &mut Vec<u8>) -> Result<(), String> {
    let wrong = || format!("`\\{}` is no escape", kind.escape_debug());
    let (digits, base) = match kind {
        'x' | 'X' => (String::new(), 16),
        'u' | 'U' if !bytes => (String::new(), 16),
        '0'..='3' => (kind.to_string(), 8),
        _ => return Err(wrong()),
    };
    let count = match kind {
        'u' => 4,
        'U' => 8,
        _ => 2,
    };
    let digits = signs.by_ref().take(count).fold(digits, |mut digits, sign| {
        digits.push(sign);
        digits
    });
    let enough = digits.len() == count + usize::from(base == 8);
    let code = u32::from_str_radix(&digits, base).ok().filter(|_| enough && !digits.contains('+'));
    let code = code.ok_or_else(wrong)?;
    if bytes {
        out.push(u8::try_from(code).map_err(|_| wrong())?);
    } else {
        let sign = char::from_u32(code).ok_or_else(wrong)?;
        out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(())
}

/// A number at the beginning of `rest`, and its length.
pub(crate) fn number(rest: &str) -> Result<(Token, usize), String> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let length = hex.find(|sign: char| !sign.is_ascii_hexdigit()).unwrap_or(hex.len());
        let value = u64::from_str_radix(hex.get(..length).unwrap_or_default(), 16);
        return whole(value.ok(), rest, length + 2);
    }
    let mut length = digits(0);
    let mut real = false;
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        real = true;
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            real = true;
            length += 1 + sign + exponent;
        }
    }
    let text = rest.get(..length).unwrap_or_default();
    if real {
        let value: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
        return Ok((Token::Double(value), length));
    }
    whole(text.parse().ok(), rest, length)
}

fn whole(value: Option<u64>, rest: &str, length: usize) -> Result<(Token, usize), String> {
    let value = value.ok_or("a number that is too large")?;
    match rest.as_bytes().get(length) {
        Some(b'u' | b'U') => Ok((Token::Uint(value), length + 1)),
        _ => Ok((Token::Int(value), length)),
    }
}
