//! The pages people see. Each is a pure function from values to markup; `dashboard` reads the values.

pub(crate) mod about;
pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod error;
pub(crate) mod feeds;
pub(crate) mod findings;
pub(crate) mod frame;
pub(crate) mod image;
pub(crate) mod images;
pub(crate) mod log;
pub(crate) mod overview;
pub(crate) mod policy;
pub(crate) mod registry;
pub(crate) mod sign_in;
pub(crate) mod vulnerabilities;
pub(crate) mod vulnerability;
