//! Who is asking, and what they may do.

mod base32;
mod certificate;
mod expiring;
mod primitive;
mod signing;

pub mod credential;
pub mod delay;
pub mod password;
pub mod registry_scope;
pub mod seal;
pub mod secret;
pub mod token;
pub mod totp;
