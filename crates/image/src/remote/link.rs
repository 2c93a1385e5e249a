//! `Link` (RFC 8288), as registries write it: where the next page of a list is.

use super::challenge::value;

/// Bytes of the header that are looked at. Real ones have some hundred.
const MAX_LINK: usize = 8 << 10;
/// Links in one header. Real ones have one.
const MAX_LINKS: usize = 16;

/// The target of the link with `rel="next"`, as written: absolute, or relative to the answer's address.
///
/// ```
/// use boltseal_image::remote::next_page;
/// assert_eq!(next_page(r#"</v2/_catalog?n=2&last=b>; rel="next""#), Some("/v2/_catalog?n=2&last=b"));
/// ```
pub fn next_page(header: &str) -> Option<&str> {
    let mut rest = header.get(..MAX_LINK).unwrap_or(header);
    if rest.len() > MAX_LINK {
        return None; // the cut would be inside a character, which no URL has
    }
    for _ in 0..MAX_LINKS {
        let (target, after) = rest.trim_start_matches([' ', ',', '\t']).strip_prefix('<')?.split_once('>')?;
        let (next, following) = is_next(after);
        if next {
            return Some(target).filter(|target| !target.is_empty());
        }
        rest = following;
    }
    None
}

/// Whether the parameters of a link say that it is the next one, and what follows them.
fn is_next(mut text: &str) -> (bool, &str) {
    let mut next = false;
    loop {
        let Some(parameter) = text.trim_start().strip_prefix(';') else { return (next, text) };
        let parameter = parameter.trim_start();
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let (key, after) = parameter.split_at(end);
        let Some(after) = after.strip_prefix('=') else {
            text = after;
            continue;
        };
        let (value, following) = value(after.trim_start());
        if key.trim().eq_ignore_ascii_case("rel") {
            next |= value.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"));
        }
        text = following;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_links() {
        for (header, expected) in [
            (r#"</v2/a/tags/list?n=1&last=b>; rel="next""#, Some("/v2/a/tags/list?n=1&last=b")),
            ("<https://r/v2/_catalog>;rel=next", Some("https://r/v2/_catalog")),
            (r#"<a>; rel="prev", <b>; title="x, y; rel=next"; rel="next last""#, Some("b")),
            (r#"<a>; rel="prev""#, None),
            ("<a>; rel", None),
            ("<a>", None),
            ("<>; rel=next", None),
            ("a; rel=next", None),
            ("<a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_page(header), expected, "{header}");
        }
    }
}
