//! What the browser shows at the end of a sign-in.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// Nothing is loaded and nothing runs; the address, which has the code in it, is told to nobody.
const HEADERS: [(header::HeaderName, &str); 5] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
const STYLE: &str = "\
:root{color-scheme:light dark;font:1.05rem/1.6 system-ui,sans-serif}\
body{margin:0;min-height:100vh;display:grid;place-items:center}\
main{min-width:0;max-width:34rem;padding:2rem;overflow-wrap:anywhere}\
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .75rem}\
p{margin:.5rem 0}\
";

/// That somebody came back as they should.
pub fn signed_in(issuer: &str) -> Response {
    let text = [
        format!("{} knows you, and Boltseal has its answer.", escaped(issuer)),
        "You can close this page. Whether the signature was made, the terminal says.".to_owned(),
    ];
    shown(StatusCode::OK, "Signed in", &text)
}

/// Why somebody is not.
pub fn not_signed_in(status: StatusCode, why: &str) -> Response {
    let text = [
        format!("Boltseal signs nothing with this: {}.", escaped(why)),
        "Look at the terminal; to begin again, run the command again.".to_owned(),
    ];
    shown(status, "Not signed in", &text)
}

fn shown(status: StatusCode, title: &str, text: &[String]) -> Response {
    let text = text.join("</p><p>");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Boltseal</title><style>{STYLE}</style><main><h1>{title}</h1><p>{text}</p></main></html>\n"
    );
    let mut response = (status, Body::from(page)).into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_strangers_is_markup() {
        assert_eq!(escaped("<b title='x'>&\"</b>"), "&lt;b title=&#39;x&#39;&gt;&amp;&quot;&lt;/b&gt;");
    }
}
