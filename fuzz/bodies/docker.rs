//! Any bytes as the question of a Docker engine: no panic, and a privileged container is never let through by a host that
//! opens nothing.

use base64::Engine as _;
use boltseal_agent::docker::{Settings, by_settings};
use serde_json::Value;

/// Asks about `bytes`.
pub fn body(bytes: &[u8]) {
    let allowed = by_settings(bytes, &Settings::default()).is_ok();
    assert!(!allowed || !is_privileged(bytes).unwrap_or(false), "a privileged container");
}

/// Looked at another way: whatever comes last counts, names compare without case.
fn is_privileged(bytes: &[u8]) -> Option<bool> {
    let question: Value = serde_json::from_slice(bytes).ok()?;
    let path = question.get("RequestUri")?.as_str()?.split('?').next()?;
    if question.get("RequestMethod")?.as_str()? != "POST" || !path.ends_with("/containers/create") {
        return None;
    }
    let body = question.get("RequestBody")?.as_str()?;
    let body = base64::engine::general_purpose::STANDARD.decode(body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    named(named(&body, "HostConfig")?, "Privileged")?.as_bool()
}

fn named<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
