//! Single entries, proofs and tiles.

use std::time::Duration;

use boltseal_audit::log::{self, Kind, Proof, Storage as _, Tile};

use super::{Error, Recorder};

/// How long a proof waits for its entry to be sealed: twice what is promised.
const SEALING: Duration = Duration::from_secs(2);

/// The bytes of an entry, and whether a checkpoint covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    /// As it was written.
    pub entry: Vec<u8>,
    /// Whether a checkpoint covers it.
    pub sealed: bool,
}

impl Recorder {
    /// Entries that the newest checkpoint covers.
    pub(crate) fn size(&self) -> u64 {
        self.0.state.borrow().checkpoint.checkpoint().size
    }

    /// Entries that are durable, sealed or not.
    pub(crate) fn entered(&self) -> u64 {
        *self.0.facts.entered().borrow()
    }

    /// Entry `index`, also one that is durable but not sealed yet. `None` where there is none.
    pub(crate) async fn entry(&self, index: u64) -> Result<Option<Raw>, Error> {
        // Between asking how much is sealed and asking the facts for the rest, the entry may move from one to the other.
        for _ in 0..2 {
            let size = self.size();
            if index < size {
                let entry = self.blocking("reading an entry", move |this| {
                    this.reader()?.entry(index, size).map_err(Error::from)
                });
                return entry.await.map(|entry| Some(Raw { entry, sealed: true }));
            }
            let batch = self.0.facts.batches(index, 1).await.map_err(Error::facts)?.into_iter().next();
            let entry = batch.and_then(|mut batch| {
                let place = usize::try_from(index.checked_sub(batch.first)?).ok()?;
                (place < batch.entries.len()).then(|| batch.entries.swap_remove(place))
            });
            if let Some(entry) = entry {
                return Ok(Some(Raw { entry, sealed: false }));
            }
        }
        Ok(None)
    }

    /// The proof that entry `index` is in the log. One that was just written is waited for. `None` where there is none.
    pub(crate) async fn prove(&self, index: u64) -> Result<Option<Proof>, Error> {
        if index >= self.entered() {
            return Ok(None);
        }
        let mut state = self.state();
        let sealed = state.wait_for(|state| state.checkpoint.checkpoint().size > index);
        let checkpoint = match tokio::time::timeout(SEALING, sealed).await {
            // One that witnesses have cosigned says more, even if it is not the newest.
            Ok(Ok(state)) => {
                let cosigned = state.cosigned.as_ref().filter(|kept| kept.checkpoint().size > index);
                cosigned.unwrap_or(&state.checkpoint).clone()
            }
            _ => return Err(Error::Unsealed { index }),
        };
        self.blocking("making a proof", move |this| {
            Proof::under(&this.reader()?, index, checkpoint).map(Some).map_err(Error::from)
        })
        .await
    }

    /// The bytes of a tile, if the newest checkpoint has it.
    pub(crate) async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Error> {
        let first = tile.first_entry().filter(|_| tile.kind == Kind::Entries);
        if let Some(index) = first.filter(|index| *index < self.archived()) {
            return Err(log::Error::Archived { index, first: self.archived() }.into());
        }
        // What lies beyond the checkpoint is what a crash left, and not part of the log.
        if Tile::at(tile.kind, tile.index, self.size()).is_none_or(|now| tile.width > now.width) {
            return Ok(None);
        }
        self.blocking("reading a tile", move |this| {
            let place = this.place()?;
            let path = tile.to_string();
            place.read(&path).map_err(|source| Error::Log(log::Error::Storage { path, source }))
        })
        .await
    }

    /// Does what waits for a disk where nobody else waits for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        act: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || act(&this)).await.map_err(|_| Error::Task(what))?
    }
}
