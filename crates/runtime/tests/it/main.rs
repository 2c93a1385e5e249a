//! Plans of real groups, and a real `runc` that runs what they say.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod plans;
mod root;
mod runc;
