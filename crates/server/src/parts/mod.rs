//! What pages are made of. Pure functions from values to markup; none reads state or the clock.

pub(crate) mod artifact;
pub(crate) mod badge;
pub(crate) mod bar;
pub(crate) mod command;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod place;
pub(crate) mod qr;
pub(crate) mod timeline;
pub(crate) mod words;
