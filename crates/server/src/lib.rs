//! The dashboard and the JSON API.

mod authority;
mod secret;
mod sign_in;
mod state;

pub use authority::{Answer, Authority, Principal};
pub use sign_in::SignIn;
pub use state::{Site, State};

/// Everything this crate serves: `/`, `/api/v1/…`, `/sign-in`, `/healthz`, `/readyz`, `/assets/…`.
pub fn router(state: State) -> axum::Router {
    axum::Router::new().with_state(state)
}
