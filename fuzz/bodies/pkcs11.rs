//! Any text as the URI of a key in a token. Nothing panics, what is read names a key, and never its PIN.

use boltseal_trust::TokenUri;

/// Reads `text`.
pub fn body(text: &str) {
    match TokenUri::parse(text) {
        Ok(uri) => {
            assert!(uri.object.is_some() || uri.id.is_some(), "it names no key");
            let mut query = text.split_once('?').map_or("", |(_, query)| query).split('&');
            assert!(!query.any(|pair| pair.starts_with("pin-value=")), "a PIN was taken from an argument");
            assert_eq!(TokenUri::parse(text).as_ref(), Ok(&uri));
        }
        Err(why) => assert!(why.to_string().len() < text.len() + 400, "{why}"),
    }
}
