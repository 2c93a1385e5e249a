//! The scan hop on real data, hostile data and made-up data.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect in the plainest way"
)]

mod alpine;
mod debian;
mod fleet;
mod format;
mod labels;
mod mutations;
mod rpm;
mod rules;
mod snapshot;
mod support;
mod trivy;
mod vendors;
mod vex;
