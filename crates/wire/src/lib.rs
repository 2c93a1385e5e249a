//! HTTP and TLS, client and server, with limits and deadlines.

pub mod client;
pub mod server;
pub mod tls;
