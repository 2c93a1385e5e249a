//! Layers that no group uses any more: kept for a while, since the next group often has the same ones, and then removed.
//!
//! ```text
//! every ten minutes: layers ─held by no group, for a day─▶ removed
//! no room for an image: layers ─held by no group─▶ removed, and the image is tried once more
//! ```
//!
//! A group that is stopped still holds its layers, and so does the one that a rollback would start.
//!
//! It must not know: what is in layers, why groups end.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use boltseal_image::Unpacked;

use super::{Error, ask, engine::Inner, group::KeptImage};

/// How often it is looked.
const EVERY: Duration = Duration::from_mins(10);

/// Looks for as long as the engine is there.
pub(super) async fn run(inner: Weak<Inner>) {
    loop {
        let Some(engine) = inner.upgrade() else { return };
        let idle = engine.settings.keep_layers;
        let _ = tokio::task::spawn_blocking(move || engine.remove_idle(idle)).await;
        tokio::time::sleep(EVERY.min(idle.max(Duration::from_secs(1)))).await;
    }
}

impl Inner {
    /// The images of a group ([`ask::images`]); where there is no room for them, unused layers make some.
    pub(super) fn images(
        &self,
        run: &boltseal_api::groups::Run,
        read: &ask::Read,
        handle: &tokio::runtime::Handle,
    ) -> Result<(Vec<KeptImage>, Vec<Arc<Unpacked>>), Error> {
        match ask::images(self, run, read, handle) {
            Err(Error::Full(_)) if self.remove_idle(Duration::ZERO) > 0 => {
                ask::images(self, run, read, handle)
            }
            done => done,
        }
    }

    /// Removes layers that nobody has used for as long as this; gives how many.
    fn remove_idle(&self, idle: Duration) -> usize {
        // What runs of a group that cannot be read has layers that nobody here holds.
        if self.has_unread.load(Ordering::Relaxed) {
            return 0;
        }
        match self.layers.prune_idle(idle) {
            Ok(removed) => {
                if !removed.is_empty() {
                    tracing::info!(layers = removed.len(), "removed layers that no group used");
                }
                removed.len()
            }
            Err(error) => {
                tracing::warn!(%error, "layers that no group uses stay");
                0
            }
        }
    }
}
