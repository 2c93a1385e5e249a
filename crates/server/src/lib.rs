//! The dashboard for people and the JSON API for programs: what is stored, what is wrong with it, how to mend it.
//!
//! Pages are made here as HTML and need no script to be read and used; the API serves the same values as JSON and is
//! described by `docs/reference/openapi.json`.
//!
//! ```no_run
//! # async fn example(state: boltseal_server::State) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, boltseal_server::router(state)).await
//! # }
//! ```
//!
//! [`State`] is what the binary hands in; [`Access`] knows who may do what and changes it, [`Recorder`] keeps the log of
//! what was done, [`sign_in_link`] opens a fresh installation. `examples/preview.rs` serves the whole dashboard with sample images.
//!
//! Inside, in reading order: `routes` is the table of everything served and who may ask for it; `guard` is what every
//! request passes; `dashboard` and `api` read the store; `people`, `account` and `logbook` are what people see and do
//! of access and of the log; `admission` answers API servers of Kubernetes; `control` changes who may do what; `foreign` knows other issuers' tokens, `entra` and
//! `oidc` take them; `pages` turn values into markup out of `parts`.
//!
//! - Names, labels, titles and addresses in reports are written by strangers. `maud` escapes all of them, links go to
//!   web pages only, and the content security policy allows no inline script or style.
//! - Sessions follow OWASP Session Management and `RFC 6265bis`; forms of other sites are refused by `Sec-Fetch-Site`
//!   and `Origin`; failures of the API are `RFC 9457` problem documents.
//!
//! This crate must not know: blobs, the gate's inner state, how a verdict is reached, terminals.

pub mod access;
mod account;
mod admission;
mod aging;
mod api;
mod asking;
mod assets;
mod attention;
mod audit;
mod bases;
mod browse;
mod control;
mod credentials;
mod dashboard;
mod door;
mod entra;
mod exceptions;
pub mod exchange;
mod failure;
mod findings;
mod fingerprints;
mod foreign;
mod guard;
mod life;
mod logbook;
mod notifications;
mod oidc;
mod pages;
mod parts;
mod people;
pub mod policies;
mod pulls;
pub mod recorder;
mod remedies;
mod retention;
mod routes;
mod ruling;
mod running;
mod search;
mod session;
mod settings;
mod state;
mod storage;
mod upstreams;
mod webhooks;

pub use access::Access;
pub use admission::{AdmissionLog, LastSetting};
pub use exceptions::approvals;
pub use exchange::Exchange;
pub use fingerprints::fingerprint_key;
pub use recorder::Recorder;
pub use routes::endpoints;
pub use session::LastUse;
pub use state::{ActivePolicy, Site, State};

pub use door::sign_in_link;

/// Everything this crate serves: `/`, `/api/v1/…`, `/sign-in`, `/healthz`, `/readyz`, `/assets/…`; any other path
/// gets a page that says so.
pub fn router(state: State) -> axum::Router {
    routes::router(state)
}
