//! From the facts into the log, again and again.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use boltseal_model::Timestamp;

use super::{Error, Inner, Recorder, keys};

/// Entries gather this long before they are sealed: a second is promised, a tenth leaves room for a busy disk.
const GATHER: Duration = Duration::from_millis(100);
/// Batches of one round: at most some tens of thousand entries, some tens of megabytes.
const ROUND: u64 = 256;
/// After a failure, the next try.
const RETRY: Duration = Duration::from_secs(1);
/// When sealing has failed for this long, nothing more is accepted: a full disk must not swallow the log unseen.
const PATIENCE: Duration = Duration::from_mins(1);

impl Recorder {
    pub(super) async fn seal_until(&self, stop: impl Future<Output = ()> + Send) {
        let mut entered = self.0.facts.entered();
        let mut stop = std::pin::pin!(stop);
        let mut failing: Option<Instant> = None;
        loop {
            let outcome = self.seal().await;
            if let Err(error) = &outcome {
                let since = *failing.get_or_insert_with(Instant::now);
                tracing::error!(%error, "entries could not be sealed into the log; they stay in the facts");
                self.0.state.send_modify(|state| state.failing = Some(error.to_string()));
                if since.elapsed() > PATIENCE {
                    self.0.close(&format!("the audit log cannot be written: {error}"));
                }
            } else if failing.take().is_some() {
                self.0.state.send_modify(|state| state.failing = None);
            }
            let waiting = async {
                if failing.is_some() {
                    tokio::time::sleep(RETRY).await;
                } else if entered.changed().await.is_err() {
                    std::future::pending::<()>().await;
                } else {
                    tokio::time::sleep(GATHER).await;
                }
            };
            tokio::select! {
                () = waiting => {}
                () = &mut stop => break,
            }
        }
        if let Err(error) = self.seal().await {
            tracing::error!(%error, "the last entries are not sealed; they will be after the next start");
        }
    }

    /// Seals everything that has been entered so far.
    pub async fn seal(&self) -> Result<(), Error> {
        let until = *self.0.facts.entered().borrow();
        loop {
            let size = self.0.state.borrow().checkpoint.checkpoint().size;
            if size >= until {
                return Ok(());
            }
            let batches = self.0.facts.batches(size, ROUND).await.map_err(Error::facts)?;
            let inner = std::sync::Arc::clone(&self.0);
            let sealing = tokio::task::spawn_blocking(move || inner.take_over(&batches));
            let size = sealing.await.map_err(|_| Error::Task("sealing the log"))??;
            self.0.facts.taken_over(size).await.map_err(Error::facts)?;
        }
    }

    pub(super) fn anchor_now(&self) -> Result<(), Error> {
        self.0.write_anchor()
    }
}

impl Inner {
    /// Appends batches to the log and gives its size.
    fn take_over(&self, batches: &[boltseal_store::Batch]) -> Result<u64, Error> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let size = log.size();
        let first = batches.first().map_or(size, |batch| batch.first);
        if first > size {
            return Err(Error::OldLog { log: size, facts: first });
        }
        let fresh: Vec<&[u8]> = batches
            .iter()
            .flat_map(|batch| (batch.first..).zip(&batch.entries))
            .filter(|(number, _)| *number >= size)
            .map(|(_, entry)| entry.as_slice())
            .collect();
        if let Err(error) = log.append(&fresh) {
            // Nobody knows what is on disk now; reading it tells, at the latest with the next try.
            if let Err(again) = log.reopen() {
                tracing::error!(error = %again, "the log could not be read again after a failed write");
            }
            return Err(error.into());
        }
        let (size, checkpoint) = (log.size(), log.checkpoint().clone());
        drop(log);
        self.state.send_modify(|state| {
            state.checkpoint = checkpoint;
            state.signed = Some(Timestamp::now());
        });
        self.write_anchor()?;
        Ok(size)
    }

    fn write_anchor(&self) -> Result<(), Error> {
        let text = self.state.borrow().checkpoint.to_string();
        keys::write_private(&self.anchor, text.as_bytes()).map_err(|wrong| Error::file(&self.anchor, wrong))
    }
}
