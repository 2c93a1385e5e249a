//! The wire from outside.

mod server;
