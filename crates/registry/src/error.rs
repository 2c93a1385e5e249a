//! Why the registry cannot start or go on.

/// What goes wrong outside of answering one client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] boltseal_store::Error),
    /// No secret can be made.
    #[error(
        "the system gives no random numbers, or the cipher failed its self test: nothing can be kept secret"
    )]
    Randomness,
    /// A background task ended unexpectedly.
    #[error("{0} ended unexpectedly; see the log")]
    Task(&'static str),
}
