//! Somebody who is believed, and signed nothing.

use std::sync::LazyLock;

use boltseal_trust::{Authority, Who};

/// A key that signed nothing.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEimmtHZBxKqOnLoofx2lsqP+r2zRd
7Wzj6bGdl2OEyJ6AoPuuL/btoyP0Kc7tFMycEsITjxyB9/VgjE4GBh3voA==
-----END PUBLIC KEY-----
";

/// The holder of it.
pub fn holder() -> Authority {
    static HOLDER: LazyLock<Option<Authority>> =
        LazyLock::new(|| Some(Authority::new("key", Who::key(KEY.parse().ok()?))));
    let Some(holder) = HOLDER.as_ref() else { panic!("no key") };
    holder.clone()
}
