//! The router as a whole, over a real store with sample images; and what a browser makes of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod access;
mod access_pages;
mod admission;
mod api;
mod app;
mod audit_http;
mod audit_recorder;
mod audit_sinks;
mod audit_witness;
mod browser;
mod control;
mod elsewhere;
mod exceptions;
mod home;
mod html;
mod keeping;
mod life;
mod log_pages;
mod pages;
mod policies;
mod policy_files;
mod rulings;
mod sample;
mod shared_log;
mod sign_in;
mod telling;
mod upstreams;
mod webhooks;
