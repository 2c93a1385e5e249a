//! The wire from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod dial;
mod server;
