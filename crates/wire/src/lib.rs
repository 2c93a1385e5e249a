//! HTTP and TLS, client and server, with limits and deadlines.

pub mod client;
pub mod dial;
pub mod server;
pub mod tls;
