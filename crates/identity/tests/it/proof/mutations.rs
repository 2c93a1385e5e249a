//! The bodies of the fuzz targets `token` and `jwt` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../../fuzz/bodies/jwt.rs"]
mod jwt;
#[path = "../../../../../fuzz/bodies/token.rs"]
mod token;

use boltseal_testkit::mutations;

const WORDS: [&[u8]; 6] = [b"\"", b"*", b":", b"},{", &[0xff, 0], "é\u{202e}".as_bytes()];

#[test]
fn seeds_and_mutations_of_tokens_never_panic() {
    mutations("token", &WORDS, 4_000, token::body);
}

#[test]
fn seeds_and_mutations_of_jwts_never_panic() {
    mutations("jwt", &WORDS, 4_000, |bytes| jwt::body(&String::from_utf8_lossy(bytes)));
}
