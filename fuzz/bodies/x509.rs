//! Any bytes as certificates, as a list of revoked ones, as an answer of a clock, as a trust policy, as a name in one, as a file
//! with a key. Nothing panics, and what is read says the same twice.

use boltseal_trust::{
    Certificate, Clocks, DistinguishedName, KeyFile, Question, Revoked,
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
    let answered = Question::about(b"a signature").answered(bytes.to_vec());
    assert!(answered.is_err(), "no clock was asked");
    let Ok(text) = str::from_utf8(bytes) else { return };
    drop(text.parse::<Clocks>());
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
