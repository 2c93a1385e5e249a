//! Who somebody is, by what they prove: secrets, passwords, tokens, other issuers, shares.
#![expect(clippy::indexing_slicing, reason = "a test says what it expects in the plainest way")]

mod assertion;
mod credential;
mod delay;
mod federation;
mod jwks;
mod jwt;
mod key_cache;
mod mutations;
mod oidc;
mod registry_scope;
mod share;
mod signer;
mod token;

use boltseal_model::Timestamp;

/// When the tests take place, in seconds since 1970.
const NOW: i64 = 1_795_000_000;

/// The moment `seconds` after [`NOW`].
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}
