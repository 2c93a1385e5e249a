//! From the facts into the log, again and again.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use boltseal_model::Timestamp;
use boltseal_store::Lead;

use super::{Error, Inner, Recorder, write_private};

/// Entries gather this long before they are sealed: a second is promised, a tenth leaves room for a busy disk.
const GATHER: Duration = Duration::from_millis(100);
/// Batches of one round: at most some tens of thousand entries, some tens of megabytes.
const ROUND: u64 = 256;
/// After a failure, the next try.
const RETRY: Duration = Duration::from_secs(1);
/// When sealing has failed for this long, nothing more is accepted: a full disk must not swallow the log unseen.
const PATIENCE: Duration = Duration::from_mins(1);
/// Where servers share a log: how often one that does not seal asks whether it should.
const TURN: Duration = Duration::from_secs(2);
/// The name of that right in the facts: any number that nothing else uses.
const SEALING: i64 = 0x626f_6c74_6c6f_6701;

impl Recorder {
    pub(super) async fn seal_until(&self, stop: impl Future<Output = ()> + Send) {
        let mut entered = self.0.facts.entered();
        let mut stop = std::pin::pin!(stop);
        let mut failing: Option<Instant> = None;
        let mut lead = None;
        loop {
            let outcome = self.turn(&mut lead).await;
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
            let leads = lead.is_some();
            let waiting = async {
                if failing.is_some() {
                    tokio::time::sleep(RETRY).await;
                } else if !leads && self.size() < self.entered() {
                    // Whoever seals is about to.
                    tokio::time::sleep(GATHER).await;
                } else {
                    match tokio::time::timeout(TURN, entered.changed()).await {
                        Ok(Ok(())) => tokio::time::sleep(GATHER).await,
                        Ok(Err(_)) => std::future::pending().await,
                        Err(_) => {}
                    }
                }
            };
            tokio::select! {
                () = waiting => {}
                () = &mut stop => break,
            }
        }
        if lead.is_some()
            && let Err(error) = self.seal().await
        {
            tracing::error!(%error, "the last entries are not sealed; they will be after the next start");
        }
    }

    /// Seals if it is this server's turn; otherwise reads what another has sealed.
    async fn turn(&self, lead: &mut Option<Lead>) -> Result<(), Error> {
        let held = match lead {
            Some(lead) => lead.holds().await,
            None => false,
        };
        if !held {
            *lead = self.0.facts.lead(SEALING).await.map_err(Error::facts)?;
            self.0.leads.send_replace(lead.is_some());
            if self.0.facts.is_shared() {
                self.catch_up().await?;
            }
        }
        match lead {
            Some(_) => self.seal().await,
            None => Ok(()),
        }
    }

    /// Reads what another server has sealed.
    async fn catch_up(&self) -> Result<(), Error> {
        self.blocking("reading the log", |this| {
            let mut log = this.0.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.reopen()?;
            let checkpoint = log.checkpoint().clone();
            drop(log);
            let grown = this.0.state.send_if_modified(|state| {
                let grown = state.checkpoint.checkpoint().size < checkpoint.checkpoint().size;
                if grown {
                    state.checkpoint = checkpoint;
                    state.signed = Some(Timestamp::now());
                }
                grown
            });
            if grown { this.0.write_anchor() } else { Ok(()) }
        })
        .await
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
        write_private(&self.anchor, text.as_bytes()).map_err(|wrong| Error::file(&self.anchor, wrong))
    }
}
