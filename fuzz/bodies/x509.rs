//! Any bytes as certificates, as a list of revoked ones, as a trust policy, as a name in one, as a file with a key. Nothing
//! panics, and what is read says the same twice.

use boltseal_trust::{
    Certificate, DistinguishedName, KeyFile, Revoked,
    notary::{Document, StoreKind, Stores},
};

/// Reads `bytes` as each of them.
pub fn body(bytes: &[u8]) {
    if let Ok(all) = Certificate::all(bytes) {
        assert!(!all.is_empty());
        for one in all {
            assert!(one.is(&one));
            let _ = (one.subject(), one.is_self_signed(), one.is_authority());
        }
    }
    let mut stores = Stores::default();
    drop(stores.add(StoreKind::Clock, "a", bytes));
    drop(Revoked::default().add(bytes));
    let Ok(text) = str::from_utf8(bytes) else { return };
    drop(Document::parse(text));
    if let Ok(name) = DistinguishedName::parse(text) {
        assert!(name.is_part_of(&name));
    }
    // Without opening it: that is slow on purpose.
    if let Ok(file) = KeyFile::parse(text)
        && !file.is_sealed()
    {
        drop(file.open(""));
    }
}
