//! The registry as clients see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod api;
mod gate;
mod peers;
mod world;
