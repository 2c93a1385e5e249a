//! Docker's authorization plugin: the engine asks before it does anything, and does what was allowed.
//!
//! `docker run registry.example.com/team/app:v1` becomes `POST /containers/create` and `POST /containers/{id}/start`:
//!
//! 1. [`request`] reads the question; [`command`] knows what every request does, and refuses what it does not know.
//! 2. [`opening`] lists what the container asks for beyond the sealed default: namespaces and folders of the host,
//!    capabilities, devices. What [`Settings`] do not open is refused.
//! 3. [`engine`] says which image is meant, by its digests and names; [`Gate`] says what the server decided about them. At the start
//!    that is asked again: a name may have moved in between, and a verdict may have changed.
//! 4. Every command that is no reading is in the server's audit log, with who asked, before it is done. Where that cannot
//!    be, nothing changes on this host.
//!
//! Limits: what the engine starts by itself (restart policies, tasks of a swarm on a worker) it does not ask about; a
//! service is looked at where it is made, and must be pinned by digest. Over the socket the engine does not know who asks;
//! with TLS it does. Builds and plugins of the engine are refused unless opened, since their content cannot be seen. The
//! engine passes on bodies up to 1 MiB; larger ones, and commands that lack the body they need, are refused
//! (CVE-2024-41110).
//!
//! Protocol: Docker's documentation, "Access authorization plugin", API 1.0.

mod body;
mod command;
mod decide;
mod engine;
mod opening;
mod plugin;
mod request;
mod settings;
#[cfg(test)]
mod tests;

pub use plugin::Plugin;
pub use settings::{Error as SettingsError, Settings};

#[cfg(doc)]
use crate::Gate;

/// What settings alone say about a question of the engine (the body of `AuthZPlugin.AuthZReq`), without asking anybody
/// and with folders of the host by the names that were given. The error is the answer.
pub fn by_settings(question: &[u8], settings: &Settings) -> Result<(), String> {
    let request = request::Request::read(question).map_err(|wrong| wrong.to_string())?;
    let command = command::Command::of(&request).map_err(|wrong| wrong.to_string())?;
    let openings = decide::openings(&command.does).map_err(|wrong| wrong.to_string())?;
    match decide::by_settings(&command, &openings, settings) {
        decide::Outcome::Allowed | decide::Outcome::Warned(_) => Ok(()),
        decide::Outcome::Refused(why) => Err(why),
    }
}
