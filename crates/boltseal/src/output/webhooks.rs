//! Webhooks and what they were sent, for people.

use boltseal_api::webhooks::{Delivery, Webhook};

use super::{access::moment, packages::grid, paint::Paint};

/// Webhooks, one a line.
pub fn webhooks(all: &[Webhook], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let events = if one.events.is_empty() { "all".to_owned() } else { one.events.join(" ") };
        let state = if one.disabled { "told nothing for now" } else { "" };
        [one.name.clone(), one.url.clone(), events, one.repositories.clone(), state.to_owned()]
    });
    grid(&["name", "url", "events", "repositories", ""], rows, paint)
}

/// Deliveries, one a line.
pub fn deliveries(all: &[Delivery], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let outcome = match (one.status, &one.error) {
            (_, Some(error)) => error.clone(),
            (Some(status), None) => format!("answered {status}"),
            (None, None) => String::new(),
        };
        let tried = one.attempts.to_string();
        [moment(one.created), one.event.clone(), one.state.clone(), tried, outcome, one.id.clone()]
    });
    grid(&["created", "event", "state", "tries", "outcome", "id"], rows, paint)
}
