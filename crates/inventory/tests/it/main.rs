//! Who has what, and who uses it.
#![expect(clippy::unwrap_used, reason = "a test says what it expects in the plainest way")]

mod finds;
