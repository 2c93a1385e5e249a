//! Any text as a note, a key, a checkpoint, a proof or a request to a witness: reading it never panics, and whatever is
//! read is printed as the same bytes again.

use boltseal_audit::log::{AddCheckpoint, Checkpoint, Note, Proof, Signature, SignedCheckpoint, Verifier};

/// A key that signed some of the seeds.
const KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

/// Reads `bytes` as everything they may be.
pub fn body(bytes: &[u8]) {
    let text = str::from_utf8(bytes).unwrap_or_default();
    let key = text.parse::<Verifier>();
    if let Ok(key) = &key {
        // Padding and case are fixed, so there is one way to write a key.
        assert_eq!(key.to_string(), text);
    }
    let key = key.or_else(|_| KEY.parse()).ok();
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        drop(note.verify(key.as_slice()));
    }
    if let Ok(lines) = Signature::parse_lines(text) {
        assert_eq!(lines.iter().map(ToString::to_string).collect::<String>(), text);
    }
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.to_string().as_bytes(), bytes);
        if let Some(key) = &key {
            drop(checkpoint.verify(key, std::slice::from_ref(key)));
        }
    }
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
        if let Some(key) = &key {
            let entry = proof.extra.clone().unwrap_or_default();
            drop(proof.verify(&entry, key));
        }
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
}
