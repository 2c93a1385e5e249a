//! What registries write into headers: `WWW-Authenticate` and `Link`. Nothing panics, and what is read was written.

use boltseal_image::remote::{Challenge, next_page};

/// Reads `bytes` as each of them.
pub fn body(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(next) = next_page(text) {
        assert!(!next.is_empty() && !next.contains('>') && text.contains(&format!("<{next}>")), "made up");
    }
    let challenge = Challenge::parse(text);
    if let Some(Challenge::Bearer { realm, .. }) = &challenge {
        // Escapes only ever take characters away.
        let mut left = text.chars();
        assert!(realm.chars().all(|wanted| left.any(|one| one == wanted)), "a realm that nobody wrote");
        assert!(text.to_ascii_lowercase().contains("bearer"));
    }
    if challenge == Some(Challenge::Basic) {
        assert!(text.to_ascii_lowercase().contains("basic"));
    }
}
