//! Who may sign in: answered by whoever owns principals, not by this crate.

/// Somebody who proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name people and records know them by.
    pub name: String,
}

/// Checks credentials. Implemented by the role that owns principals; called from blocking-safe code, so an answer
/// must take microseconds, and every comparison of secrets must take the same time whatever the guess.
pub trait Authority: Send + Sync {
    /// The principal with this name and secret: HTTP Basic, and the sign-in form.
    fn secret(&self, name: &str, secret: &str) -> Option<Principal>;

    /// The principal a bearer token stands for, if it is genuine and has not expired.
    fn token(&self, token: &str) -> Option<Principal>;

    /// The principal that a one-time sign-in link signs in: the first one of a fresh installation.
    fn first(&self) -> Principal;
}
