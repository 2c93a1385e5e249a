//! Random words that prove something to whoever made them: session ids, sign-in codes.

use aws_lc_rs::{constant_time, digest, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// 256 bits: beyond guessing (OWASP asks a session id for at least 64 bits of entropy).
const BYTES: usize = 32;

/// A fresh random word, safe in URLs and cookies.
///
/// # Panics
/// When the operating system has no randomness left to give, which `aws-lc-rs` treats as fatal as well.
pub(crate) fn fresh() -> String {
    let mut bytes = [0_u8; BYTES];
    #[expect(clippy::expect_used, reason = "without randomness nobody may be signed in; there is no way on")]
    rand::fill(&mut bytes).expect("the operating system's random number generator failed");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored instead of the word. Words of full entropy need no salt and no slow hash.
pub(crate) fn hash(word: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, word.as_bytes());
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

/// Compares in the same time whatever the difference.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}
