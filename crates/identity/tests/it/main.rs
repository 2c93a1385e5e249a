//! Identity and access from outside, and the bodies of the fuzz targets over seeds and mutations.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects in the plainest way")]

mod access;
mod proof;
