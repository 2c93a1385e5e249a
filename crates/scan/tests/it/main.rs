//! The scan hop on real data, hostile data and made-up data.

mod alpine;
mod debian;
mod rules;
mod support;
