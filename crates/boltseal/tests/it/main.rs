//! The real binary, used as people use it: arguments in; text, files and exit codes out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests say what they expect in the plainest way"
)]

mod azure;
mod binary;
mod commands;
mod crash;
mod fixtures;
mod log;
mod readme;
mod reference;
mod refusals;
mod scans;
mod service;
mod up;
