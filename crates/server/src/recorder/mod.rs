//! Seals what was recorded into the log: every entry is under a signed checkpoint within a second.
//!
//! An entry is durable in the facts before anybody is told that its change happened. The recorder takes entries over
//! from there, in order, into the Merkle log in `audit/` of the data folder, and then lets the facts forget them. So a
//! crash at any moment loses nothing: what was not taken over yet is taken over after the next start.
//!
//! Before anything is served, [`Recorder::open`] holds the log against what else is known of it:
//!
//! - the facts: they hold the entries that follow the log's last one. A gap means that one of the two is an old copy;
//! - the anchor, a signed checkpoint kept *outside* the data folder: if the log does not continue it, the whole folder
//!   is an old copy or was rewritten;
//! - the log itself, from its first entry: at once if it is short, otherwise in the background.
//!
//! What is found wrong stops the start, or, while running, closes the facts' log: from then on nothing is changed that
//! would have to be recorded, secrets are not read, images are not pulled.

mod archive;
mod check;
mod error;
mod lately;
mod look;
mod outside;
mod page;
mod place;
mod read;
mod seal;
mod walk;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use boltseal_api::audit::Verified;
use boltseal_audit::{
    Record,
    log::{Log, Reader, SignedCheckpoint, Verifier},
};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use tokio::sync::watch;

pub(crate) use boltseal_audit::log::write_private;
pub use error::Error;
pub(crate) use lately::{Count, Glass, Lately};
pub use outside::Outside;
pub(crate) use page::{Found, Page};
pub use place::Place;
pub(crate) use read::Raw;

/// Where the log is and what is known of it elsewhere.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder; the log is in `audit/` below it, unless several servers share it in the facts.
    pub data: PathBuf,
    /// The folder of keys; the log's is `audit`.
    pub keys: PathBuf,
    /// The log's name if it is made now: host and path without a scheme, such as `registry.example/audit`.
    pub origin: String,
    /// Folder for the anchor, outside the data folder.
    pub anchors: PathBuf,
    /// Goes on with a log that was put back to an older state, for this reason, which is recorded.
    pub accept_restored: Option<String>,
}

/// Takes entries over into the log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    folder: PathBuf,
    verifier: Verifier,
    anchor: PathBuf,
    /// Held by whoever writes: the task that seals, and whoever publishes cosignatures.
    log: Mutex<Log<Place>>,
    state: watch::Sender<State>,
    /// Whether it is this server that seals.
    leads: watch::Sender<bool>,
    lately: tokio::sync::Mutex<Lately>,
    looks: look::Looks,
    /// The first entry that was not archived.
    archived: AtomicU64,
    /// Held by whoever moves bundles.
    archiving: Mutex<()>,
}

/// How the log stands.
#[derive(Clone, Debug)]
pub struct State {
    /// The newest checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// What was found when it was verified from its beginning.
    pub verified: Verified,
    /// When the newest checkpoint was signed; not known for one of an earlier run.
    pub signed: Option<Timestamp>,
    /// The newest checkpoint that witnesses have cosigned; the log may have grown since.
    pub cosigned: Option<SignedCheckpoint>,
    /// Why the last try to seal failed, if it did.
    pub failing: Option<String>,
    /// Why nothing is recorded any more, and so nothing changed.
    pub closed: Option<String>,
}

impl Recorder {
    async fn opened(config: &Config, facts: &Facts, known: check::Known) -> Result<check::Opened, Error> {
        let (config, facts) = (config.clone(), facts.clone());
        let opening = tokio::task::spawn_blocking(move || check::open(&config, &facts, known));
        opening.await.map_err(|_| Error::Task("opening the log"))?
    }

    /// Opens the log, or makes it on the first start, and holds it against what is known of it.
    pub async fn open(config: Config, facts: &Facts) -> Result<Self, Error> {
        let first = facts.batches(0, 1).await.map_err(Error::facts)?.first().map(|batch| batch.first);
        let mark = archive::mark(&config.data)?;
        let mut known = check::Known { first, next: *facts.entered().borrow(), archived: mark.first };
        let opened = loop {
            match Self::opened(&config, facts, known).await {
                // Another server may have sealed an entry since we asked: the facts have it by now, or it is not theirs.
                Err(Error::OldFacts { log, .. })
                    if log > known.next
                        && !facts
                            .batches(log.saturating_sub(1), 1)
                            .await
                            .map_err(Error::facts)?
                            .is_empty() =>
                {
                    known.next = log;
                }
                done => break done?,
            }
        };
        let folder = config.data.join(check::FOLDER);
        let state = State {
            checkpoint: opened.log.checkpoint().clone(),
            verified: opened.verified,
            signed: None,
            cosigned: None,
            failing: None,
            closed: None,
        };
        let inner = Inner {
            facts: facts.clone(),
            folder,
            verifier: opened.log.signer().verifier().clone(),
            anchor: opened.anchor,
            log: Mutex::new(opened.log),
            state: watch::Sender::new(state),
            leads: watch::Sender::new(false),
            lately: tokio::sync::Mutex::default(),
            looks: look::Looks::default(),
            archived: AtomicU64::new(mark.first),
            archiving: Mutex::new(()),
        };
        let recorder = Self(Arc::new(inner));
        // Whether the folder for anchors can be written is found out now rather than at the first change.
        recorder.anchor_now()?;
        recorder.blocking("archiving", move |this| this.finish_archiving(mark)).await?;
        if let Some(restored) = opened.restored {
            facts.skip_entries(restored.size).await.map_err(Error::facts)?;
            facts
                .append(vec![check::accepted(&restored, config.accept_restored.as_deref())])
                .await
                .map_err(Error::facts)?;
        }
        Ok(recorder)
    }

    /// Seals for as long as the process runs; when told to stop, seals what is left and comes back.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        if matches!(self.0.state.borrow().verified, Verified::Running { .. }) {
            let this = self.clone();
            tokio::task::spawn_blocking(move || this.verify());
        }
        self.seal_until(stop).await;
    }

    /// How the log stands, and every change of that.
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }

    /// Whether this server is the one that seals; always, where no others share the log. Comes and goes.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.0.leads.subscribe()
    }

    /// Reads what is sealed.
    pub fn reader(&self) -> Result<Reader<Place>, Error> {
        let place = self.place()?;
        Ok(Reader::new(place, self.0.verifier.clone()).archived(self.archived()))
    }

    fn place(&self) -> Result<Place, Error> {
        Place::open(&self.0.folder, &self.0.facts).map_err(|wrong| Error::file(&self.0.folder, wrong))
    }

    /// The key that checkpoints are verified with.
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The log's own folder, which holds nothing that may not be shown to whoever may read records.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Writes a record that belongs to no change; it is durable when this returns.
    pub async fn note(&self, record: &Record) -> Result<(), boltseal_store::Error> {
        self.0.facts.append(vec![record.entry()]).await
    }

    /// Nothing is recorded from now on, and so nothing changed.
    pub(crate) fn close(&self, why: &str) {
        tracing::error!(why, "the log is closed: nothing is recorded any more, and so nothing changed");
        self.0.close(why);
    }

    /// Publishes the newest checkpoint with a witness's signature on it. `false` where the log has grown meanwhile:
    /// then it is only kept for proofs.
    pub fn publish(&self, cosigned: &SignedCheckpoint) -> Result<bool, Error> {
        self.0.state.send_modify(|state| state.cosigned = Some(cosigned.clone()));
        let mut log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        let published = log.publish(cosigned)?;
        if published {
            self.0.state.send_modify(|state| state.checkpoint = cosigned.clone());
        }
        Ok(published)
    }

    /// Has the whole log read again in the background, unless that is under way.
    pub fn verify_soon(&self) {
        let begins = self.0.state.send_if_modified(|state| {
            let idle = !matches!(state.verified, Verified::Running { .. });
            if idle {
                state.verified = Verified::Running { checked: 0 };
            }
            idle
        });
        if begins {
            let this = self.clone();
            tokio::task::spawn_blocking(move || this.verify());
        }
    }

    /// Reads the whole log again; what is wrong closes it.
    pub fn verify(&self) -> Verified {
        let found = self.reader().map_err(|wrong| wrong.to_string()).and_then(|reader| {
            check::whole(&reader, &mut |checked| {
                self.0.state.send_modify(|state| state.verified = Verified::Running { checked });
            })
        });
        let verified = found.unwrap_or_else(|why| {
            tracing::error!(
                why,
                "the log is not what was signed: nothing is recorded any more, and so nothing changed"
            );
            self.0.close(&format!("the audit log is broken: {why}"));
            Verified::Broken { why }
        });
        self.0.state.send_modify(|state| state.verified = verified.clone());
        verified
    }
}

impl Inner {
    /// Nothing is recorded from now on. The first reason stays.
    fn close(&self, why: &str) {
        self.facts.close_log(why);
        self.state.send_modify(|state| {
            state.closed.get_or_insert_with(|| why.to_owned());
        });
    }
}
