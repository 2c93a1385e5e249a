//! Addresses: our own, always encoded; other people's, only if they are web pages.

use boltseal_model::Digest;
use maud::{Markup, html};

/// Characters that stay as they are in a path segment or a query value (RFC 3986 section 2.3), and `:` and `@`,
/// which are allowed in paths and make digests readable.
fn stays(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte)
}

/// Percent-encodes everything else.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

/// The page of an image.
pub(crate) fn image(digest: &Digest) -> String {
    format!("/images/{digest}")
}

/// The page of a vulnerability.
pub(crate) fn vulnerability(id: &str) -> String {
    format!("/vulnerabilities/{}", encode(id))
}

/// The page of a repository. Slashes stay: they part its name as they part the address.
pub(crate) fn repository(name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(encode).collect();
    format!("/repositories/{}", parts.join("/"))
}

/// A page elsewhere, if the feed gave the address of one; otherwise its text. `javascript:` and its kind never
/// become links.
pub(crate) fn outside(address: &str) -> Markup {
    let shown = address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    html! {
        @if address.starts_with("https://") || address.starts_with("http://") {
            a href=(address) rel="noreferrer noopener" { (shown) }
        } @else { (address) }
    }
}

/// `path` with a query of the pairs that have a value.
pub(crate) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// `path` if it is a place on this site, otherwise the front page: where to go after a form. A path that starts
/// with two slashes or a backslash would be another site to a browser.
pub(crate) fn back(path: &str) -> &str {
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.bytes().any(|byte| byte.is_ascii_control());
    if local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_is_not_plain() {
        assert_eq!(repository("a/b c&d"), "/repositories/a/b%20c%26d");
        assert_eq!(vulnerability("x\"><script>"), "/vulnerabilities/x%22%3E%3Cscript%3E");
        assert_eq!(query("/images", &[("q", ""), ("sort", "size")]), "/images?sort=size");
    }

    #[test]
    fn stays_on_this_site() {
        for (path, to) in [
            ("/images?q=a", "/images?q=a"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
        ] {
            assert_eq!(back(path), to);
        }
    }

    #[test]
    fn only_web_pages_become_links() {
        assert!(outside("javascript:alert(1)").into_string().starts_with("javascript:"));
        assert!(
            outside("https://a.example/\"x").into_string().contains("href=\"https://a.example/&quot;x\"")
        );
    }
}
