//! Who may sign in: answered by whoever owns principals, not by this crate.

use std::{future::Future, pin::Pin};

/// Somebody who proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name people and records know them by.
    pub name: String,
}

/// The principal, or nobody, as soon as it is known.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Option<Principal>> + Send + 'a>>;

/// Checks credentials. Every comparison of secrets must take the same time whatever the guess; whoever cannot check
/// (a database that does not answer) says nobody.
pub trait Authority: Send + Sync {
    /// The principal with this name and secret: HTTP Basic, and the sign-in form.
    fn secret<'a>(&'a self, name: &'a str, secret: &'a str) -> Answer<'a>;

    /// The principal a bearer token stands for, if it is genuine and has not expired.
    fn token<'a>(&'a self, token: &'a str) -> Answer<'a>;

    /// The principal that a one-time sign-in link signs in: the first one of a fresh installation.
    fn first(&self) -> Principal;
}
