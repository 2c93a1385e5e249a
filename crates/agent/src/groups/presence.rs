//! What runs here, and which packages it was seen to use, told to the server: so that one question there answers for all nodes.
//!
//! It is told when it changes, and else every minute, all of it at once: what did not arrive is in the next one. A server that
//! hears nothing for a while calls the node silent.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use boltseal_api::{
    groups::State,
    running::{Container, Reported},
};
use tokio::time::Instant;

use super::{
    engine::{Inner, lock},
    rollout, stock,
};
use crate::Gate;

/// How often it is looked whether something changed.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is told where nothing did.
const OFTEN: Duration = Duration::from_mins(1);

/// Tells it as long as the engine is there.
pub async fn run(inner: Weak<Inner>, gate: Gate) {
    let mut told: Option<(Reported, Instant)> = None;
    let mut failed = false;
    loop {
        let Some(there) = inner.upgrade() else { return };
        let (now, host) = (now(&there), there.settings.host.clone());
        drop(there);
        let is_known = told.as_ref().is_some_and(|(last, at)| *last == now && at.elapsed() < OFTEN);
        if !is_known {
            match gate.runs(&host, now.clone()).await {
                Ok(()) => (told, failed) = (Some((now, Instant::now())), false),
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(%error, "the server is not told what runs here; this is tried until it is");
                    }
                }
            }
        }
        tokio::time::sleep(if failed { OFTEN / 6 } else { LOOK }).await;
    }
}

/// What runs, in the order of names.
fn now(inner: &Arc<Inner>) -> Reported {
    let groups: Vec<_> = lock(&inner.groups).values().cloned().collect();
    let used = lock(&inner.stock.used).clone();
    let mut containers = Vec::new();
    for group in groups {
        let images = lock(&group.kept).images.clone();
        for one in &group.containers {
            let State::Running { since, .. } = one.seen().state else { continue };
            let Some(image) = images.iter().find(|image| image.name == one.plan.image) else { continue };
            let called = (format!("{}/{}", rollout::called(&group), one.name()), since);
            containers.push(Container {
                uses: used.get(&called).cloned(),
                name: called.0,
                digest: stock::key(image).to_string(),
                image: image.name.clone(),
                since,
            });
        }
    }
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    Reported { containers }
}
